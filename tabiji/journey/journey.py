"""The class authors subclass: verbs to write with, and the way a person travels through them.

    @journey(trigger=on("Trial Started"), goal=on("Order Completed"))
    class TrialNurture(Journey):
        async def steps(self) -> None:
            await self.send_email("trial/welcome")
            if await self.wait_for(on("Feature Used"), timeout=days(3)):
                await self.send_email("trial/tips")

It is a Temporal workflow class: signals, queries, updates and `workflow.*` may be added. Take the time from
`self.now()`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

from tabiji.domain.conditions import Condition
from tabiji.domain.durations import in_words
from tabiji.domain.journeys import JourneySpec
from tabiji.domain.orders import (
    GOAL_STEP,
    SIGNAL,
    AdjustScore,
    Done,
    Ended,
    Ending,
    EnrollmentInput,
    Enter,
    Entered,
    Happened,
    Heard,
    Listen,
    NotifySales,
    Outcome,
    Passed,
    Score,
    SendEmail,
    SendOutcome,
    TagContact,
)
from tabiji.errors import JourneyDefinitionError
from tabiji.journey.steps import step_at_caller
from tabiji.journey.story import instant, story

R = TypeVar("R", bound=BaseModel)

EFFECT_TIMEOUT = timedelta(seconds=60)
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
class _Place:
    step: str
    visit: int


@dataclass
class _Waiting:
    """A wait that is open now, and the earliest event that answers it.

    `taken` is what earlier waits had taken when this one was opened. What a wait beside this one takes answers
    both: which of the two is told first is chance.
    """

    condition: Condition
    taken: frozenset[int]
    event: Happened | None = None

    def offer(self, event: Happened) -> None:
        if event.seq is not None and event.seq in self.taken:
            return
        if self.event is None or _order(event) < _order(self.event):
            self.event = event


@dataclass
class _Over:
    ending: Ending
    reason: str
    goal: Condition | None = None
    goal_seq: int | None = None


@dataclass
class _Travel:
    """What one run keeps in workflow memory."""

    over: _Over | None = None
    steps: asyncio.Task[None] | None = None
    waiting: dict[tuple[str, int], _Waiting] = field(default_factory=dict[tuple[str, int], _Waiting])
    done: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    consumed: set[int] = field(default_factory=set[int])
    visits: Counter[str] = field(default_factory=Counter[str])
    path: list[Passed] = field(default_factory=list[Passed])
    doing: dict[_Place, str] = field(default_factory=dict[_Place, str])


class Journey:
    """One contact's way through one journey."""

    spec: ClassVar[JourneySpec]

    _enrollment: EnrollmentInput

    def __init__(self) -> None:
        self._travel = _Travel()

    async def steps(self) -> None:
        """The journey itself. Written by the author."""
        raise JourneyDefinitionError(f"journey {type(self).__name__} needs `async def steps(self) -> None`.")

    # What authors read

    @property
    def contact(self) -> str:
        """Id of the contact who travels."""
        return self._enrollment.contact_id

    @property
    def trigger(self) -> Happened | None:
        """The event that started the journey, with the properties its trigger takes."""
        return self._enrollment.trigger

    def now(self) -> datetime:
        """Journey time: the clock every wait and every order goes by. Aware, UTC."""
        at = self._enrollment
        passed = max(workflow.now() - at.entered_wall, timedelta(0))
        return at.entered_at + passed * at.tempo

    # Verbs. Plain functions that return coroutines, so that the caller's place is known before gather()
    # or create_task() hides it.

    def send_email(
        self,
        template: str,
        *,
        topic: str = "marketing",
        delivery: Literal["at_least_once", "at_most_once"] = "at_least_once",
        step: str | None = None,
    ) -> Coroutine[Any, Any, SendOutcome]:
        """Send a template to the contact, once.

        Args:
            template: A file below templates/email, without its ending.
            topic: What the contact must have agreed to hear about.
            delivery: What to do when a worker dies between the relay's yes and our note of it:
                repeat under the same Message-ID, or rather not.
            step: A name of its own, where the template is computed or used twice in a function.

        Returns:
            Its fate. True in a condition when it went out.
        """
        return self._send_email(self._place("send_email", step), template, topic, delivery)

    def wait(
        self,
        duration: timedelta | None = None,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        step: str | None = None,
    ) -> Coroutine[Any, Any, None]:
        """Do nothing for a while. The wait survives restarts, deploys and holidays."""
        span = (duration or timedelta(0)) + timedelta(days=days, hours=hours, minutes=minutes)
        return self._wait(self._place("wait", step), span)

    def wait_for(
        self, condition: Condition, *, timeout: timedelta, step: str | None = None
    ) -> Coroutine[Any, Any, Happened | None]:
        """Wait until the person acts, or the timeout passes.

        What they did since they entered the journey counts, unless an earlier wait has taken it.

        Returns:
            The event, or None when the time was up.
        """
        return self._wait_for(self._place("wait_for", step), condition, timeout)

    def adjust_score(self, points: int, *, reason: str, step: str | None = None) -> Coroutine[Any, Any, int]:
        """Add points to the contact's score, or subtract them. Returns the new score."""
        return self._adjust_score(self._place("adjust_score", step), points, reason)

    def notify_sales(self, reason: str, *, step: str | None = None) -> Coroutine[Any, Any, SendOutcome]:
        """Tell sales about this contact: who, why, and what they did lately."""
        return self._notify_sales(self._place("notify_sales", step), reason)

    def tag(self, tag: str, *, step: str | None = None) -> Coroutine[Any, Any, None]:
        """Put a tag on the contact."""
        return self._tag(self._place("tag", step), tag)

    def enter(self, journey: type[Journey], *, step: str | None = None) -> Coroutine[Any, Any, Entered]:
        """Enter the contact into another journey and go on. Its re-entry rule decides whether they get in."""
        return self._enter(self._place("enter", step), journey)

    # The wake-up call

    @workflow.signal(
        name=SIGNAL,
        description='An event of this contact. By hand, {"event": "Demo Attended"} counts for what is waited for now.',
    )
    def happened(self, event: Happened) -> None:
        """Take an event the outbox or a person at the Temporal UI sends.

        A copy of one that an earlier wait has taken, and one nobody waits for now, is forgotten: the next look-back
        finds what still counts. A goal is a goal even when a wait has taken the same event.
        """
        if event.step == GOAL_STEP:
            self._reach_goal(event, self.spec.goals[event.visit] if event.visit < len(self.spec.goals) else None)
        elif event.step is not None:
            wait = self._travel.waiting.get((event.step, event.visit))
            if wait is not None:
                wait.offer(event)
        else:
            self._happened_by_hand(event)

    def _happened_by_hand(self, event: Happened) -> None:
        for goal in self.spec.goals:
            if goal.matches(event.event, event.properties):
                self._reach_goal(event, goal)
                return
        for wait in self._travel.waiting.values():
            if wait.condition.matches(event.event, event.properties):
                wait.offer(event)

    def _reach_goal(self, event: Happened, goal: Condition | None) -> None:
        self._end(_Over(Ending.GOAL, event.event, goal=goal, goal_seq=event.seq))

    def _end(self, over: _Over) -> None:
        if self._travel.over is None:
            self._travel.over = over
            if self._travel.steps is not None:
                self._travel.steps.cancel()

    # The way through

    async def travel(self, enrollment: EnrollmentInput) -> Outcome:
        """Run the steps to their end, whichever way it comes. Called by the `run` that `@journey` adds."""
        self._enrollment = enrollment
        failure: FailureError | None = None
        cancelled = False
        if self._travel.over is None:
            # One task of its own: a goal cancels it and everything it started.
            self._travel.steps = asyncio.create_task(self.steps())
            self._tell()
            try:
                await self._travel.steps
            except asyncio.CancelledError:
                cancelled = self._travel.over is None
            except FailureError as error:
                if self._travel.over is None:
                    failure = error
        over = self._travel.over or _over(cancelled, failure)
        outcome = Outcome(ending=over.ending, reason=over.reason, path=tuple(self._travel.path))
        await self._report(over, outcome)
        if cancelled:
            raise asyncio.CancelledError
        if failure is not None:
            raise failure
        return outcome

    async def _report(self, over: _Over, outcome: Outcome) -> None:
        workflow.set_current_details(
            story(self.spec.title, (), self._travel.path, f"{over.ending.value}, {over.reason}")
        )
        order = Ended(
            **self._order(_Place("ended", 1)),
            outcome=outcome,
            then=over.goal.then if over.goal else None,
            goal_seq=over.goal_seq,
            wall=workflow.now(),
        )
        reporting = asyncio.create_task(
            self._bookkeep("ended", order, Done, f"Ended: {over.ending.value}, {over.reason}")
        )
        while not reporting.done():
            # Who cancels now is too late: without this the enrollment would stand as running for ever.
            with suppress(asyncio.CancelledError):
                await asyncio.shield(reporting)
        try:
            reporting.result()
        except ActivityError as error:
            if not _erased(error):
                raise

    def _place(self, verb: str, step: str | None) -> _Place:
        step = step or step_at_caller(3, verb)
        self._travel.visits[step] += 1
        return _Place(step, self._travel.visits[step])

    def _order(self, place: _Place) -> dict[str, Any]:
        at = self._enrollment
        return {
            "enrollment_id": at.enrollment_id,
            "contact_id": at.contact_id,
            "step": place.step,
            "visit": place.visit,
            "at": self.now(),
            "tempo": at.tempo,
            "test": at.test,
        }

    def _check(self) -> None:
        if self._travel.over is not None:
            raise JourneyOver
        # An effect that was finished all the same has swallowed the cancellation. It still counts.
        if workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError

    def _begin(self, place: _Place, doing: str) -> None:
        self._check()
        self._travel.doing[place] = doing
        self._tell()

    def _pass(self, place: _Place, result: str) -> None:
        self._travel.path.append(Passed(step=place.step, visit=place.visit, result=result, at=self.now()))
        self._tell()
        self._check()

    def _tell(self) -> None:
        workflow.set_current_details(story(self.spec.title, self._travel.doing.values(), self._travel.path))

    async def _effect(self, name: str, order: BaseModel, result: type[R], summary: str) -> R:
        """Do something a person would want to see. Finishes what it began even when the journey ends meanwhile."""
        self._check()
        try:
            done: R = await workflow.execute_activity(
                name,
                order,
                result_type=result,
                start_to_close_timeout=EFFECT_TIMEOUT,
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

    def _leave_if_erased(self, error: ActivityError) -> None:
        if _erased(error):
            self._end(_Over(Ending.EXITED, "the contact was erased"))
            raise JourneyOver from None

    async def _bookkeep(self, name: str, order: BaseModel, result: type[R], summary: str) -> R:
        """Write down or look up: one local activity, and an ordinary, patient one while the database is away."""
        try:
            quick: R = await workflow.execute_local_activity(
                name,
                order,
                result_type=result,
                start_to_close_timeout=LOCAL_ATTEMPT,
                schedule_to_close_timeout=LOCAL_IN_ALL,
                retry_policy=LOCAL_RETRIES,
                summary=summary,
            )
            return quick
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from None
            if isinstance(error.cause, ApplicationError) and error.cause.non_retryable:
                raise
        patient: R = await workflow.execute_activity(
            name,
            order,
            result_type=result,
            start_to_close_timeout=PATIENT_ATTEMPT,
            retry_policy=PATIENT_RETRIES,
            summary=summary,
        )
        return patient

    async def _sleep_until(self, deadline: datetime, summary: str) -> None:
        left = (deadline - self.now()) / self._enrollment.tempo
        if left > timedelta(0):
            await workflow.sleep(left, summary=summary)

    async def _send_email(
        self, place: _Place, template: str, topic: str, delivery: Literal["at_least_once", "at_most_once"]
    ) -> SendOutcome:
        def order() -> SendEmail:
            return SendEmail(**self._order(place), template=template, topic=topic, delivery=delivery)

        return await self._send(place, "send_email", order, f"mail {template}")

    async def _notify_sales(self, place: _Place, reason: str) -> SendOutcome:
        def order() -> NotifySales:
            return NotifySales(**self._order(place), reason=reason)

        return await self._send(place, "notify_sales", order, f"tell sales: {reason}")

    async def _send(self, place: _Place, name: str, order: Any, what: str) -> SendOutcome:
        self._begin(place, what)
        try:
            # The ledger bounds this: it drops, with a reason, what it has deferred too often.
            while True:
                asked = order()
                sent = await self._effect(name, asked, SendOutcome, what[0].upper() + what[1:])
                if sent.state != "deferred" or sent.until is None:
                    break
                # Against the time it was asked for, not against now: after an outage, or at a rehearsal's tempo, the
                # morning may have come before the answer.
                if sent.until <= asked.at:
                    raise ApplicationError(
                        f"{what} was deferred to {instant(sent.until)}, which had passed", type="deferred_to_the_past"
                    )
                self._begin(place, f"{what}, not before {instant(sent.until)} ({sent.reason})")
                await self._sleep_until(sent.until, f"{what}: {sent.reason}, not before {instant(sent.until)}")
        finally:
            self._travel.doing.pop(place, None)
        self._pass(place, f"{what}: {sent.state}{f' ({sent.reason})' if sent.reason else ''}")
        return sent

    async def _wait(self, place: _Place, span: timedelta) -> None:
        if span <= timedelta(0):
            raise JourneyDefinitionError(f"step {place.step!r} waits for {span}. Say wait(days=2).")
        deadline = self.now() + span
        self._begin(place, f"waiting {in_words(span)}, until {instant(deadline)}")
        try:
            await self._sleep_until(deadline, f"Wait {in_words(span)}")
        finally:
            self._travel.doing.pop(place, None)
        self._pass(place, f"waited {in_words(span)}")

    async def _wait_for(self, place: _Place, condition: Condition, patience: timedelta) -> Happened | None:
        if patience <= timedelta(0):
            raise JourneyDefinitionError(f"step {place.step!r} has a timeout of {patience}. Say timeout=days(7).")
        deadline = self.now() + patience
        self._begin(place, f"waiting for {condition}, until {instant(deadline)}")
        key = (place.step, place.visit)
        # Open before the look-back, so that a signal that overtakes its answer is not lost.
        waiting = self._travel.waiting[key] = _Waiting(condition, frozenset(self._travel.consumed))
        try:
            await self._listen(place, waiting)
            left = (deadline - self.now()) / self._enrollment.tempo
            if waiting.event is None and left > timedelta(0):
                # An event that comes in the same moment as the timer has been offered by then, and wins.
                with suppress(TimeoutError):
                    await workflow.wait_condition(
                        lambda: waiting.event is not None,
                        timeout=left,
                        timeout_summary=f"{condition}, or {in_words(patience)}",
                    )
        finally:
            del self._travel.waiting[key]
            self._travel.done.append(key)
            self._travel.doing.pop(place, None)
        event = waiting.event
        if event is not None and event.seq is not None:
            self._travel.consumed.add(event.seq)
        self._pass(place, f"{condition} happened" if event else f"no {condition} within {in_words(patience)}")
        return event

    async def _listen(self, place: _Place, waiting: _Waiting) -> None:
        finished = tuple(self._travel.done)
        order = Listen(
            **self._order(place),
            condition=waiting.condition,
            consumed=tuple(sorted(waiting.taken)),
            done=finished,
            goals=self.spec.goals,
            entry_seq=self._enrollment.entry_seq,
            wall=workflow.now(),
        )
        try:
            heard = await self._bookkeep("listen", order, Heard, f"Listen for {waiting.condition}")
        except ActivityError as error:
            self._check()
            self._leave_if_erased(error)
            raise
        self._travel.done = [key for key in self._travel.done if key not in finished]
        if heard.goal is not None:
            self._reach_goal(heard.goal, self.spec.goals[heard.goal.visit])
            raise JourneyOver
        if heard.event is not None:
            waiting.offer(heard.event)

    async def _adjust_score(self, place: _Place, points: int, reason: str) -> int:
        self._begin(place, f"score {points:+d}: {reason}")
        try:
            order = AdjustScore(**self._order(place), points=points, reason=reason)
            score = await self._effect("adjust_score", order, Score, f"Score {points:+d}: {reason}")
        finally:
            self._travel.doing.pop(place, None)
        self._pass(place, f"score {points:+d} to {score.total}: {reason}")
        return score.total

    async def _tag(self, place: _Place, tag: str) -> None:
        self._begin(place, f"tag {tag}")
        try:
            await self._effect("tag", TagContact(**self._order(place), tag=tag), Done, f"Tag {tag}")
        finally:
            self._travel.doing.pop(place, None)
        self._pass(place, f"tagged {tag}")

    async def _enter(self, place: _Place, journey: type[Journey]) -> Entered:
        name = journey.spec.name
        self._begin(place, f"enter {name}")
        try:
            order = Enter(**self._order(place), journey=name, wall=workflow.now())
            entered = await self._effect("enter", order, Entered, f"Enter {name}")
        finally:
            self._travel.doing.pop(place, None)
        self._pass(place, f"entered {name}" if entered else f"did not enter {name}: {entered.refused}")
        return entered


def _erased(error: ActivityError) -> bool:
    return isinstance(error.cause, ApplicationError) and error.cause.type == "unknown_contact"


def _order(event: Happened) -> float:
    """Place in the database's order; what was sent by hand comes last."""
    return float("inf") if event.seq is None else event.seq


def _over(cancelled: bool, failure: FailureError | None) -> _Over:
    if cancelled:
        return _Over(Ending.CANCELLED, "cancelled by hand")
    if failure is not None:
        cause = failure.cause if isinstance(failure, ActivityError) and failure.cause else failure
        kind = cause.type if isinstance(cause, ApplicationError) and cause.type else type(cause).__name__
        return _Over(Ending.FAILED, kind)
    return _Over(Ending.COMPLETED, "went all the way")
