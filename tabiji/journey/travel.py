"""One run of a journey: what it keeps in workflow memory, how it waits, acts, and comes to its end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

from tabiji.domain.conditions import Condition
from tabiji.domain.durations import in_words
from tabiji.domain.journeys import JourneySpec
from tabiji.domain.orders import (
    GOAL_STEP,
    Done,
    Ended,
    Ending,
    EnrollmentInput,
    Happened,
    Heard,
    Listen,
    Outcome,
    Passed,
    StepOrder,
)
from tabiji.journey.steps import step_at_caller
from tabiji.journey.story import story

R = TypeVar("R", bound=BaseModel)

EFFECT_TIMEOUT = timedelta(seconds=60)
EFFECT_HEARTBEAT = timedelta(seconds=10)
"""After so long without a sign of life a worker counts as dead, and what it had in hand is given to another."""
EFFECT_RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5))

# A database that is away must not fill every waiting history: three short tries, then an ordinary activity
# that waits with unlimited patience.
LOCAL_ATTEMPT = timedelta(seconds=2)
LOCAL_IN_ALL = timedelta(seconds=6)
LOCAL_RETRIES = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=3)
PATIENT_ATTEMPT = timedelta(seconds=10)
PATIENT_RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))


class JourneyOver(asyncio.CancelledError):
    """The journey has ended while its steps were under way. No `except Exception` can catch it."""


@dataclass(frozen=True)
class Place:
    """One visit of one step."""

    step: str
    visit: int


@dataclass
class Waiting:
    """A wait that is open now, and the earliest event that answers it.

    `taken` is what earlier waits had taken when this one was opened. What a wait beside this one takes answers
    both: which of the two is told first is chance.
    """

    condition: Condition
    taken: frozenset[int]
    event: Happened | None = None

    def offer(self, event: Happened) -> None:
        """Take an event that matches, unless a better one is there."""
        if event.seq is not None and event.seq in self.taken:
            return
        if self.event is None or _rank(event) < _rank(self.event):
            self.event = event


@dataclass(frozen=True)
class Over:
    """How and why a run has ended."""

    ending: Ending
    reason: str
    goal: Condition | None = None
    goal_seq: int | None = None


class Travel:
    """What one run of one journey does, below the verbs authors call."""

    enrollment: EnrollmentInput

    def __init__(self, spec: JourneySpec) -> None:
        self._spec = spec
        self._over: Over | None = None
        self._steps: asyncio.Task[None] | None = None
        self._waiting: dict[Place, Waiting] = {}
        self._done: list[Place] = []
        self._consumed: set[int] = set()
        self._visits: Counter[str] = Counter()
        self._path: list[Passed] = []
        self._doing: dict[Place, str] = {}

    def now(self) -> datetime:
        """Journey time."""
        at = self.enrollment
        passed = max(workflow.now() - at.entered_wall, timedelta(0))
        return at.entered_at + passed * at.tempo

    @property
    def goings_on(self) -> list[str]:
        """What goes on at this moment, in words; several where branches run side by side."""
        return list(self._doing.values())

    # Events come in

    def happened(self, event: Happened) -> None:
        """Take an event the outbox or a person at the Temporal UI sends.

        A copy of one that an earlier wait has taken, and one nobody waits for now, is forgotten: the next look-back
        finds what still counts. A goal is a goal even when a wait has taken the same event.
        """
        if event.step == GOAL_STEP:
            self._reach_goal(event, self._spec.goals[event.visit] if event.visit < len(self._spec.goals) else None)
        elif event.step is not None:
            wait = self._waiting.get(Place(event.step, event.visit))
            if wait is not None:
                wait.offer(event)
        else:
            self._happened_by_hand(event)

    def _happened_by_hand(self, event: Happened) -> None:
        for goal in self._spec.goals:
            if goal.matches(event.event, event.properties):
                self._reach_goal(event, goal)
                return
        for wait in self._waiting.values():
            if wait.condition.matches(event.event, event.properties):
                wait.offer(event)

    def _reach_goal(self, event: Happened, goal: Condition | None) -> None:
        self._end(Over(Ending.GOAL, event.event, goal=goal, goal_seq=event.seq))

    def _end(self, over: Over) -> None:
        if self._over is None:
            self._over = over
            if self._steps is not None:
                self._steps.cancel()

    # The way through

    async def run(self, enrollment: EnrollmentInput, steps: Coroutine[Any, Any, None]) -> Outcome:
        """Run the steps to their end, whichever way it comes, and write it down."""
        self.enrollment = enrollment
        failure: FailureError | None = None
        cancelled = False
        # One task of its own: a goal cancels it and everything it started.
        self._steps = asyncio.create_task(steps)
        if self._over is not None:
            self._steps.cancel()
        self._tell()
        try:
            await self._steps
        except asyncio.CancelledError:
            cancelled = self._over is None
        except FailureError as error:
            if self._over is None:
                failure = error
        over = self._over or _over(cancelled, failure)
        outcome = Outcome(ending=over.ending, reason=over.reason, path=tuple(self._path))
        await self._report(over, outcome)
        if cancelled:
            raise asyncio.CancelledError
        if failure is not None:
            raise failure
        return outcome

    async def _report(self, over: Over, outcome: Outcome) -> None:
        workflow.set_current_details(story(self._spec.title, (), self._path, f"{over.ending.value}, {over.reason}"))
        order = Ended(
            **self.order(Place("ended", 1)),
            outcome=outcome,
            then=over.goal.then if over.goal is not None else None,
            goal_seq=over.goal_seq,
            wall=workflow.now(),
        )
        reporting = asyncio.create_task(self._bookkeep(order, Done, f"Ended: {over.ending.value}, {over.reason}"))
        while not reporting.done():
            # Who cancels now is too late: without this the enrollment would stand as running for ever.
            with suppress(asyncio.CancelledError):
                await asyncio.shield(reporting)
        try:
            reporting.result()
        except FailureError as error:
            if not _erased(error):
                raise

    # What verbs are made of

    def place(self, verb: str, step: str | None) -> Place:
        """Name the step a verb was called at, and count the visit. Called by the verb itself, see the depth."""
        step = step or step_at_caller(3, verb)
        self._visits[step] += 1
        return Place(step, self._visits[step])

    def order(self, place: Place) -> dict[str, Any]:
        """The fields every order has."""
        at = self.enrollment
        return {
            "enrollment_id": at.enrollment_id,
            "contact_id": at.contact_id,
            "step": place.step,
            "visit": place.visit,
            "at": self.now(),
            "tempo": at.tempo,
            "test": at.test,
        }

    @contextmanager
    def doing(self, place: Place, what: str) -> Generator[None]:
        """Say in the story what goes on during the block. Refused when the journey is over."""
        self._check()
        self._doing[place] = what
        self._tell()
        try:
            yield
        finally:
            self._doing.pop(place, None)

    def passed(self, place: Place, result: str) -> None:
        """Put a step that is behind the person into the path."""
        self._path.append(Passed(step=place.step, visit=place.visit, result=result, at=self.now()))
        self._tell()
        self._check()

    async def effect(self, order: StepOrder, answer: type[R], summary: str) -> R:
        """Do something a person would want to see. Finishes what it began even when the journey ends meanwhile."""
        self._check()
        try:
            done: R = await workflow.execute_activity(
                order.activity,
                order,
                result_type=answer,
                start_to_close_timeout=EFFECT_TIMEOUT,
                heartbeat_timeout=EFFECT_HEARTBEAT,
                retry_policy=EFFECT_RETRIES,
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                summary=summary,
            )
        except ActivityError as error:
            self._check()
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from None
            self._leave_if_erased(error)
            raise
        return done

    async def sleep_until(self, deadline: datetime, summary: str) -> None:
        """Wait on a timer until a moment of journey time."""
        left = (deadline - self.now()) / self.enrollment.tempo
        if left > timedelta(0):
            await workflow.sleep(left, summary=summary)

    async def first(self, place: Place, condition: Condition, patience: timedelta) -> Happened | None:
        """The earliest event since entry that answers and that no earlier wait has taken; None when time is up."""
        deadline = self.now() + patience
        # Open before the look-back, so that a signal that overtakes its answer is not lost.
        waiting = self._waiting[place] = Waiting(condition, frozenset(self._consumed))
        try:
            await self._listen(place, waiting)
            left = (deadline - self.now()) / self.enrollment.tempo
            if waiting.event is None and left > timedelta(0):
                # An event that comes in the same moment as the timer has been offered by then, and wins.
                with suppress(TimeoutError):
                    await workflow.wait_condition(
                        lambda: waiting.event is not None,
                        timeout=left,
                        timeout_summary=f"{condition}, or {in_words(patience)}",
                    )
        finally:
            del self._waiting[place]
            self._done.append(place)
        if waiting.event is not None and waiting.event.seq is not None:
            self._consumed.add(waiting.event.seq)
        return waiting.event

    async def _listen(self, place: Place, waiting: Waiting) -> None:
        finished = tuple(self._done)
        order = Listen(
            **self.order(place),
            condition=waiting.condition,
            consumed=tuple(sorted(waiting.taken)),
            done=tuple((one.step, one.visit) for one in finished),
            goals=self._spec.goals,
            entry_seq=self.enrollment.entry_seq,
            wall=workflow.now(),
        )
        try:
            heard = await self._bookkeep(order, Heard, f"Listen for {waiting.condition}")
        except FailureError as error:
            self._check()
            self._leave_if_erased(error)
            raise
        self._done = [one for one in self._done if one not in finished]
        if heard.end is not None:
            self._reach_goal(heard.end, self._spec.goals[heard.end.visit])
            raise JourneyOver
        if heard.event is not None:
            waiting.offer(heard.event)

    async def _bookkeep(self, order: StepOrder, answer: type[R], summary: str) -> R:
        """Write down or look up: one local activity, and an ordinary, patient one while the database is away."""
        try:
            quick: R = await workflow.execute_local_activity(
                order.activity,
                order,
                result_type=answer,
                start_to_close_timeout=LOCAL_ATTEMPT,
                schedule_to_close_timeout=LOCAL_IN_ALL,
                retry_policy=LOCAL_RETRIES,
                summary=summary,
            )
            return quick
        except FailureError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from None
            cause = _cause(error)
            if isinstance(cause, ApplicationError) and cause.non_retryable:
                raise
        patient: R = await workflow.execute_activity(
            order.activity,
            order,
            result_type=answer,
            start_to_close_timeout=PATIENT_ATTEMPT,
            retry_policy=PATIENT_RETRIES,
            summary=summary,
        )
        return patient

    def _check(self) -> None:
        if self._over is not None:
            raise JourneyOver
        # An effect that was finished all the same has swallowed the cancellation. It still counts.
        if workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError

    def _leave_if_erased(self, error: FailureError) -> None:
        if _erased(error):
            self._end(Over(Ending.EXITED, "the contact was erased"))
            raise JourneyOver from None

    def _tell(self) -> None:
        workflow.set_current_details(story(self._spec.title, self._doing.values(), self._path))


def _rank(event: Happened) -> float:
    """Place in the database's order; what was sent by hand comes last."""
    return float("inf") if event.seq is None else event.seq


def _over(cancelled: bool, failure: FailureError | None) -> Over:
    if cancelled:
        return Over(Ending.CANCELLED, "cancelled by hand")
    if failure is not None:
        cause = _cause(failure)
        kind = cause.type if isinstance(cause, ApplicationError) and cause.type else type(cause).__name__
        return Over(Ending.FAILED, kind)
    return Over(Ending.COMPLETED, "went all the way")


def _cause(error: FailureError) -> BaseException:
    """What an activity raised. A local activity's own error comes without the wrapper an ordinary one has."""
    return error.cause if isinstance(error, ActivityError) and error.cause else error


def _erased(error: FailureError) -> bool:
    cause = _cause(error)
    return isinstance(cause, ApplicationError) and cause.type == "unknown_contact"
