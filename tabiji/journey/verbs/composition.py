"""Verbs that join journeys, and ask people in the middle of one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict
from temporalio import workflow

from tabiji.domain.changes import AskApproval, Asked
from tabiji.domain.conditions import Condition, on
from tabiji.domain.orders import Ending, Enter, Entered, Happened
from tabiji.journey.journal import IfPassed, Place
from tabiji.journey.story import instant
from tabiji.journey.travel import Travel
from tabiji.journey.verbs.base import Verb, Verbs, kept_as

if TYPE_CHECKING:
    from tabiji.journey.journey import Journey

_ENTERED = kept_as(Entered)
_ASKED = kept_as(Asked)


class Finished(BaseModel):
    """How a sub-journey ended."""

    model_config = ConfigDict(frozen=True)

    ending: Ending
    reason: str

    def __bool__(self) -> bool:
        """True when it went all the way or reached its goal."""
        return self.ending in (Ending.COMPLETED, Ending.GOAL)


class Approval(BaseModel):
    """Somebody's answer, and who gave it."""

    model_config = ConfigDict(frozen=True)

    approved: bool
    by: str

    def __bool__(self) -> bool:
        """True when they agreed."""
        return self.approved


_FINISHED = kept_as(Finished | None)
_APPROVAL = kept_as(Approval | None)


class Composition(Verbs):
    """Other journeys, other people."""

    def enter(
        self, journey: type[Journey], *, if_passed: IfPassed | None = None, step: str | None = None
    ) -> Verb[Entered]:
        """Enter the contact into another journey and go on. Its re-entry rule decides whether they get in."""
        place = self._travel.place("enter", step)
        return _entering(self._travel, place, journey, if_passed=if_passed, awaited=False)

    def sub_journey(
        self,
        journey: type[Journey],
        *,
        timeout: timedelta | None = None,
        if_passed: IfPassed | None = None,
        step: str | None = None,
    ) -> Verb[Finished | None]:
        """Enter the contact into another journey and wait for its end. It ends with this one, if this one ends first.

        Args:
            journey: The other one. Its re-entry rule decides whether they get in.
            timeout: How long to wait; as long as it takes, where not given. The other journey goes on after that.
            if_passed: For a step added later: what it means for people who are past it.
            step: A name of its own.

        Returns:
            How it ended. None where they were not let in, or the time was up.
        """
        place = self._travel.place("sub_journey", step)
        return _sub_journey(self._travel, place, journey, timeout, if_passed=if_passed)

    def approval(
        self,
        question: str,
        *,
        who: str,
        timeout: timedelta,
        if_passed: IfPassed | None = None,
        step: str | None = None,
    ) -> Verb[Approval | None]:
        """Ask somebody in the team, and wait for their answer: by the link they get, in the console or by API.

        Args:
            question: In a sentence; answered with yes or no.
            who: A team, as your settings know it.
            timeout: How long to wait.
            if_passed: For a step added later: what it means for people who are past it.
            step: A name of its own.

        Returns:
            The answer, true in a condition when they agreed; None when nobody answered in time.
        """
        place = self._travel.place("approval", step)
        return _approval(self._travel, place, question, who, timeout, if_passed=if_passed)


def _entering(
    travel: Travel, place: Place, journey: type[Journey], *, if_passed: IfPassed | None, awaited: bool
) -> Verb[Entered]:
    name = journey.spec.name

    async def act() -> Entered:
        def order() -> Enter:
            return Enter(**travel.order(place), journey=name, wall=workflow.now(), awaited=awaited)

        with travel.doing(place, f"enter {name}"):
            entered = await travel.effect(place, order, Entered, f"Enter {name}")
        if awaited and entered.enrollment_id is not None:
            travel.waits_for(entered.enrollment_id)
        travel.passed(place, f"entered {name}" if entered else f"did not enter {name}: {entered.refused}")
        return entered

    skipped = Entered(refused="was past this step when it was added")
    return travel.once(place, _ENTERED, act, if_passed=if_passed, skipped=lambda: skipped)


async def _sub_journey(
    travel: Travel, place: Place, journey: type[Journey], patience: timedelta | None, *, if_passed: IfPassed | None
) -> Finished | None:
    name = journey.spec.name
    entered = await _entering(travel, _begun(place), journey, if_passed=if_passed, awaited=True)
    if entered.enrollment_id is None:
        return None
    child = entered.enrollment_id
    over = on("Journey Ended", enrollment=child, take=("ending", "reason"))

    async def act() -> Finished | None:
        travel.waits_for(child)
        event = await _answer(travel, place, over, patience, f"{name} to end")
        travel.leaves_alone(child)
        if event is None:
            return None
        ended = Finished.model_validate(event.properties)
        travel.passed(place, f"{name} ended: {ended.ending.value}, {ended.reason}")
        return ended

    return await travel.once(place, _FINISHED, act, if_passed=if_passed, skipped=lambda: None)


async def _approval(
    travel: Travel, place: Place, question: str, who: str, patience: timedelta, *, if_passed: IfPassed | None
) -> Approval | None:
    begun = _begun(place)

    async def ask() -> Asked:
        def order() -> AskApproval:
            return AskApproval(**travel.order(begun), question=question, who=who, until=travel.now() + patience)

        with travel.doing(begun, f"ask {who}: {question}"):
            asked = await travel.effect(begun, order, Asked, f"Ask {who}: {question}")
        travel.passed(begun, f"asked {who}: {question}")
        return asked

    skipped = Asked(approval="")
    asked = await travel.once(begun, _ASKED, ask, if_passed=if_passed, skipped=lambda: skipped)
    answered = on("Approval Answered", approval=asked.approval, take=("approved", "by"))

    async def act() -> Approval | None:
        event = await _answer(travel, place, answered, patience, f"an answer of {who}: {question}")
        if event is None:
            travel.passed(place, f"no answer of {who}: {question}")
            return None
        answer = Approval.model_validate(event.properties)
        travel.passed(place, f"{answer.by} said {'yes' if answer else 'no'}: {question}")
        return answer

    return await travel.once(place, _APPROVAL, act, if_passed=if_passed, skipped=lambda: None)


async def _answer(
    travel: Travel, place: Place, condition: Condition, patience: timedelta | None, what: str
) -> Happened | None:
    with travel.open(place, travel.now() + patience if patience is not None else None) as wait:
        limit = f", until {instant(wait.deadline)}" if wait.deadline is not None else ""
        with travel.doing(place, f"waiting for {what}{limit}"):
            return await travel.first(place, condition, wait.deadline, f"Wait for {what}")


def _begun(place: Place) -> Place:
    """The first half of a step that asks and then waits: kept on its own, so that nobody is asked twice."""
    return Place(f"{place.step}#begun", place.visit)
