"""A desk as a process of its own, for tests: `tabiji up` in a folder, on free ports."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil

from tests.desk.conftest import eventually

PORTS = ("API", "TEMPORAL", "TEMPORAL_UI", "SMTP", "INBOX")
TABIJI = (sys.executable, "-m", "tabiji.cli")


class Desk:
    """Where it runs, what it is told, and how to ask it."""

    def __init__(self, project: Path, data: Path, free_port: Callable[[], int]) -> None:
        self.project = project
        self.data = data
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TABIJI_")}
        ports = {f"TABIJI_{name}_PORT": str(free_port()) for name in PORTS}
        self.env = {**clean, **ports, "TABIJI_DATA": str(data), "TERM": "dumb", "COLUMNS": "160"}

    def port(self, name: str) -> int:
        return int(self.env[f"TABIJI_{name}_PORT"])

    def state(self) -> dict[str, Any]:
        """stack.json, or nothing while there is none."""
        file = self.data / "stack.json"
        state: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        return state

    def children(self) -> dict[str, psutil.Process]:
        found: dict[str, int] = self.state()["children"]
        return {name: psutil.Process(pid) for name, pid in found.items()}

    async def tabiji(self, *arguments: str, **env: str) -> tuple[int, str, str]:
        """Run a command to its end: exit code, standard output, standard error."""
        process = await asyncio.create_subprocess_exec(
            *TABIJI,
            *arguments,
            cwd=self.project,
            env={**self.env, **env},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(40):
            out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    @asynccontextmanager
    async def up(self) -> AsyncGenerator[asyncio.subprocess.Process]:
        """A desk that is ready. Stopped with SIGTERM at the end, unless it has ended by then."""
        with (self.data.parent / "up.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *TABIJI, "up", cwd=self.project, env=self.env, stdout=log, stderr=log
            )
        try:
            await eventually(lambda: process.returncode is not None or self._ready(process.pid), within=60)
            assert process.returncode is None, self.said()
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 90)

    def said(self) -> str:
        """All that the desk printed and logged."""
        return (self.data.parent / "up.log").read_text()

    async def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Call the API with the desk's key; its answer must be good."""
        key = (self.data / "key").read_text().strip()
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self.port('API')}", trust_env=False) as client:
            answer = await client.request(method, path, json=body, headers={"Authorization": f"Bearer {key}"})
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    async def first_mail(self) -> dict[str, str]:
        """Wait for a mail in the inbox."""
        async with asyncio.timeout(20):
            while not (mails := await self.mails()):  # noqa: ASYNC110 # another process sets no event here
                await asyncio.sleep(0.1)
        return mails[-1]

    async def mails(self) -> list[dict[str, str]]:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self.port('INBOX')}", trust_env=False) as client:
            found: list[dict[str, str]] = (await client.get("/api/messages")).raise_for_status().json()
            return found

    def _ready(self, pid: int) -> bool:
        state = self.state()
        return bool(state.get("ready") and state["pid"] == pid)
