"""Journeys without Temporal: the rules of `tabiji.journey.journey` on a real database, as hostile as can be.

What Temporal may do is done here on purpose and by dice: a start comes after the first signal, signals come late,
twice or swapped, a delivery is lost until the sweep finds it, a local activity runs again although it had ended,
and a hung worker runs it once more much later, after the journey has gone on or is over.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from models.database import AnyRow, Database, table
from models.enroll import Pending
from models.enrollment import Dispatch, Enrollment
from models.record import Recorder
from models.waits import Waits
from tabiji.domain.conditions import Condition
from tabiji.domain.journeys import JourneySpec
from tabiji.domain.orders import EXIT_STEP, GOAL_STEP, Ended, Ending, Happened, Heard, Listen, Outcome
from tabiji.domain.patterns import Pattern
from tabiji.journey.waiting import Waiting
from tests.road.parts import Road, waits_for

Key = tuple[str, int]


@dataclass
class Wait(Waiting):
    """An open wait as journeys have it, and somebody who sleeps until it is answered."""

    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def found(self, event: Happened) -> None:
        """See base class."""
        super().found(event)
        if self.event is not None:
            self.woken.set()


@dataclass
class Traveller:
    """One enrollment under way, as the workflow keeps it in its memory."""

    enrollment: AnyRow
    stops: int
    """Answers it wants before it is through."""
    goals: tuple[Condition, ...]
    consumed: list[int] = field(default_factory=list[int])
    answers: int = 0
    waiting: dict[Key, Wait] = field(default_factory=dict[Key, Wait])
    goal: asyncio.Event = field(default_factory=asyncio.Event)
    unanswered: int = 0
    arrived: set[int] = field(default_factory=set[int])
    """Only for the broken variant that recognises copies when they arrive."""


class Travels:
    """All travellers on one road, and the Temporal between them and the database."""

    def __init__(
        self,
        database: Database,
        journey: JourneySpec,
        *others: JourneySpec,
        awaited: Pattern,
        seed: int,
        stops: int,
        timeouts: bool = False,
        drop_on_arrival: bool = False,
        waits: type[Waits] = Waits,
    ) -> None:
        self.road = Road(database, journey, *others)
        self.road.recorder = Recorder(database, self.road.catalog, self.road.clock, self)
        self.waits = waits(database, self.road.catalog, self)
        self.dice = random.Random(seed)  # noqa: S311 # chance of a test, repeatable by its seed
        self.journey, self.awaited, self.stops, self.timeouts = journey, awaited, stops, timeouts
        self.drop_on_arrival = drop_on_arrival
        self.travellers: dict[str, Traveller] = {}
        self.quiet = asyncio.Event()
        self._delivered: set[int] = set()
        self._deliveries: set[asyncio.Task[None]] = set()
        self._others: set[asyncio.Task[Any]] = set()
        # As a worker has them: it begins no more than the database can serve.
        self._slots = asyncio.Semaphore(20)

    # The outbox

    def offer(self, pending: Sequence[Pending]) -> None:
        """Deliver once, twice, late or not at all: then the sweep must."""
        for one in pending:
            for _ in range(self.dice.choice((0, 1, 1, 1, 2))):
                self._in_background(self._deliver(one.id), self._deliveries)

    async def _deliver(self, id: int) -> None:
        for _ in range(self.dice.choice((0, 0, 1, 5, 40))):
            await asyncio.sleep(0.001)
        async with self.road.database.read() as tx:
            row = (await tx.execute(select(table(Dispatch)).where(table(Dispatch).c.id == id))).one()
        traveller = await self._started(row.enrollment_id)
        self._delivered.add(id)
        if traveller is not None and row.kind == "signal":
            self._happened(traveller, Happened.model_validate(row.payload))

    async def _sweep_all_along(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            await self._sweep()

    async def _sweep(self) -> None:
        """Until nothing is left: every row is delivered at least once."""
        while True:
            rows = await self.road.rows(Dispatch)
            left = [row.id for row in rows if row.id not in self._delivered]
            for id in left:
                await self._deliver(id)
            if not left and not self._deliveries:
                return
            await asyncio.sleep(0.005)

    async def has_taken(self, who: UUID, events: int, *, within: float) -> bool:
        """Wait until somebody's journey has taken so many events. False when the time is up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while True:
                    for one in self.travellers.values():
                        if one.enrollment.contact_id == who and len(one.consumed) >= events:
                            return True
                    await asyncio.sleep(0.001)
        return False

    # The workflow

    async def _started(self, enrollment_id: str) -> Traveller | None:
        if enrollment_id not in self.travellers and enrollment_id.startswith(f"{self.journey.name}/"):
            [row] = await self.road.rows(Enrollment, id=enrollment_id)
            if enrollment_id not in self.travellers:
                traveller = self.travellers[enrollment_id] = Traveller(row, self.stops, self.journey.goals)
                self._in_background(self._travel(traveller), self._others)
        return self.travellers.get(enrollment_id)

    def _happened(self, traveller: Traveller, event: Happened) -> None:
        assert event.seq is not None
        traveller.arrived.add(event.seq)
        if event.step in (GOAL_STEP, EXIT_STEP):
            traveller.goal.set()
        elif event.step is not None and (wait := traveller.waiting.get((event.step, event.visit))) is not None:
            wait.offer(event)

    async def _travel(self, traveller: Traveller) -> None:
        done: list[Key] = []
        visit = 0
        while traveller.answers < traveller.stops and not traveller.goal.is_set():
            visit += 1
            # Work between the waits: events may come while nobody listens.
            await asyncio.sleep(self.dice.choice((0, 0, 0.002, 0.01)))
            after_the_fact = self.quiet.is_set()
            answered = await self._wait_for(traveller, visit, tuple(done))
            done = [("wait", visit)]
            # Who has patience and still got nothing was passed by; so was who looked back when all was over.
            if not answered and not traveller.goal.is_set() and (after_the_fact or not self.timeouts):
                traveller.unanswered = traveller.stops - traveller.answers
                break
        await self._end(traveller)

    async def _wait_for(self, traveller: Traveller, visit: int, done: tuple[Key, ...]) -> bool:
        key = ("wait", visit)
        taken = traveller.arrived if self.drop_on_arrival else traveller.consumed
        wait = traveller.waiting[key] = Wait(self.awaited, frozenset(taken))
        try:
            order = self._order(traveller, visit, wait, done)
            # A goal does not wait for the look-back: it may commit after the journey's end.
            listening = self._in_background(self._listen(order), self._others)
            heard = await self._first(listening, traveller.goal)
            if heard is None:
                return False
            if heard.end is not None:
                traveller.goal.set()
                return False
            wait.up_to(heard.seq)
            if heard.event is not None:
                traveller.arrived |= heard.event.seqs
                wait.found(heard.event)
            await self._answer(traveller, wait)
        finally:
            del traveller.waiting[key]
        if wait.event is not None and not traveller.goal.is_set():
            traveller.consumed += sorted(wait.event.seqs)
            traveller.answers += 1
        return wait.event is not None

    async def _answer(self, traveller: Traveller, wait: Wait) -> None:
        patience = self.dice.choice((0.0, 0.002, 0.02)) if self.timeouts and not self.quiet.is_set() else None
        ends = [asyncio.ensure_future(end.wait()) for end in (wait.woken, traveller.goal, self.quiet)]
        try:
            await asyncio.wait(ends, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    async def _first(self, listening: asyncio.Task[Heard], goal: asyncio.Event) -> Heard | None:
        reached = asyncio.ensure_future(goal.wait())
        await asyncio.wait({listening, reached}, return_when=asyncio.FIRST_COMPLETED)
        over = reached.done()
        reached.cancel()
        return None if over else listening.result()

    async def _listen(self, order: Listen) -> Heard:
        """A local activity: once; or again, its first answer lost; and by a hung worker once more, late."""
        if self.dice.random() < 0.3:
            await self._look_back(order)
        heard = await self._look_back(order)
        if self.dice.random() < 0.3:
            self._in_background(self._late(order), self._others)
        return heard

    async def _late(self, order: Listen) -> None:
        await asyncio.sleep(self.dice.choice((0.001, 0.01, 0.05)))
        await self._look_back(order)

    async def _look_back(self, order: Listen) -> Heard:
        async with self._slots:
            return await self.waits.listen(order)

    async def _end(self, traveller: Traveller) -> None:
        over = traveller.goal.is_set()
        order = Ended(
            enrollment_id=traveller.enrollment.id,
            contact_id=str(traveller.enrollment.contact_id),
            step="ended",
            visit=1,
            at=datetime.now(UTC),
            wall=datetime.now(UTC),
            outcome=Outcome(ending=Ending.GOAL if over else Ending.COMPLETED, reason="x"),
            then=traveller.goals[0].then if over and traveller.goals else None,
        )
        for _ in range(self.dice.choice((1, 1, 2))):
            await self.waits.ended(order)

    def _order(self, traveller: Traveller, visit: int, wait: Wait, done: tuple[Key, ...]) -> Listen:
        row = traveller.enrollment
        contact: UUID = row.contact_id
        return waits_for(
            row.id,
            contact,
            self.awaited,
            visit=visit,
            entry_seq=row.entry_seq,
            consumed=tuple(wait.taken),
            done=done,
            goals=traveller.goals,
            exits=self.journey.exits,
        )

    # The whole

    async def run(self, people: Sequence[Coroutine[Any, Any, None]]) -> None:
        """Let people act while their journeys travel; come back when everything has come to rest."""
        sweeping = asyncio.create_task(self._sweep_all_along())
        await asyncio.gather(*people)
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)
        await self._sweep()
        self.quiet.set()
        while self._others or self._deliveries:
            await asyncio.gather(*self._others, *self._deliveries)
            await self._sweep()

    def _in_background(self, work: Coroutine[Any, Any, Any], where: set[asyncio.Task[Any]]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        where.add(task)
        task.add_done_callback(where.discard)
        return task
