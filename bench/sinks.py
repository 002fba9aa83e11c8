"""Starts the fast SMTP sink in a process of its own, and asks it what has come in."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parents[1]
_PATIENCE = 30.0


@dataclass(frozen=True)
class Sink:
    """One that runs: mails go to `port` on 127.0.0.1."""

    port: int
    control: int

    async def counts(self) -> dict[str, Any]:
        """What has come in: mails, distinct, twice, recipients, answers and so on."""
        return await self._ask("/")

    async def hang_up(self) -> dict[str, Any]:
        """Break every line."""
        return await self._ask("/hang-up")

    async def _ask(self, path: str) -> dict[str, Any]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.control)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: sink\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return cast("dict[str, Any]", json.loads(answer.partition(b"\r\n\r\n")[2]))


@asynccontextmanager
async def running(*options: str) -> AsyncGenerator[Sink]:
    """Run one with these options of `python -m bench.sink`, and end it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.sink", "--with-parent", *options, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_PATIENCE):
            ports = json.loads(await process.stdout.readline())
        yield Sink(port=ports["port"], control=ports["control"])
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
