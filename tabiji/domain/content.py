"""Tests of content: the same mail in several arms, which differ in subject, block, template or send time.

    WELCOME = content_test(
        "welcome subject",
        {"plain": arm(), "warm": arm(), "story": arm(template="trial/story"), "evening": arm(at=time(18))},
        goal=on("Order Completed"),
        within=days(14),
    )

    await self.send_email("trial/welcome", test=WELCOME)

Subject and blocks are content, so they stand in the template: for somebody in the arm `warm` its block `subject_warm`
takes the place of `subject`, `hero_warm` that of `hero`; and it may ask `{% if variant == "warm" %}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time, timedelta
from itertools import combinations
from typing import Self

from pydantic import model_validator

from tabiji.domain.calendar import TimeOfDay, Weekday, as_when
from tabiji.domain.conditions import Condition
from tabiji.domain.experiments import AT_LEAST, MOST_ARMS, WINDOW, Design, Draw, Method, Winner, design, plainly
from tabiji.domain.patterns import Single
from tabiji.domain.tests import Data
from tabiji.errors import JourneyDefinitionError

_ARM = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Arm(Data):
    """What one arm changes of the mail. Made by `arm`."""

    template: str | None = None
    at: TimeOfDay | Weekday | None = None
    weight: float = 1.0


def arm(*, template: str | None = None, at: time | Weekday | None = None, weight: float = 1.0) -> Arm:
    """Declare an arm.

    Args:
        template: Another template instead of the mail's own.
        at: When it goes out: the next time the contact's clock shows this, ``time(18)``, or
            ``weekday("tuesday", time(9))``. Not given: at once.
        weight: How many people get it, beside the weights of the others. Changing it moves nobody who has an arm.
    """
    when = None if at is None else as_when(at)
    if when is not None and not isinstance(when, TimeOfDay | Weekday):
        raise JourneyDefinitionError(f"arm(at={at!r}): say time(18), or weekday('tuesday', time(9)).")
    return Arm(template=template, at=when, weight=weight)


class ContentTest(Data):
    """A test of a mail's content. Made by `content_test`; journeys and broadcasts take it."""

    name: str
    arms: dict[str, Arm]
    design: Design = Design()

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (problem := _problem(self.name, self.arms)) is not None:
            raise ValueError(problem)
        return self

    def draw(self, goals: tuple[Condition, ...] = ()) -> Draw:
        """How people are put into it; `goals` count where it has none of its own."""
        own = self.design if self.design.goals else self.design.model_copy(update={"goals": plainly(goals)})
        weights = tuple(one.weight for one in self.arms.values())
        return Draw(experiment=self.name, arms=tuple(self.arms), weights=weights, design=own, kind="content")

    def with_goals(self, goals: tuple[Condition, ...]) -> ContentTest:
        """The same; these goals count where it has none of its own."""
        return self.model_copy(update={"design": self.draw(goals).design})

    def template(self, arm: str, own: str) -> str:
        """The template an arm is made from, where the mail's own is this."""
        return (self.arms[arm].template if arm in self.arms else None) or own

    def when(self, arm: str) -> TimeOfDay | Weekday | None:
        """When an arm goes out; None: at once."""
        return self.arms[arm].at if arm in self.arms else None

    @property
    def is_about_time(self) -> bool:
        """Whether an arm has a send time: then people are counted from when it was chosen, not from when it came."""
        return any(one.at is not None for one in self.arms.values())

    def __str__(self) -> str:
        return f"{self.name}: {', '.join(self.arms)}"


def content_test(
    name: str,
    arms: Mapping[str, Arm] | tuple[str, ...],
    *,
    goal: Single | tuple[Single, ...] = (),
    within: timedelta = WINDOW,
    at_least: int = AT_LEAST,
    method: Method = "shares",
    winner: Winner = "ask",
) -> ContentTest:
    """Declare a test of content.

    Args:
        name: Of the experiment. Whoever has an arm keeps it, in every mail and journey that names the same one.
        arms: What each changes, ``{"plain": arm(), "warm": arm(at=time(18))}``; names alone, ``("plain", "warm")``,
            where the template's blocks say it all. Names are lower case: blocks end in them.
        goal: What is to come of it: events, any of which counts. Not given: the journey's own goals; where it has
            none, a click in the mail.
        within: So long after they were given their arm a goal counts.
        at_least: People in each arm, that time over, before a winner is called.
        method: `shares`, or `bandit`, which gives more people to what works and proves no winner.
        winner: `auto`: once it is proved, everybody who has no arm yet gets the winner. `ask`: a person decides.

    Raises:
        JourneyDefinitionError: It makes no sense; the message says what does.
    """
    given = dict(arms) if isinstance(arms, Mapping) else {one: Arm() for one in arms}
    if (problem := _problem(name, given)) is not None:
        raise JourneyDefinitionError(f"content_test({name!r}): {problem}")
    return ContentTest(name=name, arms=given, design=design(goal, within, at_least, method, winner))


def _problem(name: str, arms: Mapping[str, Arm]) -> str | None:
    if not name.strip() or len(name) > 100:
        return "its name is 1 to 100 characters."
    if not 2 <= len(arms) <= MOST_ARMS:
        return f"it takes 2 to {MOST_ARMS} arms."
    for one in arms:
        if not _ARM.fullmatch(one):
            return f"arm {one!r} is to be lower-case letters, digits and _: the blocks of the template end in it."
    if any(not 0 <= one.weight < float("inf") for one in arms.values()):
        return "a weight must be 0 or more."
    if not any(one.weight > 0 for one in arms.values()):
        return "one of the weights must be above 0."
    for one, other in combinations(arms, 2):
        if one.endswith(f"_{other}") or other.endswith(f"_{one}"):
            return f"{one!r} and {other!r} end alike: a block could belong to either."
    return None
