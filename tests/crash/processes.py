"""The processes that are killed: each as it runs at a desk or in production."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tabiji.testing import binary


@dataclass
class Program:
    """One program; each start of it is a new process."""

    argv: Sequence[str]
    folder: Path
    log: Path
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    _process: Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def said(self) -> str:
        """What its processes have logged so far."""
        return self.log.read_text() if self.log.exists() else ""

    async def start(self) -> None:
        assert not self.runs
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TABIJI_")}
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.argv, cwd=self.folder, env={**clean, **self.env}, stdin=DEVNULL, stdout=log, stderr=log
            )

    def send(self, what: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(what)

    async def ended(self, *, within: float = 30) -> int:
        """Wait for its own end. Returns its exit code."""
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), within)

    async def kill(self) -> None:
        """Kill it with -9, stopped or not. Nothing happens to one that has ended."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


def temporal_server(folder: Path, port: int) -> Program:
    """A dev server on a file, as the desk starts it."""
    argv = (
        *(binary("temporal"), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port)),
        *("--db-filename", str(folder / "temporal.sqlite3"), "--log-level", "error"),
        *("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"),
    )
    return Program(argv, folder, folder / "temporal.log")


def worker(project: Path, log: Path, env: Mapping[str, str]) -> Program:
    """`python worker.py`."""
    return Program((sys.executable, "worker.py"), project, log, env)


def api(project: Path, log: Path, env: Mapping[str, str]) -> Program:
    """`tabiji api`."""
    return Program((sys.executable, "-m", "tabiji.cli", "api"), project, log, env)
