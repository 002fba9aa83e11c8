"""What does not move is found in a real Temporal server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.worker import Worker

from models.database import Database, table
from models.enrollment import Dispatch
from tabiji import JourneyPlugin
from tabiji.deploys.versions import at_work, promote
from tabiji.temporal import JOURNEY
from tabiji.testing import dev_server
from tests.api.conftest import Door, opened, settings_for
from tests.api.stuck_samples import Broken, Failing, Sleeping, hopeless

QUEUE = "stuck-queue"


@pytest.fixture
def database(sqlite: Database) -> Database:
    return sqlite


@asynccontextmanager
async def door_to(client: Client, database: Database, folder: Path) -> AsyncGenerator[Door]:
    settings = settings_for(database, folder).model_copy(
        update={"temporal_address": client.service_client.config.target_host, "task_queue": QUEUE}
    )
    async with opened(database, settings) as door:
        yield door


async def until(door: Door, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            found: dict[str, Any] = (await door.full.get("/v1/stuck")).json()
            if holds(found):
                return found
            await asyncio.sleep(0.2)


async def start(client: Client, kind: Any, id: str) -> None:
    attributes = TypedSearchAttributes([SearchAttributePair(JOURNEY, "sample")])
    await client.start_workflow(kind.run, id=id, task_queue=QUEUE, search_attributes=attributes)


async def test_what_does_not_move_is_named_and_what_only_waits_is_not(database: Database, tmp_path: Path) -> None:
    async with dev_server(JourneyPlugin()) as temporal, door_to(temporal.client, database, tmp_path) as door:
        idle = (await door.full.get("/v1/stuck")).json()
        assert [queue["kind"] for queue in idle["temporal"]["queues"]] == ["workflow", "activity"]
        assert idle["ok"] is False

        worker = Worker(temporal.client, task_queue=QUEUE, workflows=[Broken, Failing, Sleeping], activities=[hopeless])
        async with worker:
            for kind in (Broken, Failing, Sleeping):
                await start(temporal.client, kind, f"{kind.__name__}/1")
            found = await until(
                door, lambda found: bool(found["temporal"]["workflow_tasks"] and found["temporal"]["activities"])
            )

        assert [task["enrollment_id"] for task in found["temporal"]["workflow_tasks"]] == ["Broken/1"]
        assert found["temporal"]["workflow_tasks"][0]["problem"] == "failing"
        (failing,) = found["temporal"]["activities"]
        assert (failing["enrollment_id"], failing["activity"]) == ("Failing/1", "hopeless")
        assert failing["last_failure"] == "template"
        assert "somebody@" not in str(found)
        assert (found["temporal"]["timers"], found["temporal"]["queues"]) == ([], [])
        assert (found["temporal"]["running"], found["temporal"]["sampled"]) == (3, 3)
        assert found["ok"] is False


async def test_people_for_whose_version_nobody_works_are_named(database: Database, tmp_path: Path) -> None:
    """A worker has come and no version was promoted: whoever begins waits, and nothing says so but this."""
    async with dev_server(JourneyPlugin()) as temporal, door_to(temporal.client, database, tmp_path) as door:
        versioned = at_work("tabiji", "first")
        async with Worker(temporal.client, task_queue=QUEUE, workflows=[Sleeping], deployment_config=versioned):
            await start(temporal.client, Sleeping, "Sleeping/1")
            found = await until(door, lambda found: any(one["people"] for one in found["temporal"]["versions"]))
            [named] = found["temporal"]["versions"]
            assert named["people"] == 1
            assert "tabiji versions --promote" in named["problem"]
            assert found["ok"] is False
            await promote(temporal.client, "tabiji", "first")
            await until(door, lambda found: not found["temporal"]["versions"])


async def test_dispatches_that_are_late_or_dead_are_listed(database: Database, tmp_path: Path) -> None:
    async with opened(database, settings_for(database, tmp_path)) as door:
        for user in ("late", "dead", "fresh"):
            body = {"userId": user, "event": "Form Submitted", "properties": {"form": "whitepaper"}}
            await door.ingest.post("/v1/track", json=body)
        rows = table(Dispatch)
        first, second, _ = sorted(row.id for row in await door.all(Dispatch))
        async with database.write() as tx:
            long_ago = await database.now(tx) - timedelta(minutes=1)
            await tx.execute(update(rows).where(rows.c.id == first).values(recorded_at=long_ago))
            await tx.execute(update(rows).where(rows.c.id == second).values(state="dead", error="INVALID_ARGUMENT"))

        found = (await door.full.get("/v1/stuck")).json()

    assert [(one["id"], one["state"], one["error"]) for one in found["dispatches"]] == [
        (first, "pending", None),
        (second, "dead", "INVALID_ARGUMENT"),
    ]
