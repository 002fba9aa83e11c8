"""Verbs that wait: for time to pass, for a moment, for the person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Generic, TypeVar, overload

from temporalio import workflow

from tabiji.domain.calendar import Instant, When, as_when
from tabiji.domain.conditions import on
from tabiji.domain.dates import ContactDate
from tabiji.domain.durations import in_words
from tabiji.domain.journeys import refuse_then
from tabiji.domain.orders import Appoint, Appointed, Happened, Heard, LookBack, Part
from tabiji.domain.patterns import AllOf, AnyOf, Pattern
from tabiji.errors import JourneyDefinitionError
from tabiji.journey.journal import IfPassed, Place
from tabiji.journey.story import instant
from tabiji.journey.travel import Travel
from tabiji.journey.verbs.base import NOTHING, Verb, Verbs, kept_as
from tabiji.journey.waiting import Moved

K = TypeVar("K", bound=str)

_EVENT = kept_as(Happened | None)
_MOMENT = kept_as(datetime | None)
_CHOICE = kept_as(tuple[str, Happened] | None)


@dataclass(frozen=True)
class First(Generic[K]):
    """What came first, and the event."""

    which: K
    event: Happened


class Waits(Verbs):
    """Timers, moments, behaviour."""

    def wait(
        self,
        duration: timedelta | None = None,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        if_passed: IfPassed | None = None,
        step: str | None = None,
    ) -> Verb[None]:
        """Do nothing for a while. The wait survives restarts, deploys and holidays."""
        span = (duration or timedelta(0)) + timedelta(days=days, hours=hours, minutes=minutes)
        place = self._travel.place("wait", step)
        if span <= timedelta(0):
            raise JourneyDefinitionError(f"step {place.step!r} waits for {span}. Say wait(days=2).")
        return self._travel.once(
            place, NOTHING, lambda: _wait(self._travel, place, span), if_passed=if_passed, skipped=lambda: None
        )

    def wait_until(
        self, when: date | datetime | time | When, *, if_passed: IfPassed | None = None, step: str | None = None
    ) -> Verb[datetime | None]:
        """Wait until a moment on the contact's own clock. It moves when their date or their zone changes.

            await self.wait_until(time(9))
            await self.wait_until(weekday("friday", time(13)))
            await self.wait_until(contact_date("birthday", days=-3, at=time(9)))

        Returns:
            The moment; None when there is none, because the contact has no such date. A moment that has passed is
            returned at once.
        """
        wanted = as_when(when)
        place = self._travel.place("wait_until", step)
        return self._travel.once(
            place, _MOMENT, lambda: _wait_until(self._travel, place, wanted), if_passed=if_passed, skipped=lambda: None
        )

    def wait_for(
        self,
        pattern: Pattern,
        *,
        timeout: timedelta,
        from_now: bool = False,
        if_passed: IfPassed | None = None,
        step: str | None = None,
    ) -> Verb[Happened | None]:
        """Wait until the person acts, or the timeout passes.

        What they did since they entered the journey counts, unless an earlier wait has taken it.

        Args:
            pattern: One event, either of several, all, so many, one after the other.
            timeout: How long at most.
            from_now: Count only what they do after the wait has begun.
            if_passed: For a step added later: what it means for people who are past it.
            step: A name of its own, where the condition is computed or waited for twice in a function.

        Returns:
            The event that answered, or None when the time was up.
        """
        place = self._travel.place("wait_for", step)
        return _for(self._travel, place, pattern, timeout, from_now, if_passed=if_passed)

    def wait_first(
        self,
        choices: Mapping[K, Pattern],
        *,
        timeout: timedelta,
        from_now: bool = False,
        if_passed: IfPassed | None = None,
        step: str | None = None,
    ) -> Verb[First[K] | None]:
        """Wait for whichever comes first. Returns which, with its event; None when the time was up.

        first = await self.wait_first({Reply.YES: on("Accepted"), Reply.NO: on("Declined")}, timeout=days(3))
        """
        place = self._travel.place("wait_first", step)
        return _first(self._travel, place, choices, timeout, from_now, if_passed=if_passed)

    @overload
    def wait_all(
        self, first: Pattern, second: Pattern, /, *, timeout: timedelta, from_now: bool = ..., step: str | None = ...
    ) -> Verb[tuple[Happened, Happened] | None]: ...
    @overload
    def wait_all(
        self,
        first: Pattern,
        second: Pattern,
        third: Pattern,
        /,
        *,
        timeout: timedelta,
        from_now: bool = ...,
        step: str | None = ...,
    ) -> Verb[tuple[Happened, Happened, Happened] | None]: ...
    @overload
    def wait_all(
        self, *patterns: Pattern, timeout: timedelta, from_now: bool = ..., step: str | None = ...
    ) -> Verb[tuple[Happened, ...] | None]: ...
    def wait_all(
        self,
        *patterns: Pattern,
        timeout: timedelta,
        from_now: bool = False,
        if_passed: IfPassed | None = None,
        step: str | None = None,
    ) -> Verb[tuple[Happened, ...] | None]:
        """Wait until all of these have happened, in any order. Returns an event for each, in the order asked for."""
        place = self._travel.place("wait_all", step)
        return _all(self._travel, place, patterns, timeout, from_now, if_passed=if_passed)

    def absent(
        self,
        pattern: Pattern,
        *,
        within: timedelta,
        from_now: bool = True,
        if_passed: IfPassed | None = None,
        step: str | None = None,
    ) -> Verb[bool]:
        """Wait to see that they do *not* act. True when the time passed without it; False as soon as they act.

        Counts from the beginning of the wait; with `from_now=False`, from the entry into the journey.
        """
        place = self._travel.place("absent", step)
        return _absent(self._travel, place, pattern, within, from_now, if_passed=if_passed)

    def did(self, pattern: Pattern, *, step: str | None = None) -> Verb[Happened | None]:
        """Whether they have done it since they entered, without waiting. A later wait may still be answered by it."""
        place = self._travel.place("did", step)
        refuse_then(place.step, pattern)
        return self._travel.once(place, _EVENT, lambda: _did(self._travel, place, pattern))


async def _wait(travel: Travel, place: Place, span: timedelta) -> None:
    with travel.open(place, travel.now() + span) as wait:
        deadline = wait.deadline or travel.now()
        with travel.doing(place, f"waiting {in_words(span)}, until {instant(deadline)}"):
            await travel.until(place, deadline, lambda: False, f"Wait {in_words(span)}")
    travel.passed(place, f"waited {in_words(span)}" if travel.now() >= deadline else "the wait was skipped")


async def _wait_until(travel: Travel, place: Place, when: When) -> datetime | None:
    with travel.open(place, travel.now()) as wait:
        if isinstance(when, Instant):
            moment: datetime | None = when.at
            await _stay(travel, place, when, when.at, lambda: False)
        else:
            moment = await _follow(travel, place, when, wait.started)
    travel.passed(place, f"waited until {when}" if moment else f"there is no {when}")
    return moment


async def _follow(travel: Travel, place: Place, when: When, started: datetime) -> datetime | None:
    """Wait for a moment that may move: whenever the contact's date or zone changes it is looked up again."""
    with travel.listening(place, Moved(_moved_by(when), frozenset())) as moved:
        while True:
            order = Appoint(**travel.order(place), when=when, started=started, wall=workflow.now())
            found = await travel.read(order, Appointed, f"When is {when}?")
            moved.up_to(found.seq)
            if found.at is None or not await _stay(travel, place, when, found.at, lambda: moved.event is not None):
                return found.at


async def _stay(travel: Travel, place: Place, when: When, moment: datetime, moved: Callable[[], bool]) -> bool:
    with travel.doing(place, f"waiting until {when}: {instant(moment)}"):
        return await travel.until(place, moment, moved, f"Wait until {when}")


def _for(
    travel: Travel,
    place: Place,
    pattern: Pattern,
    patience: timedelta,
    from_now: bool,
    *,
    if_passed: IfPassed | None,
) -> Verb[Happened | None]:
    _check_timeout(place, patience)
    refuse_then(place.step, pattern)

    async def act() -> Happened | None:
        event = await _behaviour(travel, place, pattern, patience, from_now)
        travel.passed(place, f"{pattern} happened" if event else f"no {pattern} within {in_words(patience)}")
        return event

    return travel.once(place, _EVENT, act, if_passed=if_passed, skipped=lambda: None)


async def _behaviour(
    travel: Travel, place: Place, pattern: Pattern, patience: timedelta, from_now: bool
) -> Happened | None:
    with travel.open(place, travel.now() + patience) as wait:
        deadline = wait.deadline
        limit = f", until {instant(deadline)}" if deadline is not None else ""
        with travel.doing(place, f"waiting for {pattern}{limit}"):
            return await travel.first(
                place, pattern, deadline, f"{pattern}, or {in_words(patience)}", from_now=from_now
            )


async def _first(
    travel: Travel,
    place: Place,
    choices: Mapping[K, Pattern],
    patience: timedelta,
    from_now: bool,
    *,
    if_passed: IfPassed | None,
) -> First[K] | None:
    _check_timeout(place, patience)
    refuse_then(place.step, *choices.values())
    if not choices:
        raise JourneyDefinitionError(f"step {place.step!r} has nothing to wait for.")
    names = {str(choice): choice for choice in choices}

    async def act() -> tuple[str, Happened] | None:
        event = await _behaviour(travel, place, AnyOf(of=tuple(choices.values())), patience, from_now)
        chosen = list(names)[event.which] if event is not None else None
        travel.passed(place, f"{chosen} came first" if chosen else f"none came within {in_words(patience)}")
        return (chosen, event) if chosen is not None and event is not None else None

    # Kept by name: newer code may have the choices in another order.
    answer = await travel.once(place, _CHOICE, act, if_passed=if_passed, skipped=lambda: None)
    if answer is None:
        return None
    name, event = answer
    if name not in names:
        raise JourneyDefinitionError(f"step {place.step!r} no longer has the choice {name!r}, which somebody made.")
    return First(names[name], event)


async def _all(
    travel: Travel,
    place: Place,
    patterns: tuple[Pattern, ...],
    patience: timedelta,
    from_now: bool,
    *,
    if_passed: IfPassed | None,
) -> tuple[Happened, ...] | None:
    if len(patterns) < 2:
        raise JourneyDefinitionError(f"step {place.step!r} waits for all of fewer than two. Use wait_for().")
    event = await _for(travel, place, AllOf(of=patterns), patience, from_now, if_passed=if_passed)
    if event is None:
        return None
    return tuple(_happened(part) for part in event.parts)


async def _absent(
    travel: Travel, place: Place, pattern: Pattern, within: timedelta, from_now: bool, *, if_passed: IfPassed | None
) -> bool:
    return await _for(travel, place, pattern, within, from_now, if_passed=if_passed) is None


async def _did(travel: Travel, place: Place, pattern: Pattern) -> Happened | None:
    order = LookBack(**travel.order(place), condition=pattern, entry_seq=travel.enrollment.entry_seq)
    with travel.doing(place, f"looking back for {pattern}"):
        return (await travel.read(order, Heard, f"Has it happened: {pattern}")).event


def _moved_by(when: When) -> Pattern:
    """What moves a moment on the contact's clock."""
    zone = on("Attribute Changed", name="timezone")
    return on("Attribute Changed", name=when.attribute) | zone if isinstance(when, ContactDate) else zone


def _check_timeout(place: Place, patience: timedelta) -> None:
    if patience <= timedelta(0):
        raise JourneyDefinitionError(f"step {place.step!r} has a timeout of {patience}. Say timeout=days(7).")


def _happened(part: Part) -> Happened:
    return Happened(event=part.event, seq=part.seq, at=part.at, properties=part.properties)
