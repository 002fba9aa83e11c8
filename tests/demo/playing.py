"""Runs the demo as `make demo` does: a process of its own."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent.parent


class Playing:
    """A demo that runs, and what it has said so far."""

    def __init__(self, process: Process) -> None:
        self.said = ""
        self._process = process

    async def until(self, words: str) -> None:
        """Read on until these words have been said, or it has ended."""
        out = self._process.stdout
        while out is not None and words not in self.said and (line := await out.readline()):
            self.said += line.decode()

    async def end(self) -> int:
        """Read all it has to say. Returns its exit code."""
        await self.until("(nobody says this)")
        return await self._process.wait()

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)

    @property
    def data(self) -> str:
        """The desk's data folder, which every process of the desk has in its environment."""
        found = re.search(r"data in (\S+)\)", self.said)
        assert found, self.said
        return found[1]

    @property
    def address(self) -> str:
        """Where the API is."""
        found = re.search(r"ready after .*?(http://\S+),", self.said)
        assert found, self.said
        return found[1]

    @property
    def data_is_kept(self) -> bool:
        """Whether its logs can still be read."""
        return (Path(self.data) / "logs" / "worker.log").exists()

    def left_behind(self) -> list[str]:
        """Processes of this demo's desk."""
        found: list[str] = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if self.data in process.environ().get("TABIJI_DATA", ""):
                    found.append(" ".join(process.cmdline()))
        return found


@asynccontextmanager
async def demo(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> AsyncGenerator[Playing]:
    """Start it, and make sure that it is gone at the end. Its data is kept below `folder`."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("CHAOS", "KEEP")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "demo",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        cwd=ROOT,
        env={**inherited, "TMPDIR": str(folder), "COLUMNS": "300", **(env or {})},
    )
    try:
        yield Playing(process)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
