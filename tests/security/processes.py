"""A `tabiji api` of its own process, on a database of its own, with Temporal away."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from models import schema
from models.database import Database
from models.key import Scope
from models.keys import create_key
from tests.crash.processes import Program, api
from tests.journeys.stage import until
from tests.security.serving import free_port

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Served:
    """The process, and clients with keys of the scopes asked for."""

    program: Program
    url: str
    database: Database

    async def client(self, name: str, scope: Scope = "write") -> httpx2.AsyncClient:
        key = await create_key(self.database, name, scope)
        headers = {"Authorization": f"Bearer {key}"}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, trust_env=False, timeout=30)


@asynccontextmanager
async def own_api(folder: Path, url: str, **settings: str) -> AsyncGenerator[Served]:
    await schema.upgrade(url)
    port = free_port()
    env = {
        "TABIJI_DATABASE_URL": url,
        "TABIJI_DATA": str(folder),
        "TABIJI_SECRET": "s" * 32,
        "TABIJI_ENV_FILE": "",
        "TABIJI_API_PORT": str(port),
        "TABIJI_TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
        "TABIJI_LOG_LEVEL": "error",
        **settings,
    }
    program = api(ROOT, folder / "api.log", env)
    base, database = f"http://127.0.0.1:{port}", Database(url, pool=2)
    await program.start()
    try:
        async with httpx2.AsyncClient(base_url=base, trust_env=False) as http:

            async def ready() -> bool:
                assert program.runs, program.said
                try:
                    return (await http.get("/readyz")).status_code == 200
                except httpx2.TransportError:
                    return False

            await until(ready, "the API is ready", within=40)
        yield Served(program, base, database)
    finally:
        await database.close()
        await program.kill()


async def seconds(client: httpx2.AsyncClient, path: str, body: object) -> tuple[int, float]:
    """Send it. Returns the status and how long it took."""
    began = time.perf_counter()
    answer = await client.post(path, json=body)
    return answer.status_code, time.perf_counter() - began
