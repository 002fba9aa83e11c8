"""Verbs that look: at what we know of the contact, at values marketers turn, at the arm of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import JsonValue

from tabiji.domain.changes import Expose, Exposed, LookedUp, LookUp
from tabiji.domain.experiments import AT_LEAST, WINDOW, Draw, Method, Winner, design, plainly
from tabiji.domain.params import Param
from tabiji.domain.patterns import Single
from tabiji.errors import InvalidParam, JourneyDefinitionError
from tabiji.journey.journal import Place
from tabiji.journey.travel import Travel
from tabiji.journey.verbs.base import Verb, Verbs, kept_as

E = TypeVar("E", bound=StrEnum)
P = TypeVar("P", bound=timedelta | int | float | Decimal | str)

_JSON: Any = kept_as(JsonValue)
_YES_OR_NO = kept_as(bool)
_POINTS = kept_as(int)
_WORD = kept_as(str | None)
_ARM = kept_as(str)


class Reads(Verbs):
    """Each costs one local activity."""

    def attribute(self, name: str, *, step: str | None = None) -> Verb[JsonValue]:
        """An attribute of the contact; None where there is none. The value is kept in the Temporal history."""
        place = self._travel.place("attribute", step)
        return self._travel.once(place, _JSON, lambda: _look_up(self._travel, place, "attribute", name))

    def has_tag(self, tag: str, *, step: str | None = None) -> Verb[bool]:
        """Whether the contact has a tag."""
        return _is(self._travel, self._travel.place("has_tag", step), "tag", tag)

    def in_list(self, name: str, *, step: str | None = None) -> Verb[bool]:
        """Whether the contact is on a list."""
        return _is(self._travel, self._travel.place("in_list", step), "list", name)

    def in_segment(self, name: str, *, step: str | None = None) -> Verb[bool]:
        """Whether the contact is in a segment now."""
        return _is(self._travel, self._travel.place("in_segment", step), "segment", name)

    def score(self, *, step: str | None = None) -> Verb[int]:
        """The contact's score now."""
        place = self._travel.place("score", step)

        async def act() -> int:
            value = await _look_up(self._travel, place, "score", "")
            return value if isinstance(value, int) else 0

        return self._travel.once(place, _POINTS, act)

    def stage(self, *, step: str | None = None) -> Verb[str | None]:
        """The contact's stage of life; None before the first."""
        place = self._travel.place("stage", step)

        async def act() -> str | None:
            value = await _look_up(self._travel, place, "stage", "")
            return value if isinstance(value, str) else None

        return self._travel.once(place, _WORD, act)

    def value(self, param: Param[P], *, step: str | None = None) -> Verb[P]:
        """What a parameter is set to now, for this person. See `param`.

        A value newer code no longer allows counts as the author's default.
        """
        place = self._travel.place("value", step)
        return _value(self._travel, place, param)

    def split(
        self,
        experiment: str,
        arms: type[E],
        *,
        weights: Mapping[E, float] | None = None,
        goal: Single | tuple[Single, ...] = (),
        within: timedelta = WINDOW,
        at_least: int = AT_LEAST,
        method: Method = "shares",
        winner: Winner = "ask",
        step: str | None = None,
    ) -> Verb[E]:
        """The arm of an experiment this person is in: the same one wherever and whenever it is asked.

            match await self.split("nudge channel", NudgeBy, weights={NudgeBy.EMAIL: 9, NudgeBy.SMS: 1}):

        Args:
            experiment: Its name. Journeys that name the same one share it.
            arms: The arms.
            weights: Of each arm; equal where absent. Changing them later moves nobody who has an arm.
            goal: What is to come of it: events, any of which counts. Not given: the journey's own goals.
            within: So long after they were given their arm a goal counts.
            at_least: People in each arm, that time over, before a winner is called.
            method: `shares`, or `bandit`, which gives more people to what works and proves no winner.
            winner: `auto`: once it is proved, everybody who has no arm yet gets the winner. `ask`: a person decides.
            step: A name of its own.
        """
        place = self._travel.place("split", step)
        own = design(goal, within, at_least, method, winner)
        shares = tuple(float(weights.get(arm, 0)) if weights is not None else 1.0 for arm in arms)
        draw = Draw(experiment=experiment, arms=tuple(arm.value for arm in arms), weights=shares, design=own)
        return _split(self._travel, place, arms, draw)


async def _value(travel: Travel, place: Place, param: Param[P]) -> P:
    kept = await travel.once(place, _JSON, lambda: _look_up(travel, place, "param", param.name, moves=param.moves))
    try:
        return param.default if kept is None else param.parse(kept)
    except InvalidParam:
        return param.default


async def _split(travel: Travel, place: Place, arms: type[E], draw: Draw) -> E:
    experiment, shares = draw.experiment, draw.weights
    if not shares or min(shares) < 0 or sum(shares) <= 0:
        raise JourneyDefinitionError(
            f"step {place.step!r}: the weights of {experiment!r} must be 0 or more, and one of them above 0."
        )
    goals = draw.design.goals or plainly(travel.goals)

    async def act() -> str:
        order = Expose(
            **travel.order(place),
            experiment=experiment,
            arms=draw.arms,
            weights=shares,
            design=draw.design.model_copy(update={"goals": goals}),
        )
        with travel.doing(place, f"finding the arm of {experiment}"):
            odds = ", ".join(f"{name} {share:g}" for name, share in draw.shares.items())
            arm = (await travel.read(order, Exposed, f"Arm of {experiment}: {odds}")).arm
        travel.passed(place, f"{experiment}: {arm}")
        return arm

    arm = await travel.once(place, _ARM, act)
    try:
        return arms(arm)
    except ValueError:
        raise JourneyDefinitionError(
            f"step {place.step!r}: {experiment!r} no longer has the arm {arm!r}, which people are in. Keep it in "
            f"{arms.__name__} with a weight of 0, or begin a new experiment under another name."
        ) from None


def _is(travel: Travel, place: Place, what: str, name: str) -> Verb[bool]:
    async def act() -> bool:
        return bool(await _look_up(travel, place, what, name))

    return travel.once(place, _YES_OR_NO, act)


async def _look_up(travel: Travel, place: Place, what: str, name: str, *, moves: bool = False) -> JsonValue:
    order = LookUp(**travel.order(place), what=what, name=name, moves=moves)
    with travel.doing(place, f"looking up {what} {name}".rstrip()):
        return (await travel.read(order, LookedUp, f"Look up {what} {name}".rstrip())).value
