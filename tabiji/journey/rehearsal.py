"""Plays one person's journal through the code that is here, without Temporal: where would they stand, and is there a
step in between that they have been past?

    rehearsed = rehearse(WhitepaperNurture, enrollment, now=datetime.now(UTC))
    rehearsed.inserted      # steps newer code has put where they have already been, and says nothing about

Recorded steps return what they came to. Whatever comes next is not carried out: each branch of the journey stops at the
first step nothing is recorded of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError

from tabiji.domain.orders import EnrollmentInput
from tabiji.errors import InsertedStep, TabijiError
from tabiji.journey.endings import JourneyOver
from tabiji.journey.journal import IfPassed, Place
from tabiji.journey.journey import Journey
from tabiji.journey.known import stands
from tabiji.journey.steps import remember_callers
from tabiji.journey.travel import Travel

T = TypeVar("T")

_ROUNDS = 50
"""Rounds of the event loop without news after which every branch has come to its stop."""


@dataclass
class Rehearsed:
    """What became of one person's journal.

    `next` are the steps they would be at. `inserted` are steps before what they have reached already. `unread` are
    reads that would have to be made before what they have reached: what depends on them is not known here. `ended`:
    the newer code would end their journey right away. `problem`: why it cannot be told.
    """

    next: list[str] = field(default_factory=list[str])
    inserted: list[InsertedStep] = field(default_factory=list[InsertedStep])
    unread: list[str] = field(default_factory=list[str])
    ended: bool = False
    problem: str | None = None

    @property
    def safe(self) -> bool:
        """Whether the person can go on in this code."""
        return not self.inserted and not self.unread and self.problem is None


def rehearse(journey: type[Journey], enrollment: EnrollmentInput, *, now: datetime) -> Rehearsed:
    """Run a journey's steps over what somebody's journal holds. Takes no time and changes nothing.

    Args:
        journey: The newer code.
        enrollment: The person's input, with `carried` as the journal query answers it.
        now: The wall clock.
    """
    with asyncio.Runner() as runner:
        return runner.run(_rehearse(journey, enrollment, now))


async def _rehearse(journey: type[Journey], enrollment: EnrollmentInput, now: datetime) -> Rehearsed:
    rehearsed = Rehearsed()
    traveller = journey()
    travel = _Rehearsal(journey, enrollment, now, rehearsed)
    traveller._travel = travel  # pyright: ignore[reportPrivateUsage] # stands where the real one does
    remember_callers()
    steps = asyncio.create_task(traveller.steps())
    quiet = 0
    while not steps.done() and quiet < _ROUNDS:
        before = travel.news
        await asyncio.sleep(0)
        quiet = 0 if travel.news != before else quiet + 1
    if steps.done():
        _read_end(steps, rehearsed)
    steps.cancel()
    with suppress(BaseException):
        await steps
    return rehearsed


def _read_end(steps: asyncio.Task[None], rehearsed: Rehearsed) -> None:
    if steps.cancelled():
        rehearsed.ended = True
        return
    failure = steps.exception()
    if failure is None:
        rehearsed.ended = True
    elif isinstance(failure, ValidationError):
        rehearsed.problem = f"what a step came to is not what its newer code returns: {failure.title}"
    else:
        words = str(failure) if isinstance(failure, TabijiError) else type(failure).__name__
        rehearsed.problem = f"the steps raise {words}"


class _Rehearsal(Travel):
    """A run that carries nothing out."""

    def __init__(
        self, journey: type[Journey], enrollment: EnrollmentInput, now: datetime, rehearsed: Rehearsed
    ) -> None:
        super().__init__(journey.spec, lambda step: stands(journey, step))
        self.enrollment = enrollment
        if enrollment.carried is not None:
            self.journal.take_up(enrollment.carried)
        self._now = now
        self._rehearsed = rehearsed
        self.news = 0

    def now(self) -> datetime:
        """See base class."""
        return self._journey_time(self._now)

    async def once(
        self,
        place: Place,
        answer: TypeAdapter[T],
        act: Callable[[], Awaitable[T]],
        *,
        if_passed: IfPassed | None = None,
        skipped: Callable[[], T] | None = None,
    ) -> T:
        """See base class: what is recorded returns, what is skipped returns, all else stops here."""
        self.news += 1
        if self.journal.has(place):
            kept: T = self.journal.recall(place, answer)
            return kept
        if skipped is None:
            self._rehearsed.unread += [place.step] if self.ahead else []
        else:
            try:
                if not self.journal.reach(place, if_passed, self._known):
                    return skipped()
            except InsertedStep as inserted:
                self._rehearsed.inserted.append(inserted)
                await self._stop()
        self._rehearsed.next.append(place.step)
        return await self._stop()

    @property
    def ahead(self) -> list[str]:
        """Steps the person has reached, this run has not, and the code still has."""
        return [step for step in self.journal.ahead if self._known(step)]

    async def _stop(self) -> NoReturn:
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nothing ends this wait")

    def exit(self, reason: str) -> NoReturn:
        """See base class."""
        raise JourneyOver

    def _check(self) -> None:
        """Nothing ends a rehearsal from outside."""

    def _tell(self) -> None:
        """Nobody reads its story."""
