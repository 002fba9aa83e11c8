"""One test's time on the server: events are told, time passes, and nothing is left under way when a call returns.

The test server has one clock for everybody and stumbles over an activity that completes while it is being cancelled.
So everything here happens one thing at a time: the next event is told, and the clock is moved to the next timer, only
when every journey is at rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel
from temporalio.client import WorkflowHandle, WorkflowHistory
from temporalio.common import RawValue
from temporalio.service import RPCError, RPCStatusCode

from tabiji.domain.durations import in_words
from tabiji.domain.orders import SIGNAL, Control, Ended, EnrollmentInput, Enter, Outcome, SendEmail, StepOrder
from tabiji.errors import TabijiError
from tabiji.testing import watching
from tabiji.testing.casting import Cast
from tabiji.testing.histories import Standing, standing
from tabiji.testing.memory.house import House
from tabiji.testing.memory.recording import Deed, Noted
from tabiji.testing.memory.state import Pending
from tabiji.testing.mistakes import Mistake, place_of, written
from tabiji.testing.own import OwnActivities
from tabiji.testing.server import Server
from tabiji.testing.templates import Templates

__tracebackhide__ = True

PATIENCE = 30.0
"""Seconds a journey may work without coming to a wait or to its end."""
MOST_ORDERS = 100
"""Orders without time passing; a journey that gives more goes round in circles."""
MOST_TURNS = 5_000
"""Timers until a journey counts as one without an end."""
LONGEST_RUN = timedelta(days=9 * 365)
"""The test server ends every run after ten years: what lasts longer goes on in a new one, as in production."""
EXACT = timedelta(seconds=20)
"""The server's clock goes on while the machine works: what is due so soon after a moment is due at it."""


class HouseClock:
    """Journey time begins where the test wants it, whatever the server's clock says, and runs as that does."""

    def __init__(self, begins: datetime, wall: datetime) -> None:
        self.begins = begins
        self.began_wall = wall
        self.at_wall = wall

    def wall(self) -> datetime:
        """See `Clock`."""
        return self.at_wall

    def now(self) -> datetime:
        """See `Clock`."""
        return self.begins + (self.at_wall - self.began_wall)


class Rehearsal:
    """Everything here runs in the server's own loop."""

    def __init__(self, server: Server, house: House, clock: HouseClock, templates: Templates) -> None:
        self._server = server
        self._number = server.number()
        self._handles: dict[str, WorkflowHandle[Any, Any]] = {}
        self._standings: dict[str, Standing] = {}
        self._orders = 0
        self._templates = templates
        self.house = house
        self.clock = clock
        self.cast = Cast()
        self.own_activities = OwnActivities()
        self.watch = watching.begin()
        self.outcomes: dict[str, Outcome] = {}

    # What a test does

    async def record(self, batch: Sequence[Deed]) -> list[Noted]:
        """People act, and whoever waits for it is told."""
        noted = self.house.recording.record(batch)
        await self.settle()
        return noted

    async def advance(self, span: timedelta) -> None:
        """Time passes; everything due on the way happens in its turn."""
        await self.settle()
        target = self.clock.at_wall + span
        for _ in range(MOST_TURNS):
            due = self._next_timer()
            if due is None or due > target + EXACT:
                break
            await self._reach(due)
        await self._reach(target)

    async def until_over(self, enrollment: str) -> Outcome:
        """Time passes until a journey is over."""
        for _ in range(MOST_TURNS):
            await self.settle()
            if self._standings[enrollment].over:
                if enrollment not in self.outcomes:
                    raise Mistake(f"{enrollment} was ended by the test server: no wait can last ten years there.")
                return self.outcomes[enrollment]
            due = self._next_timer()
            if due is None:
                raise self._nothing_left(enrollment)
            await self._reach(due)
        raise Mistake(
            f"{enrollment} has not ended after {MOST_TURNS} waits, {in_words(self.clock.now() - self.clock.begins)} "
            "from its beginning. Advance by the time you mean, instead of asking for the result."
        )

    def is_over(self, enrollment: str) -> bool:
        """Whether a journey has ended."""
        return enrollment in self._standings and self._standings[enrollment].over

    async def cancel(self, enrollment: str) -> None:
        """End a journey from outside."""
        await self._handles[enrollment].cancel()
        await self.settle()

    async def history(self, enrollment: str) -> WorkflowHistory:
        """What Temporal has written down of a journey."""
        return await self._handles[enrollment].fetch_history()

    async def close(self) -> None:
        """Leave nothing behind for the next test, and raise what no call has raised."""
        for enrollment, handle in self._handles.items():
            if not self.is_over(enrollment):
                # The server's clock stands still for good when a workflow goes while it works.
                self._server.spoilt = self._server.spoilt or (await self._look(enrollment)).busy
                await _unless_over(handle.terminate("the test is over"))
        if not self._server.spoilt:
            self._show_mistakes()

    # What journeys ask for

    async def carry_out(self, order: StepOrder) -> BaseModel:
        """See `Carrier`."""
        id = self.workflow_id(order.enrollment_id)
        self._orders += 1
        if self._orders > MOST_ORDERS and not isinstance(order, Ended):
            raise self.watch.notebook.say(
                id,
                f"{order.enrollment_id} goes round in circles: {MOST_ORDERS} orders without a wait, the last at step "
                f"{order.step!r}. Let time pass in the loop, or bound it.",
            )
        try:
            if isinstance(order, Ended):
                self.outcomes[order.enrollment_id] = order.outcome
                self._load(order.then)
            elif isinstance(order, Enter):
                self._load(order.journey)
            elif isinstance(order, SendEmail) and (problem := self._templates.problem(order.template)) is not None:
                raise Mistake(problem)
            return self.house.carry_out(order)
        except TabijiError as error:
            if isinstance(error, Mistake):
                raise self.watch.notebook.say(id, str(error)) from None
            raise
        except Exception as error:
            raise self.watch.notebook.say(id, f"the house in memory failed at {order!r}: {error!r}") from error

    async def own(self, name: str, arguments: Sequence[RawValue]) -> Any:
        """See `Carrier`."""
        return await self.own_activities.call(name, arguments, self.watch.notebook)

    # How it comes to rest

    async def settle(self) -> None:
        """Tell what is to be told, one after the other, until every journey waits or is over."""
        self._orders = 0
        while True:
            await self._rest()
            self.clock.at_wall = await self._server.temporal.get_current_time()
            self._show_mistakes()
            if not self.house.state.outbox:
                return
            await self._deliver(self.house.state.outbox.popleft())

    async def _rest(self) -> None:
        pause, until = 0.001, asyncio.get_running_loop().time() + PATIENCE
        todo = [enrollment for enrollment in self._handles if not self.is_over(enrollment)]
        while todo:
            todo = [enrollment for enrollment in todo if (await self._look(enrollment)).busy]
            if not todo:
                return
            if asyncio.get_running_loop().time() > until:
                raise Mistake(f"{', '.join(todo)}: still at work after {PATIENCE:.0f} seconds.")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.02)

    async def _look(self, enrollment: str) -> Standing:
        history = await self._handles[enrollment].fetch_history()
        found = self._standings[enrollment] = standing(history.events)
        if found.broken is not None and (mistake := _broken(found.broken)) is not None:
            self._server.spoilt = True
            raise mistake
        return found

    async def _deliver(self, pending: Pending) -> None:
        match pending.kind:
            case "start":
                await self._start(pending.enrollment)
            case "signal":
                await _unless_over(self._handles[pending.enrollment].signal(SIGNAL, pending.happened))
            case "cancel":
                await _unless_over(self._handles[pending.enrollment].cancel())

    async def _start(self, enrollment: str) -> None:
        entered = self.house.state.enrollments[enrollment]
        start = EnrollmentInput(
            enrollment_id=entered.id,
            contact_id=entered.contact,
            journey=entered.journey,
            entered_at=entered.entered_at,
            entered_wall=entered.entered_wall,
            entry_seq=entered.entry_seq,
            trigger=entered.trigger,
        )
        queue = await self._server.queue_of(self.cast[entered.journey])
        client = self._server.temporal.client
        id = self.workflow_id(enrollment)
        await client.start_workflow(entered.journey, start, id=id, task_queue=queue)
        self._handles[enrollment] = client.get_workflow_handle(id)

    async def _reach(self, moment: datetime) -> None:
        """Move the clock to a moment and see what comes of it."""
        await self._renew_old_runs(moment)
        left = moment - await self._server.temporal.get_current_time()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._server.temporal.sleep(max(left, timedelta(0)) + timedelta(milliseconds=1))
        except TimeoutError:
            self._server.spoilt = True
            raise Mistake("the test server's clock stands still. The next test is given a new server.") from None
        await self.settle()

    @property
    def next_timer(self) -> datetime | None:
        """When, in journey time, the next timer of anybody is due."""
        due = self._next_timer()
        return self.clock.begins + (due - self.clock.began_wall) if due is not None else None

    async def _renew_old_runs(self, moment: datetime) -> None:
        for enrollment, found in list(self._standings.items()):
            if not found.over and moment - found.begun > LONGEST_RUN:
                self.house.control(enrollment, Control.MOVE)
                await self.settle()

    def _next_timer(self) -> datetime | None:
        now = self.clock.at_wall
        found = (one.due(now) for one in self._standings.values() if not one.over)
        return min((due for due in found if due is not None), default=None)

    def _load(self, journey: str | None) -> None:
        if journey is not None:
            self.house.recording.catalog = self.cast.add_by_name(journey)

    # What goes wrong

    def workflow_id(self, enrollment: str) -> str:
        """The enrollment's own, and not shared with any other test."""
        return f"{self._number}/{enrollment}"

    def _show_mistakes(self) -> None:
        noted = self.watch.notebook.noted
        for id in list(noted):
            error = noted.pop(id).error()
            passed = timedelta(minutes=(self.clock.now() - self.clock.begins) // timedelta(minutes=1))
            error.add_note(
                f"in {id.partition('/')[2]}, {in_words(passed) if passed else 'no time'} after the beginning"
            )
            raise error

    def _nothing_left(self, enrollment: str) -> Mistake:
        id = self.workflow_id(enrollment)
        doing = " and ".join(self.watch.doing(id)) or "waiting"
        at = self.watch.standing(id)
        return Mistake(
            f"{place_of(at)}: {enrollment} is {doing}, and nothing is left to happen. "
            "Let the test do what it waits for, or give the wait a timeout."
        ).with_traceback(at)


def _broken(words: str) -> Mistake | None:
    """What a failed workflow task says; None where the machine was just too slow for it, and it is tried again."""
    if "TMPRL1101" not in words:
        return Mistake(words.partition("\n")[0]).with_traceback(written(words))
    at = written(words, innermost_first=True)
    if at is None:
        return None
    return Mistake(f"{place_of(at)}: this loop never comes to an await, and stops everything.").with_traceback(at)


async def _unless_over(work: Any) -> None:
    """A workflow that has ended takes no more signals."""
    try:
        await work
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
