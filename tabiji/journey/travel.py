"""One run of a journey: how its steps are begun, kept, paused and moved, how it waits, and how it comes to its end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, TypeAdapter
from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

from tabiji.domain.conditions import Condition
from tabiji.domain.experiments import Draw
from tabiji.domain.journeys import JourneySpec
from tabiji.domain.orders import (
    CONTROL_STEP,
    EXIT_STEP,
    GOAL_STEP,
    Control,
    Done,
    Ended,
    Ending,
    EnrollmentInput,
    Happened,
    Heard,
    Listen,
    Open,
    Outcome,
    StepOrder,
)
from tabiji.domain.patterns import Pattern
from tabiji.domain.sending.held_out import holdout
from tabiji.errors import JourneyDefinitionError
from tabiji.journey.callers import remember_callers
from tabiji.journey.calls import bookkeep, carry_out
from tabiji.journey.endings import JourneyOver, Over, Overdue, erased, failure_in, how_it_ended, paused
from tabiji.journey.journal import IfPassed, Journal, Place
from tabiji.journey.steps import step_at_caller
from tabiji.journey.story import story
from tabiji.journey.waiting import Waiting

T = TypeVar("T")
R = TypeVar("R", bound=BaseModel)
W = TypeVar("W", bound=Waiting)

AN_INSTANT = timedelta(milliseconds=1)
LONGEST_RUN = 2_000
"""Events of a history after which a journey goes on in a fresh run at its next wait. Only loops get there; Temporal
suggests it at 4,096."""


MOST_CARRIED = 1_800_000
"""Bytes of what a new run takes along: some ten thousand steps. Temporal ends a workflow whose input exceeds 2 MB."""

LONGEST_STEP = 190
"""Characters of a step's name, which is part of keys in the database."""


class Travel:
    """What one run of one journey does, below the verbs authors call."""

    enrollment: EnrollmentInput

    def __init__(self, spec: JourneySpec, known: Callable[[str], bool] = lambda _: True) -> None:
        """Start with nothing behind.

        Args:
            spec: Of the journey.
            known: Whether a step id stands in the code.
        """
        self._spec = spec
        self._known = known
        self._over: Over | None = None
        self._steps: asyncio.Task[None] | None = None
        self._waiting: dict[Place, Waiting] = {}
        self._visits: Counter[str] = Counter()
        self._doing: dict[Place, str] = {}
        self._skipped: set[Place] = set()
        self._moving = False
        self._in_flight = 0
        self._resumed: list[Happened] = []
        self._held: dict[Place, int] = {}
        self._sub_journeys: set[str] = set()
        self.journal = Journal()

    def now(self) -> datetime:
        """Journey time."""
        return self._journey_time(workflow.now())

    def _journey_time(self, wall: datetime) -> datetime:
        at = self.enrollment
        passed = max(wall - at.entered_wall, timedelta(0))
        return at.entered_at + passed * at.tempo

    @property
    def priority(self) -> int:
        """Of the journey."""
        return self._spec.priority

    @property
    def goals(self) -> tuple[Condition, ...]:
        """Of the journey."""
        return self._spec.goals

    @property
    def holdout(self) -> Draw | None:
        """The group that gets no marketing of this journey, where it has one."""
        if not self._spec.holdout:
            return None
        return holdout(self._spec.holdout, self._spec.goals, journey=self._spec.name)

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
        if event.step is None:
            self._happened_by_hand(event)
        elif event.step in (GOAL_STEP, EXIT_STEP):
            self._reach(event)
        elif event.step == CONTROL_STEP:
            self._controlled(event)
        elif (wait := self._waiting.get(Place(event.step, event.visit))) is not None:
            wait.offer(event)

    def _happened_by_hand(self, event: Happened) -> None:
        for step, ends in ((GOAL_STEP, self._spec.goals), (EXIT_STEP, self._spec.exits)):
            for visit, end in enumerate(ends):
                if end.matches(event.event, event.properties):
                    self._reach(event.model_copy(update={"step": step, "visit": visit}))
                    return
        for wait in self._waiting.values():
            wait.offer_by_hand(event, self.now())

    def _controlled(self, event: Happened) -> None:
        if event.event == Control.RESUME:
            self._resumed.append(event)
        elif event.event == Control.MOVE:
            self._moving = True
        elif event.event == Control.SKIP:
            step = event.properties.get("step")
            # What stands before a pause has no wait to skip: it goes on when the pause is over.
            waits = (place for place in self.journal.open if place not in self._held)
            self._skipped |= {place for place in waits if step in (None, place.step)}

    def _reach(self, event: Happened) -> None:
        if event.step == EXIT_STEP:
            self._end(Over(Ending.EXITED, event.event))
            return
        goals = self._spec.goals
        goal = goals[event.visit] if event.visit < len(goals) else None
        self._end(Over(Ending.GOAL, event.event, goal=goal, goal_seq=event.seq))

    def _end(self, over: Over) -> None:
        if self._over is None:
            self._over = over
            if self._steps is not None:
                self._steps.cancel()

    def exit(self, reason: str) -> NoReturn:
        """End the journey here."""
        self._end(Over(Ending.EXITED, reason))
        raise JourneyOver

    # The way through

    async def run(self, enrollment: EnrollmentInput, steps: Coroutine[Any, Any, None]) -> Outcome:
        """Run the steps to their end, whichever way it comes, and write it down."""
        self.enrollment = enrollment
        if enrollment.carried is not None:
            self.journal.take_up(enrollment.carried)
        failure: FailureError | None = None
        cancelled = False
        remember_callers()
        # One task of its own: a goal cancels it and everything it started.
        self._steps = asyncio.create_task(steps)
        if self._over is not None:
            self._steps.cancel()
        self._tell()
        try:
            await self._stay_or_move(self._steps)
        except asyncio.CancelledError:
            cancelled = self._over is None
        except (FailureError, ExceptionGroup) as error:
            if self._over is None:
                failure = failure_in(error)
        over = self._over or how_it_ended(cancelled, failure)
        outcome = Outcome(
            ending=over.ending, reason=over.reason, path=tuple(self.journal.path), forgotten=self.journal.forgotten
        )
        await self._report(over, outcome)
        if cancelled:
            raise asyncio.CancelledError
        if failure is not None:
            raise failure
        return outcome

    async def _stay_or_move(self, steps: asyncio.Task[None]) -> None:
        while not steps.done():
            try:
                await workflow.wait_condition(lambda: steps.done() or self._may_move())
            except asyncio.CancelledError:
                # Also where both came in the same moment: a new run would know nothing of the cancellation.
                steps.cancel()
                break
            if not steps.done() and self._may_move():
                self._go_on_in_a_new_run()
        await steps

    def _go_on_in_a_new_run(self) -> NoReturn:
        carried = self.journal.carried()
        size = len(carried.model_dump_json())
        if size > MOST_CARRIED:
            raise JourneyDefinitionError(
                f"{self.enrollment.enrollment_id} has been through {len(carried.journal)} steps, and what they came to "
                f"({size} bytes) is more than a new run can take along ({MOST_CARRIED}). Let rounds be enrollments of "
                "their own: begun by a date, by a schedule, or at the end of the one before by `await self.enter(…)`."
            )
        workflow.continue_as_new(
            self.enrollment.model_copy(update={"carried": carried}),
            initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE if self._moving else None,
        )

    def _may_move(self) -> bool:
        """Whether all there is to this person now is waits, and there is a reason to begin a new run."""
        return (
            (self._moving or workflow.info().get_current_history_length() > LONGEST_RUN)
            and self._over is None
            and self._in_flight == 0
            and bool(self.journal.open)
            and not self._skipped
            and all(wait.event is None for wait in self._waiting.values())
            and all(len(self._resumed) <= heard for heard in self._held.values())
            and workflow.all_handlers_finished()
        )

    async def _report(self, over: Over, outcome: Outcome) -> None:
        words = story(self._spec.title, (), self.journal.path, f"{over.ending.value}, {over.reason}")
        workflow.set_current_details(words)
        order = Ended(
            **self.order(Place("ended", 1)),
            outcome=outcome,
            then=over.goal.then if over.goal is not None else None,
            goal_seq=over.goal_seq,
            sub_journeys=tuple(sorted(self._sub_journeys)),
            wall=workflow.now(),
        )
        reporting = asyncio.create_task(bookkeep(order, Done, f"Ended: {over.ending.value}, {over.reason}"))
        while not reporting.done():
            # Who cancels now is too late: without this the enrollment would stand as running for ever.
            with suppress(asyncio.CancelledError):
                await asyncio.shield(reporting)
        try:
            reporting.result()
        except FailureError as error:
            if not erased(error):
                raise

    # What verbs are made of

    def place(self, verb: str, step: str | None) -> Place:
        """Name the step a verb was called at, and count the visit. Called by the verb itself, see the depth."""
        step = step or step_at_caller(3, verb)
        if len(step) > LONGEST_STEP:
            raise JourneyDefinitionError(
                f"step {step!r} has a name of {len(step)} characters, and {LONGEST_STEP} are possible. Give it a name "
                "of its own, step='…'."
            )
        self._visits[step] += 1
        return Place(step, self._visits[step])

    async def once(
        self,
        place: Place,
        answer: TypeAdapter[T],
        act: Callable[[], Awaitable[T]],
        *,
        if_passed: IfPassed | None = None,
        skipped: Callable[[], T] | None = None,
    ) -> T:
        """Begin a step, or return what it came to in the run before.

        Args:
            place: Of the step.
            answer: How its result is kept.
            act: What it does.
            if_passed: The author's word on a step newer code has inserted.
            skipped: What a step that is skipped comes to; absent for reads, which are made wherever they stand.
        """
        self._check()
        if self.journal.has(place):
            kept: T = self.journal.recall(place, answer)
            return kept
        if skipped is not None and not self.journal.reach(place, if_passed, self._known):
            result = skipped()
        else:
            try:
                result = await act()
            except ActivityError as error:
                self.journal.keep_failure(place, error)
                raise
        self.journal.keep(place, answer.dump_python(result, mode="json"))
        self._check()
        return result

    def once_now(self, place: Place, answer: TypeAdapter[datetime]) -> datetime:
        """What the clock said when the person was here first."""
        if self.journal.has(place):
            kept: datetime = self.journal.recall(place, answer)
            return kept
        self.journal.keep(place, answer.dump_python(self.now(), mode="json"))
        return self.now()

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
        self.journal.passed(place, result, self.now())
        self._tell()
        self._check()

    async def effect(
        self,
        place: Place,
        order: Callable[[], StepOrder],
        answer: type[T],
        summary: str,
        *,
        activity: str | None = None,
        skippable: bool = False,
    ) -> T:
        """Do something a person would want to see. Finishes what it began even when the journey ends meanwhile.

        Args:
            place: Of the step.
            order: Made anew for each attempt after a pause, so that it carries the time of that attempt.
            answer: What the activity returns.
            summary: For the Temporal UI.
            activity: Its name, where that is not the order's.
            skippable: It reaches people: a journey that skips what became due during a pause skips it.

        Raises:
            Overdue: It was skipped.
        """
        due, held = await self._as_in_the_run_before(place, summary)
        while True:
            self._check()
            resumed = 0 if held else len(self._resumed)
            if not held:
                with self._flying():
                    try:
                        return await carry_out(order(), answer, summary, activity)
                    except ActivityError as error:
                        self._raise_unless_paused(error)
            due = await self._wait_for_resume(place, due, resumed, summary)
            held = False
            if skippable and self._spec.overdue == "skip":
                raise Overdue

    async def _as_in_the_run_before(self, place: Place, summary: str) -> tuple[datetime, bool]:
        """An effect that had been put off when the run before was continued stays put off; one before which a pause
        stood waits for the resume, which comes to this run.

        Returns:
            When it was due, and whether a pause stands before it.
        """
        promised = self.journal.came_with(place)
        if promised is None or promised.deadline is None:
            return self.now(), False
        if promised.deadline <= promised.started:
            return promised.deadline, True
        await self.put_off(place, promised.deadline, summary)
        return promised.deadline, False

    def _raise_unless_paused(self, error: ActivityError) -> None:
        self._check()
        if is_cancelled_exception(error):
            raise asyncio.CancelledError from None
        self._leave_if_erased(error)
        if not paused(error):
            raise error

    @contextmanager
    def open(self, place: Place, deadline: datetime | None) -> Generator[Open]:
        """A wait begins, or goes on as it was when the run before was continued."""
        try:
            yield self.journal.opened(place, deadline, self.now())
        finally:
            self.journal.closed(place)
            self._skipped.discard(place)

    async def put_off(self, place: Place, until: datetime, what: str) -> None:
        """Wait before an effect. What it was to be done for may be skipped, the effect is not."""
        with self.open(place, until), self.doing(place, what):
            await self.until(place, until, lambda: False, what)

    async def read(self, order: StepOrder, answer: type[R], summary: str) -> R:
        """Look something up: one local activity."""
        self._check()
        with self._flying():
            try:
                return await bookkeep(order, answer, summary)
            except FailureError as error:
                self._check()
                self._leave_if_erased(error)
                raise

    async def _wait_for_resume(self, place: Place, due: datetime, resumed: int, summary: str) -> datetime:
        """Wait until the pause is over, and as long after it as the journey says. Returns when it is due then."""
        self._held[place] = resumed
        try:
            with self.open(place, due), self.doing(place, f"paused before: {summary}"):
                await workflow.wait_condition(lambda: len(self._resumed) > resumed)
        finally:
            del self._held[place]
        since = self._resumed[-1].properties.get("paused_wall")
        began = self._journey_time(datetime.fromisoformat(since)) if isinstance(since, str) else due
        if self._spec.overdue == "shift" and due > began:
            due = self.now() + (due - began)
            await self.put_off(place, due, f"{summary}, as late after the pause as it was in it")
        return due

    async def until(self, place: Place, deadline: datetime | None, answered: Callable[[], bool], summary: str) -> bool:
        """Wait until a moment of journey time, if one is given, until something answers, or until somebody skips it.

        Returns:
            Whether it was answered. An answer that comes in the same moment as the timer counts.
        """
        # A timer even where time is up: after a local activity that outlasts a workflow task's heartbeat the clock
        # shows less in a replay than it did then, and what was decided by it could not be replayed.
        left = max((deadline - self.now()) / self.enrollment.tempo, AN_INSTANT) if deadline is not None else None
        if not answered():
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: answered() or place in self._skipped, timeout=left, timeout_summary=summary
                )
        return answered()

    async def first(
        self, place: Place, pattern: Pattern, deadline: datetime | None, summary: str, *, from_now: bool = False
    ) -> Happened | None:
        """The earliest answer since entry that no earlier wait has taken; None when time is up. Within `open`."""
        # Open before the look-back, so that a signal that overtakes its answer is not lost.
        waiting = self._waiting[place] = Waiting(pattern, self.journal.taken_before(place))
        try:
            await self._listen(place, waiting, from_now)
            await self.until(place, deadline, lambda: waiting.event is not None, summary)
        finally:
            del self._waiting[place]
            self.journal.done.append(place)
        if waiting.event is not None:
            self.journal.consume(waiting.event.seqs)
        return waiting.event

    async def _listen(self, place: Place, waiting: Waiting, from_now: bool) -> None:
        finished = tuple(self.journal.done)
        order = Listen(
            **self.order(place),
            condition=waiting.pattern,
            from_now=from_now,
            consumed=tuple(sorted(waiting.taken)),
            done=tuple((one.step, one.visit) for one in finished),
            goals=self._spec.goals,
            exits=self._spec.exits,
            entry_seq=self.enrollment.entry_seq,
            wall=workflow.now(),
        )
        heard = await self.read(order, Heard, f"Listen for {waiting.pattern}")
        self.journal.done = [one for one in self.journal.done if one not in finished]
        if heard.end is not None:
            self._reach(heard.end)
            raise JourneyOver
        waiting.up_to(heard.seq)
        if heard.event is not None:
            waiting.found(heard.event)

    def waits_for(self, sub_journey: str) -> None:
        """A sub-journey, by its enrollment, ends with this one."""
        self._sub_journeys.add(sub_journey)

    def leaves_alone(self, sub_journey: str) -> None:
        """A sub-journey is over, or nobody waits for it any more."""
        self._sub_journeys.discard(sub_journey)

    @contextmanager
    def listening(self, place: Place, waiting: W) -> Generator[W]:
        """Take signals for a place while a block runs that writes its own listener."""
        self._waiting[place] = waiting
        try:
            yield waiting
        finally:
            del self._waiting[place]
            self.journal.done.append(place)

    @contextmanager
    def _flying(self) -> Generator[None]:
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1

    def _check(self) -> None:
        if self._over is not None:
            raise JourneyOver
        # An effect that was finished all the same has swallowed the cancellation. It still counts.
        if workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError

    def _leave_if_erased(self, error: FailureError) -> None:
        if erased(error):
            self._end(Over(Ending.EXITED, "the contact was erased"))
            raise JourneyOver from None

    def _tell(self) -> None:
        workflow.set_current_details(story(self._spec.title, self._doing.values(), self.journal.path))
