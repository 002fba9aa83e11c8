"""A fresh project at its desk for a measurement, and what every measurement needs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import statistics
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

UNBOUNDED = {"TABIJI_BREAKER_ENTRIES": "0"}
"""People arrive as fast as they can here, which is what the breaker is for."""
PORTS = ("API", "TEMPORAL", "TEMPORAL_UI", "SMTP", "INBOX")


@asynccontextmanager
async def desk(project: Path, *, relay: int | None = None, **more: str) -> AsyncGenerator[dict[str, str]]:
    """`tabiji up` in a project until the end of the block. Gives its environment.

    Args:
        project: Its folder.
        relay: Port of a relay on this machine that takes the mails, in place of the local inbox.
        more: Settings, as variables.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TABIJI_")}
    ports = {f"TABIJI_{name}_PORT": str(free_port()) for name in PORTS}
    env = {**clean, **ports, "TABIJI_RELOAD": "false", **UNBOUNDED, **more}
    if relay is not None:
        env |= {"TABIJI_SMTP_HOST": "127.0.0.1", "TABIJI_SMTP_PORT": str(relay)}
    async with process(sys.executable, "-m", "tabiji.cli", "up", cwd=project, env=env):
        state = project / ".tabiji" / "stack.json"
        while not (state.exists() and json.loads(state.read_text()).get("ready")):  # noqa: ASYNC110 # another process tells nobody
            await asyncio.sleep(0.1)
        yield env


@asynccontextmanager
async def process(*command: str, **how: Any) -> AsyncGenerator[None]:
    """A process until the end of the block; what it says is not heard."""
    quiet = asyncio.subprocess.DEVNULL
    running = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet, **how)
    try:
        yield
    finally:
        if running.returncode is None:
            running.send_signal(signal.SIGTERM)
        await running.wait()


async def run(*command: str, **how: Any) -> None:
    """Run to the end; a failure ends the measurement."""
    running = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL, **how)
    if await running.wait():
        raise SystemExit(f"{command} failed")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """Of durations in seconds, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    return {"p50": round(cuts[49] * 1000, 1), "p90": round(cuts[89] * 1000, 1), "p99": round(cuts[98] * 1000, 1)}
