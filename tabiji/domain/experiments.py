"""Who is in which arm of an experiment, and what is to be found out by it.

An arm is drawn by chance, but is the same for the same person every time it is asked.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from tabiji.domain.conditions import Condition
from tabiji.domain.journeys import ends
from tabiji.domain.patterns import Single
from tabiji.domain.stats.tally import Tally
from tabiji.domain.stats.thompson import choose
from tabiji.domain.tests import Data
from tabiji.errors import JourneyDefinitionError

_ONE = 2**64

WINDOW = timedelta(days=7)
"""How long somebody has to convert after they were given an arm, where nothing else is said."""
LONGEST_WINDOW = timedelta(days=366)
AT_LEAST = 100
"""People in each arm, their time to convert over, before anything is said about a winner."""
MOST_ARMS = 10

Method: TypeAlias = Literal["shares", "bandit"]
"""By fixed shares, which proves; or a bandit, which earns while it learns, and proves less."""
Winner: TypeAlias = Literal["ask", "auto"]
"""What happens once a winner is proved: a person decides, or everybody who has no arm yet gets it from then on."""
Chosen: TypeAlias = Literal["shares", "bandit", "winner"]
"""How somebody came by their arm. Only those drawn by shares are compared for a proof."""


class Design(Data):
    """What is to be found out, and by which rules. Kept with the experiment, so that its read-out needs no code."""

    goals: tuple[Condition, ...] = ()
    """Any of them counts. None: of a mail, a click in that very mail."""
    within: timedelta = WINDOW
    at_least: int = AT_LEAST
    method: Method = "shares"
    winner: Winner = "ask"


def design(
    goal: Single | tuple[Single, ...] = (),
    within: timedelta = WINDOW,
    at_least: int = AT_LEAST,
    method: Method = "shares",
    winner: Winner = "ask",
) -> Design:
    """Make a design of what an author says.

    Raises:
        JourneyDefinitionError: It makes no sense; the message says what does.
    """
    if not timedelta(0) < within <= LONGEST_WINDOW:
        raise JourneyDefinitionError(f"an experiment's within= is more than zero and at most a year, not {within}.")
    if at_least < 1:
        raise JourneyDefinitionError(f"an experiment's at_least= counts people: 1 or more, not {at_least}.")
    if method == "bandit" and winner == "auto":
        raise JourneyDefinitionError(
            "a bandit proves no winner, so there is none to be taken by itself. Leave winner= out, or method=."
        )
    goals = ends(goal if isinstance(goal, tuple) else (goal,), "goal")
    return Design(goals=plainly(goals), within=within, at_least=at_least, method=method, winner=winner)


def plainly(goals: Iterable[Condition]) -> tuple[Condition, ...]:
    """Goals as an experiment counts them: what else they say, for a journey, is left out."""
    return tuple(goal.model_copy(update={"take": (), "then": None}) for goal in goals)


class Draw(BaseModel):
    """An experiment as somebody is put into it: its arms, in which shares, and what it is to find out."""

    model_config = ConfigDict(frozen=True)

    experiment: str
    arms: tuple[str, ...]
    weights: tuple[float, ...]
    design: Design = Field(default_factory=Design)
    kind: Literal["split", "content", "holdout"] = "split"

    @property
    def shares(self) -> dict[str, float]:
        """Weight by arm."""
        return dict(zip(self.arms, self.weights, strict=True))


class Drawn(BaseModel):
    """The arm of somebody, and how they came by it."""

    model_config = ConfigDict(frozen=True)

    arm: str
    chosen: Chosen = "shares"


def draw(
    asked: Draw, contact_id: str, *, decided: str | None = None, counted: Mapping[str, Tally] | None = None
) -> Drawn:
    """The arm of a contact who has none yet. The same for the same arguments.

    Args:
        asked: The experiment.
        contact_id: The contact.
        decided: The winner, where there is one: everybody gets it.
        counted: For a bandit: what was counted lately; an arm that is not in it has not begun.

    Raises:
        ValueError: See `assign`.
    """
    if (problem := problem_with(asked.arms, asked.weights)) is not None:
        raise ValueError(problem)
    if decided in asked.arms:
        return Drawn(arm=str(decided), chosen="winner")
    if asked.design.method == "bandit":
        known = counted or {}
        open_arms = {arm: known.get(arm, Tally()) for arm, weight in asked.shares.items() if weight > 0}
        return Drawn(arm=choose(asked.experiment, contact_id, open_arms), chosen="bandit")
    return Drawn(arm=assign(asked.experiment, contact_id, asked.arms, asked.weights))


def assign(experiment: str, contact_id: str, arms: Sequence[str], weights: Sequence[float]) -> str:
    """The arm of a contact who has none yet, by shares.

    Each arm gets its weight's share of many contacts. What one experiment says of a contact tells nothing about
    what another says.

    Args:
        experiment: Its name.
        contact_id: The contact.
        arms: Different from each other.
        weights: Of each arm, in the same order; any scale.

    Raises:
        ValueError: The weights do not belong to the arms, one is negative or not finite, or all are 0.
    """
    if (problem := problem_with(arms, weights)) is not None:
        raise ValueError(problem)
    digest = hashlib.sha256(f"{experiment}\n{contact_id}".encode()).digest()
    point = int.from_bytes(digest[:8]) / _ONE * sum(weights)
    for arm, weight in zip(arms, weights, strict=True):
        point -= weight
        if point < 0:
            return arm
    # Rounding only: nobody falls to an arm that nobody is to get.
    return next(arm for arm, weight in reversed(list(zip(arms, weights, strict=True))) if weight > 0)


def problem_with(arms: Sequence[str], weights: Sequence[float]) -> str | None:
    """Why nobody can be assigned to these, None when they can."""
    if not arms or len(set(arms)) != len(arms):
        return "there must be arms, each with a name of its own"
    if len(weights) != len(arms):
        return f"{len(arms)} arms need as many weights"
    if any(not math.isfinite(weight) or weight < 0 for weight in weights):
        return "a weight must be 0 or more"
    if not 0 < sum(weights) < math.inf:
        return "one of the weights must be above 0"
    return None
