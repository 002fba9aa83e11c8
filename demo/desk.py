"""The desk stack as a child: fresh data, free ports, nothing of the caller's own settings."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PORTS = ("API", "TEMPORAL", "TEMPORAL_UI", "SMTP", "INBOX")
MAY_BE_SET = ("TABIJI_CLOCK_SHIFT", "TABIJI_TIMEZONE", "TABIJI_QUIET_HOURS", "TABIJI_LOG_LEVEL")
"""Taken over from the caller's environment. Everything else might lead to a real relay, database or Temporal."""
READY = 90.0
STOPPED = 100.0
"""Seconds `tabiji up` may take to stop: longer than its own grace for a mail on the wire."""


class DeskFailed(Exception):
    """It did not come up. The message has its last words."""


@dataclass(frozen=True)
class Processes:
    """What runs, by the desk's own account."""

    desk: int
    children: Mapping[str, int]
    addresses: Mapping[str, str]
    ready: bool


class Desk:
    """`tabiji up` in a data folder of its own."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        """Nothing starts yet.

        Args:
            settings: Further `TABIJI_…` variables.
        """
        self.data = Path(tempfile.mkdtemp(prefix="tabiji-demo-"))
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> Path:
        """What it said."""
        return self.data / "desk.log"

    async def start(self) -> Processes:
        """Start it and wait until every part of it is ready.

        Raises:
            DeskFailed: It is not ready in time, or has ended.
        """
        for attempt in range(3):
            with self.log.open("wb") as log:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "tabiji.cli",
                    "up",
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=asyncio.subprocess.STDOUT,
                    env=environment(self.data, self._settings),
                    process_group=0,  # Ctrl-C is for the demo, which then stops the desk
                )
            try:
                return await self._ready(self._process)
            except DeskFailed:
                # Between finding a free port and using it somebody else may have taken it.
                if attempt == 2 or "is taken" not in self.last_words():
                    raise
        raise AssertionError("unreachable")

    async def _ready(self, process: asyncio.subprocess.Process) -> Processes:
        try:
            async with asyncio.timeout(READY):
                while process.returncode is None:
                    found = self.processes()
                    if found is not None and found.ready:
                        return found
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise DeskFailed(f"the desk is not ready after {READY:g} seconds:\n{self.last_words()}") from None
        raise DeskFailed(f"the desk ended with exit code {process.returncode}:\n{self.last_words()}")

    def processes(self) -> Processes | None:
        """What runs now; None before anything does."""
        try:
            state: dict[str, Any] = json.loads((self.data / "stack.json").read_text())
        except FileNotFoundError:
            return None
        return Processes(state["pid"], state["children"], state["addresses"], bool(state["ready"]))

    @property
    def key(self) -> str:
        """Opens the whole API."""
        return (self.data / "key").read_text().strip()

    def last_words(self) -> str:
        """The end of its log."""
        with suppress(FileNotFoundError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        return ""

    async def stop(self) -> None:
        """Stop it with grace, and with force when that does not help."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOPPED)
        except TimeoutError:
            process.kill()
            await process.wait()

    def forget(self) -> None:
        """Remove the data."""
        shutil.rmtree(self.data, ignore_errors=True)


def environment(data: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment, without any setting that could lead out of this machine."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("TABIJI_") or name in MAY_BE_SET
    }
    ports = {f"TABIJI_{name}_PORT": str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
    return {**inherited, "TABIJI_ENV_FILE": "", "TABIJI_DATA": str(data), **ports, **settings}


def free_ports(count: int) -> list[int]:
    """Below the range from which the system gives out ports to whoever asks for any."""
    found: list[int] = []
    while len(found) < count:
        port = random.randint(20_000, 30_000)  # noqa: S311 # any will do
        with socket.socket() as attempt, suppress(OSError):
            attempt.bind(("127.0.0.1", port))
            if port not in found:
                found.append(port)
    return found
