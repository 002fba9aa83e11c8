"""The whole of control with a real Temporal server: what journeys make of a pause, a resume, a skip and a cancel."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.worker import Worker

from activities.dispatch import Dispatcher
from activities.enrollments import Enrollments
from activities.steering import Steering
from models.batch import Action
from models.clock import SystemClock
from models.control import pass_gate
from models.database import Database
from models.enrollment import Enrollment
from models.pause import Held, Scope
from models.reach import Reach
from models.record import Recorder
from models.waits import Waits
from tabiji import JourneyPlugin, Outcome
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import DOING, SendEmail, SendOutcome
from tests.control.journeys import ALL
from tests.control.scene import Scene
from tests.road.live import until
from tests.road.parts import did
from tests.road.server import TemporalServer

DAY = 2.0
"""Seconds a day of the journeys takes here."""


@dataclass
class Sender:
    """Stands where mail is sent, behind the gate."""

    database: Database
    sent: list[tuple[float, str, str]] = field(default_factory=list[tuple[float, str, str]])

    @activity.defn(name="send_email")
    async def send_email(self, order: SendEmail) -> SendOutcome:
        await pass_gate(self.database, order)
        self.sent.append((time.monotonic(), order.enrollment_id, order.step))
        return SendOutcome(state="sent")


class Desk(Scene):
    """Everything in one process, as it runs."""

    def __init__(self, database: Database, client: Client, dispatcher: Dispatcher, sender: Sender) -> None:
        super().__init__(database, *(one.spec for one in ALL))
        self.client = client
        self.dispatcher = dispatcher
        self.sender = sender
        self.recorder = Recorder(database, self.catalog, self.clock, dispatcher)

    async def begins(self, event: str, people: int = 1) -> list[str]:
        """Begin a journey for so many; a day takes a second."""
        tempo = 86400 / DAY
        batch = [did(event, who=f"{event}{number}", tempo=tempo) for number in range(people)]
        recorded = await self.recorder.record(batch)
        return [one.entered[0] for one in recorded]

    def sent_at(self, enrollment_id: str, step: str) -> list[float]:
        return [at for at, id, sent in self.sender.sent if (id, sent) == (enrollment_id, step)]

    async def is_waiting(self, enrollment_id: str) -> bool:
        """Whether a wait is open in it now."""
        doing: list[str] = await self.client.get_workflow_handle(enrollment_id).query(DOING)
        return any("wait" in words for words in doing)

    async def are_held(self, number: int) -> None:
        async def held() -> bool:
            return len(await self.rows(Held)) == number

        await until(held, f"{number} are held", within=40)

    async def ending(self, enrollment_id: str) -> str:
        async def over() -> bool:
            [row] = await self.rows(Enrollment, id=enrollment_id)
            return bool(row.state != "running")

        await until(over, f"{enrollment_id} ends", within=40)
        [row] = await self.rows(Enrollment, id=enrollment_id)
        return str(row.state)


@asynccontextmanager
async def desk(server: TemporalServer, database: Database, *, resume_rate: float = 100) -> AsyncGenerator[Desk]:
    queue, catalog = str(database.url.database), Catalog(one.spec for one in ALL)
    client = await server.client()
    outbox = Dispatcher(client, database, catalog, task_queue=queue, sweep_every=0.3)
    bookkeeping, sender = Enrollments(Waits(database, catalog, outbox)), Sender(database)
    working = await server.client(JourneyPlugin(journeys=ALL, activities=[*bookkeeping.all, sender.send_email]))
    steering = Steering(database, catalog, SystemClock(), outbox, resume_rate=resume_rate)
    async with Worker(working, task_queue=queue, workflow_failure_exception_types=[Exception]):
        steered = asyncio.create_task(steering.run())
        yield Desk(database, client, outbox, sender)
        steered.cancel()
        await asyncio.gather(steered, return_exceptions=True)
        await outbox.close()


async def test_what_became_due_in_a_pause_is_sent_shifted_or_skipped(
    temporal: TemporalServer, sqlite: Database
) -> None:
    async with desk(temporal, sqlite) as ops:
        [send], [shift], [skip] = [await ops.begins(f"{rule} Begun") for rule in ("Send", "Shift", "Skip")]
        await until(lambda: _so_many(ops, 3), "the first mails are out")
        id, _ = await ops.pauses.pause(Scope.EVERYTHING, "", by="ops", reason=None)
        paused_at = time.monotonic()
        await ops.are_held(3)
        due_after = time.monotonic() - paused_at

        await ops.pauses.resume(id, by="ops")
        resumed_at = time.monotonic()
        endings = [await ops.ending(one) for one in (send, shift, skip)]

        assert endings == ["completed"] * 3
        [sent] = ops.sent_at(send, "second")
        [shifted] = ops.sent_at(shift, "second")
        assert ops.sent_at(skip, "second") == []
        assert sent - resumed_at < shifted - resumed_at
        # It was due at most so long after the pause began, and at least a good part of it.
        assert 0.2 * DAY < shifted - resumed_at < due_after + 3 * DAY


async def test_after_a_resume_nobody_gets_a_flood(temporal: TemporalServer, sqlite: Database) -> None:
    """Thirty people whose mail is overdue get one each, so many a second, and none twice."""
    people, rate = 30, 10
    async with desk(temporal, sqlite, resume_rate=rate) as ops:
        id, _ = await ops.pauses.pause(Scope.JOURNEY, "sends-what-is-overdue", by="ops", reason=None)
        batch = [did("Send Begun", who=f"v{number}") for number in range(people)]
        ids = [one.entered[0] for one in await ops.recorder.record(batch)]
        await ops.are_held(people)
        assert ops.sender.sent == []

        await ops.pauses.resume(id, by="ops")
        await until(lambda: _so_many(ops, people), "everybody has got theirs", within=40)

        times = sorted(at for at, *_ in ops.sender.sent)
        assert {len(ops.sent_at(one, "first")) for one in ids} == {1}
        assert times[-1] - times[0] > (people - 2 * rate) / rate


async def test_a_wait_is_skipped_and_a_journey_cancelled_for_one_and_for_many(
    temporal: TemporalServer, sqlite: Database
) -> None:
    async with desk(temporal, sqlite) as ops:
        enrolled = [
            (await ops.recorder.record([did("Send Begun", who=f"v{number}")]))[0].entered[0] for number in range(4)
        ]
        await until(lambda: _so_many(ops, 4), "the first mails are out")
        skipped, cancelled, *others = enrolled
        await until(lambda: ops.is_waiting(skipped), "a wait is open")
        for action, one in ((Action.SKIP, skipped), (Action.CANCEL, cancelled)):
            told = await ops.batches.at_once(action, one, by="ops", reason=None, properties={})
            ops.dispatcher.offer(told)

        assert await ops.ending(skipped) == "completed", "a day is over in no time"
        assert await ops.ending(cancelled) == "cancelled"
        await ops.batches.order(Action.CANCEL, Reach(everything=True), by="ops", reason=None, rate=100)

        assert [await ops.ending(one) for one in others] == ["cancelled"] * 2
        handle = ops.client.get_workflow_handle(cancelled, result_type=Outcome)
        assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
        assert len(ops.sent_at(skipped, "second")) == 1


async def _so_many(ops: Desk, number: int) -> bool:
    return len(ops.sender.sent) >= number
