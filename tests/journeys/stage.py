"""A stage for one contact: a real Temporal server that skips time, a real database, the real road of an event.

Only what leaves the house is replaced here, by activities of the same name; the tests of whole journeys use the
real ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, cast
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import select
from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.contacts import Contacts
from activities.dispatch import Dispatcher
from activities.enrollments import Enrollments
from activities.reads import Reads
from models.contact import ContactTag
from models.database import Database, table
from models.enrollment import Enrollment, Listener
from models.incoming import Incoming
from models.record import Recorded, Recorder
from models.waits import Waits
from tabiji import Journey, JourneyPlugin, Outcome
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import NotifySales, SendEmail, SendOutcome
from tabiji.testing import skipping_time

QUEUE = "stage"


class StageClock:
    """Journey time is what the server's clock was when somebody last looked."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def wall(self) -> datetime:
        return self.at

    def now(self) -> datetime:
        return self.at


@dataclass
class Sender:
    """Stands where mail is sent, and notes what would have gone out."""

    sent: list[str] = field(default_factory=list[str])
    answers: list[SendOutcome | timedelta] = field(default_factory=list[SendOutcome | timedelta])
    """Next ones first; a duration defers by so much from the order's own time."""
    orders: list[SendEmail] = field(default_factory=list[SendEmail])

    @activity.defn(name="send_email")
    async def send_email(self, order: SendEmail) -> SendOutcome:
        self.orders.append(order)
        answer = self.answers.pop(0) if self.answers else SendOutcome(state="sent")
        if isinstance(answer, timedelta):
            answer = SendOutcome(state="deferred", reason="quiet hours", until=order.at + answer)
        if answer:
            self.sent.append(order.template)
        return answer

    @activity.defn(name="notify_sales")
    async def notify_sales(self, order: NotifySales) -> SendOutcome:
        self.sent.append(f"sales: {order.reason}")
        return SendOutcome(state="sent")


@dataclass
class Stage:
    """What a test plays with."""

    temporal: WorkflowEnvironment
    database: Database
    recorder: Recorder
    dispatcher: Dispatcher
    clock: StageClock
    _another_worker: Callable[[], Worker]
    _numbers: Any = field(default_factory=lambda: count(1))
    _worker: Worker | None = None

    async def __aenter__(self) -> Stage:
        self._worker = await self._another_worker().__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._worker is not None:
            await self._worker.__aexit__(None, None, None)

    @asynccontextmanager
    async def nobody_works(self) -> AsyncGenerator[None]:
        """What is sent meanwhile reaches journeys in one moment, read from their histories by another worker."""
        await self.__aexit__()
        yield
        await self.__aenter__()

    async def happens(self, name: str, /, **properties: JsonValue) -> Recorded:
        """The person acts, now by the server's clock; what waits for it has been told when this returns."""
        self.clock.at = await self.temporal.get_current_time()
        recorded = await self.recorder.record(
            [
                Incoming(
                    kind="track",
                    name=name,
                    message_id=f"stage-{next(self._numbers)}",
                    at=self.clock.at,
                    anonymous_id="visitor",
                    properties=properties,
                )
            ]
        )
        await self.dispatcher.settle()
        return recorded[0]

    async def learns(self, **traits: JsonValue) -> None:
        """What is known of the person changes."""
        self.clock.at = await self.temporal.get_current_time()
        number = next(self._numbers)
        await self.recorder.record(
            [
                Incoming(
                    kind="identify",
                    name="Identified",
                    message_id=f"stage-{number}",
                    at=self.clock.at,
                    anonymous_id="visitor",
                    traits=traits,
                )
            ]
        )
        await self.dispatcher.settle()

    async def begins(self, event: str, /, **properties: JsonValue) -> WorkflowHandle[Any, Outcome]:
        """The event that enters the person; returns the journey's handle."""
        recorded = await self.happens(event, **properties)
        return self.handle(recorded.entered[0])

    def handle(self, enrollment_id: str) -> WorkflowHandle[Any, Outcome]:
        return self.temporal.client.get_workflow_handle(enrollment_id, result_type=Outcome)

    async def finish(self, run: WorkflowHandle[Any, Outcome]) -> Outcome:
        """Let time pass until the journey is over."""
        # Only handles of its own start_workflow() let the server skip; this one is from an id.
        async with cast("Any", self.temporal).time_skipping_unlocked():
            return await run.result()

    async def until_it_waits(self, run: WorkflowHandle[Any, Outcome]) -> None:
        """Until nothing is under way in a journey but waits.

        The time-skipping server stumbles over an activity that is finished while it is being cancelled; the real one
        does not, see the tests of crashes.
        """

        async def waits() -> bool:
            doing = await run.query("doing", result_type=list[str])
            return bool(doing) and all(words.startswith("waiting") or "not before" in words for words in doing)

        await until(waits, "the journey waits")

    async def advance(self, span: timedelta) -> None:
        """Time passes; every timer due on the way fires."""
        await self.temporal.sleep(span)

    async def until_waiting_for(self, event: str) -> None:
        listeners = table(Listener)
        query = select(listeners.c.event).where(listeners.c.event == event, listeners.c.step != "goal")
        await until(lambda: self._any(query), f"somebody waits for {event}")

    async def tags(self) -> list[str]:
        async with self.database.read() as tx:
            return list((await tx.execute(select(table(ContactTag).c.tag))).scalars())

    async def enrollments(self) -> dict[str, str]:
        """Journey and state of every enrollment."""
        rows = table(Enrollment)
        async with self.database.read() as tx:
            found = (await tx.execute(select(rows.c.journey, rows.c.state))).all()
        return {row.journey: row.state for row in found}

    async def contact(self) -> UUID:
        rows = table(Enrollment)
        async with self.database.read() as tx:
            found: UUID = (await tx.execute(select(rows.c.contact_id).limit(1))).scalar_one()
        return found

    async def _any(self, query: Any) -> bool:
        async with self.database.read() as tx:
            return (await tx.execute(query)).first() is not None


async def until(
    holds: Callable[[], bool] | Callable[[], Coroutine[Any, Any, bool]], what: str, *, within: float = 20
) -> None:
    """Wait for a condition of the outside world."""
    try:
        async with asyncio.timeout(within):
            while True:
                answer = holds()
                if answer if isinstance(answer, bool) else await answer:
                    return
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {within} s: {what}") from None


@asynccontextmanager
async def stage(
    database: Database,
    journeys: Sequence[type[Journey]],
    activities: Callable[[Dispatcher, Catalog], Sequence[Callable[..., Any]]] | None = None,
    *,
    sender: Sender | None = None,
    forgetful: bool = False,
) -> AsyncGenerator[Stage]:
    """Everything put together.

    Args:
        database: Where.
        journeys: That are played.
        activities: Replaces the sender by the real thing.
        sender: Stands where mail is sent.
        forgetful: Every task of a journey is read from its history anew.
    """
    catalog = Catalog(one.spec for one in journeys)
    outside = sender or Sender()
    clock = StageClock()
    made: list[Callable[..., Any]] = []
    # The plugin is read when the worker starts, the dispatcher needs the client before that.
    plugin = JourneyPlugin(journeys=journeys, activities=made)
    async with skipping_time(plugin) as temporal:
        dispatcher = Dispatcher(temporal.client, database, catalog, task_queue=QUEUE)
        if activities is not None:
            made += activities(dispatcher, catalog)
        else:
            bookkeeping = Enrollments(Waits(database, catalog, dispatcher))
            contacts = Contacts(Recorder(database, catalog, clock, dispatcher))
            made += [outside.send_email, outside.notify_sales, *contacts.all, *Reads(database).all]
            made += bookkeeping.all

        def worker() -> Worker:
            return Worker(
                temporal.client,
                task_queue=QUEUE,
                activities=made,
                max_cached_workflows=0 if forgetful else 1000,
                workflow_failure_exception_types=[Exception],
            )

        recorder = Recorder(database, catalog, clock, dispatcher)
        async with Stage(temporal, database, recorder, dispatcher, clock, worker) as play:
            yield play
            await dispatcher.close()
