"""The API knows a journey before any worker does, as in every rolling deploy: whoever enters it waits for a worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from activities.contacts import Contacts
from activities.dispatch import Dispatcher
from activities.enrollments import Enrollments
from models.clock import SystemClock
from models.database import Database
from models.enrollment import Dispatch, Enrollment
from models.record import Recorder
from models.waits import Waits
from tabiji import Journey, JourneyPlugin, Outcome
from tabiji.deploys.versions import at_work, promote
from tabiji.domain.journeys import Catalog
from tests.road.journeys import ALL, Afterwards, Patient
from tests.road.live import Live, Sender, until
from tests.road.parts import did
from tests.road.server import TemporalServer

OLD = [Patient, Afterwards]


@asynccontextmanager
async def at_the_door(server: TemporalServer, database: Database) -> AsyncGenerator[Live]:
    """The API of the new code, and no worker."""
    catalog = Catalog(one.spec for one in ALL)
    client = await server.client()
    outbox = Dispatcher(client, database, catalog, task_queue=str(database.url.database), sweep_every=0.3)
    try:
        yield Live(database, client, outbox, catalog)
    finally:
        await outbox.close()


@asynccontextmanager
async def working(
    server: TemporalServer, road: Live, journeys: Sequence[type[Journey]], build: str
) -> AsyncGenerator[Client]:
    """A worker of one version of the code, to which new people go."""
    queue = str(road.database.url.database)
    sender = Sender()
    sender.hold.set()
    waits = Enrollments(Waits(road.database, road.catalog, road.dispatcher))
    contacts = Contacts(Recorder(road.database, road.catalog, SystemClock(), road.dispatcher))
    plugin = JourneyPlugin(journeys=journeys, activities=[*waits.all, *contacts.all, sender.send_email])
    client = await server.client(plugin)
    deployment = queue.rpartition("/")[2].replace(".", "-")
    async with Worker(client, task_queue=queue, deployment_config=at_work(deployment, build)):
        await promote(client, deployment, build)
        yield client


@pytest.mark.timeout(180)
async def test_a_journey_no_worker_knows_yet_is_begun_by_the_first_that_does(
    temporal: TemporalServer, sqlite: Database
) -> None:
    """Entered with no worker, with an old one, and ended in between: nothing is lost, nobody is begun twice."""
    async with at_the_door(temporal, sqlite) as road:
        ids = [await _begun(road, "without a worker")]
        async with working(temporal, road, OLD, "one"):
            ids.append(await _begun(road, "with an old worker"))
            await road.happens(did("Order Completed", who="with an old worker"))
            assert [row.state for row in await road.rows(Dispatch)] == ["delivered"] * 3
            assert {row.state for row in await road.rows(Enrollment)} == {"running"}
            async with working(temporal, road, ALL, "two"):
                ids.append(await _begun(road, "with a new worker"))
                for who in ("without a worker", "with a new worker"):
                    await road.happens(did("Order Completed", who=who))
                outcomes: list[Outcome] = await asyncio.gather(*(road.handle(id).result() for id in ids))
                await until(lambda: _all_over(road), "all are written down as over")

    assert [outcome.ending for outcome in outcomes] == ["goal"] * 3


async def _begun(road: Live, who: str) -> str:
    [recorded] = await road.recorder.record([did("Greedy Begun", who=who)])
    await road.dispatcher.settle()
    return recorded.entered[0]


async def _all_over(road: Live) -> bool:
    return {row.state for row in await road.rows(Enrollment)} == {"goal"}
