"""The whole road with a real Temporal server at its end: entrance, outbox, worker, journeys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import update
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from activities.contacts import Contacts
from activities.dispatch import Dispatcher
from activities.enrollments import Enrollments
from models.clock import SystemClock
from models.database import Database, table
from models.enrollment import Dispatch, Listener
from models.incoming import Incoming
from models.record import Recorder
from models.waits import Waits
from tabiji import JourneyPlugin, Outcome
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import SendEmail, SendOutcome
from tests.road.journeys import ALL
from tests.road.parts import Road, did
from tests.road.server import TemporalServer


@dataclass
class Sender:
    """Stands where mail is sent. `hold` keeps every mail on the wire until it is set."""

    keys: list[str] = field(default_factory=list[str])
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    sending: asyncio.Event = field(default_factory=asyncio.Event)

    @activity.defn(name="send_email")
    async def send_email(self, order: SendEmail) -> SendOutcome:
        self.keys.append(order.key)
        self.sending.set()
        await self.hold.wait()
        return SendOutcome(state="sent")


class Live(Road):
    """Entrance and outbox in one process, as the API and the worker have them."""

    def __init__(self, database: Database, client: Client, dispatcher: Dispatcher, catalog: Catalog) -> None:
        super().__init__(database, *catalog)
        self.client = client
        self.dispatcher = dispatcher
        self.recorder = Recorder(database, catalog, self.clock, dispatcher)
        self.crashing = Recorder(database, catalog, self.clock, self.outbox)
        """Commits, and dies before it delivers."""

    async def begins(self, event: str, **fields: Any) -> WorkflowHandle[Any, Outcome]:
        """Record a trigger, deliver it, return the journey's handle."""
        [recorded] = await self.recorder.record([did(event, **fields)])
        await self.dispatcher.settle()
        return self.handle(recorded.entered[0])

    async def happens(self, *batch: Incoming) -> None:
        """Record and deliver."""
        await self.recorder.record(batch)
        await self.dispatcher.settle()

    def handle(self, enrollment_id: str) -> WorkflowHandle[Any, Outcome]:
        return self.client.get_workflow_handle(enrollment_id, result_type=Outcome)

    async def is_waiting(self, enrollment_id: str, *steps: str) -> None:
        """Come back when the journey listens at one of these steps, or at any but the goal."""

        async def listening() -> bool:
            found = {row.step for row in await self.rows(Listener, enrollment_id=enrollment_id)} - {"goal"}
            return bool(found & set(steps) if steps else found)

        await until(listening, f"{enrollment_id} waits")

    async def sleeps(self, enrollment_id: str) -> None:
        """Come back when its timer runs: what it has said is in its history by then, and is not said again."""

        async def runs() -> bool:
            history = await self.handle(enrollment_id).fetch_history()
            return any(event.event_type == EventType.EVENT_TYPE_TIMER_STARTED for event in history.events)

        await until(runs, f"{enrollment_id} has a timer")

    async def age(self, by: timedelta = timedelta(seconds=60)) -> None:
        """Make what is pending so much older, and its leases too."""
        rows = table(Dispatch)
        async with self.database.write() as tx:
            for id, at in [(row.id, row.recorded_at) for row in await self.rows(Dispatch, state="pending")]:
                await tx.execute(update(rows).where(rows.c.id == id).values(recorded_at=at - by, lease_until=None))


async def until(holds: Callable[[], Awaitable[bool]], what: str, *, within: float = 20) -> None:
    """Wait for a condition of the outside world."""
    try:
        async with asyncio.timeout(within):
            while True:
                if await holds():
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {within} s: {what}") from None


@asynccontextmanager
async def live(
    server: TemporalServer,
    database: Database,
    *,
    sender: Callable[..., Any] | None = None,
    dispatcher: type[Dispatcher] = Dispatcher,
    cached: int = 1000,
    enrollments: type[Enrollments] = Enrollments,
) -> AsyncGenerator[Live]:
    """Put everything together. Each has a task queue of its own, named after its database."""
    queue = str(database.url.database)
    catalog = Catalog(one.spec for one in ALL)
    client = await server.client()
    outbox = dispatcher(client, database, catalog, task_queue=queue, sweep_every=0.3)
    recorder = Recorder(database, catalog, SystemClock(), outbox)
    bookkeeping, contacts = enrollments(Waits(database, catalog, outbox)), Contacts(recorder)
    instead = Sender()
    instead.hold.set()
    plugin = JourneyPlugin(
        journeys=ALL,
        activities=[
            *bookkeeping.all,
            *contacts.all,
            sender or instead.send_email,
        ],
    )
    working = await server.client(plugin)
    async with Worker(
        working,
        task_queue=queue,
        max_cached_workflows=cached,
        max_concurrent_local_activities=10,
        max_concurrent_activities=26,
        workflow_failure_exception_types=[AssertionError],
    ):
        yield Live(database, client, outbox, catalog)
        await outbox.close()
