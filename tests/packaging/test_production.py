"""What the containers run, run without containers: their commands, settings and health checks, on PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from models.database import Database
from models.keys import create_key
from models.schema import MIGRATIONS
from tabiji import JourneyPlugin
from tabiji.scaffold import create
from tabiji.testing import binary, dev_server
from tests.databases import PostgresServer
from tests.mail.relays import relay
from tests.packaging.composed import ROOT, composed

Running = asyncio.subprocess.Process


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(true: Callable[[], bool], running: list[Running]) -> None:
    async with asyncio.timeout(40):
        while not true():
            assert all(process.returncode is None for process in running)
            await asyncio.sleep(0.05)


async def healthy(service: dict[str, Any], ports: dict[str, int], running: Running) -> None:
    """Run the container's own health check until it is content."""
    _, *command = service["healthcheck"]["test"]
    for published, port in ports.items():
        command = [part.replace(published, str(port)) for part in command]
    async with asyncio.timeout(40):
        while True:
            check = await asyncio.create_subprocess_exec(
                sys.executable, *command[1:], stderr=asyncio.subprocess.DEVNULL
            )
            if await check.wait() == 0:
                return
            assert running.returncode is None


@asynccontextmanager
async def started(service: dict[str, Any], project: Path, **changed: object) -> AsyncGenerator[Running]:
    """A service's command in a project's folder, with the service's settings but for the addresses."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tabiji.cli", *service["command"]),
        cwd=project,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            **service["environment"],
            **{f"TABIJI_{name.upper()}": str(value) for name, value in changed.items()},
        },
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def made_namespace(address: str, namespace: str) -> None:
    path = f"{Path(binary('temporal')).parent}:{os.environ['PATH']}"
    script = await asyncio.create_subprocess_exec(
        *("sh", ROOT / "deploy" / "temporal" / "namespace.sh"),
        env={**os.environ, "PATH": path, "TEMPORAL_ADDRESS": address, "TEMPORAL_NAMESPACE": namespace},
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await script.wait() == 0


async def ops_key(url: str) -> str:
    database = Database(url, pool=1)
    try:
        return await create_key(database, "ops", "admin")
    finally:
        await database.close()


@pytest.mark.slow
async def test_migrate_api_and_worker_of_the_compose_file_carry_a_form_to_a_mail(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """In the namespace its script makes, on PostgreSQL, with production's settings; and nothing is written to disk."""
    services, project, name = composed(), tmp_path / "shop", f"production_{uuid.uuid4().hex}"
    create(project)
    assert (project / MIGRATIONS.name).is_dir()
    before = set(project.rglob("*"))
    api_port, metrics_port = free_port(), free_port()
    await postgres.run(f"CREATE DATABASE {name}")
    try:
        async with dev_server(JourneyPlugin()) as temporal, relay() as taking:
            address = temporal.client.service_client.config.target_host
            await made_namespace(address, services["worker"]["environment"]["TABIJI_TEMPORAL_NAMESPACE"])
            addresses: dict[str, object] = {
                "database_url": postgres.url(name),
                "temporal_address": address,
                "smtp_host": "127.0.0.1",
                "smtp_port": taking.port,
                "api_host": "127.0.0.1",
                "api_port": api_port,
                "form_fill_time": "PT0S",
            }
            async with started(services["migrate"], project, **addresses) as migrating:
                assert await migrating.wait() == 0
            async with (
                started(services["api"], project, **addresses) as api,
                started(services["worker"], project, **addresses, metrics_port=metrics_port) as worker,
            ):
                await healthy(services["api"], {"8000": api_port}, api)
                await healthy(services["worker"], {"9090": metrics_port}, worker)
                async with started(services["promote"], project, **addresses) as promoting:
                    assert await promoting.wait() == 0
                key = {"Authorization": f"Bearer {await ops_key(postgres.url(name))}"}
                async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{api_port}") as http:
                    state = "/v1/journeys/whitepaper-nurture/state"
                    assert (await http.get(state, headers=key)).json()["state"] == "draft", "deploying mails nobody"
                    (await http.put(state, headers=key, json={"state": "live"})).raise_for_status()
                    sent = await http.post("/f/whitepaper", data={"email": "hanako@example.com", "consent": "yes"})
                assert sent.status_code == 303
                await until(lambda: bool(taking.mails), [api, worker])
                assert taking.mails[0]["From"] == "Example <hello@example.com>"
                assert "Example Inc., 1 Example Street" in taking.mails[0].as_string()
                assert "https://go.example.com/" in taking.mails[0].as_string()
                for process in (api, worker):
                    process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(worker.wait(), 20) == 0
                # uvicorn finishes what it began and then dies of the signal it was sent, as a shell expects.
                assert await asyncio.wait_for(api.wait(), 20) in {0, -signal.SIGTERM}
        assert set(project.rglob("*")) == before
    finally:
        await postgres.run(f"DROP DATABASE {name} WITH (FORCE)")
