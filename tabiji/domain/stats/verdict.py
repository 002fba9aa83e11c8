"""What an experiment says, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tabiji.domain.stats import mismatch as shares
from tabiji.domain.stats.bayes import Belief, beliefs
from tabiji.domain.stats.need import needed
from tabiji.domain.stats.sequential import Interval, beats, interval, p_value
from tabiji.domain.stats.tally import Batch, Tally, together

WORTH = 0.1
"""Arms whose rates surely differ by less than this, relative to the first, are alike for practical purposes."""
UPLIFTS = (0.2, 0.1, 0.05)
"""Estimates of how many people it takes are for the largest of these that would not have been found by now."""


class Verdict(StrEnum):
    """What can be said."""

    NO_GOAL = "no_goal"
    MISMATCH = "mismatch"
    NOT_ENOUGH = "not_enough_data"
    WINNER = "winner"
    ALIKE = "alike"
    BANDIT = "bandit"


@dataclass(frozen=True, slots=True, kw_only=True)
class More:
    """How much is missing: about so many people in each arm, to see an uplift of this much in four cases of five."""

    people: int
    uplift: float | None
    """None: to reach the least number of people that was asked for."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was read out of counts.

    Attributes:
        winner: Proved to be better than all others.
        tallies: By arm, over all batches.
        beliefs: By arm.
        uplift: Of each arm but the first, over the first. It holds at every moment, for all arms together. Empty for a
            bandit.
        p: The always-valid p-value of the leading arm being no better than its closest rival.
        mismatch: The always-valid p-value of people having got their arms by the weights.
        more: What is missing.
    """

    verdict: Verdict
    winner: str | None
    tallies: Mapping[str, Tally]
    beliefs: Mapping[str, Belief]
    uplift: Mapping[str, Interval]
    p: float
    mismatch: float
    more: More | None


def read(
    arms: Sequence[str],
    batches: Sequence[Batch],
    *,
    at_least: int,
    given: Sequence[Batch] | None = None,
    has_goal: bool = True,
    proves: bool = True,
) -> Reading:
    """Read an experiment out. It may be done at any time, and as often as one likes.

    Args:
        arms: In the author's order; the first is what the others are compared with.
        batches: People whose time to convert is over.
        at_least: People in each arm before anything is said about a winner.
        given: Everybody who was given an arm, to see whether they got them by the weights; absent: those in `batches`.
        has_goal: Whether there is anything to convert to.
        proves: Whether arms were drawn by shares, which a proof needs.
    """
    tallies = together(batches, arms)
    comparisons = max(1, len(arms) - 1)
    off = shares.mismatch(batches if given is None else given) if proves else 1.0
    winner = _winner(arms, batches) if proves else None
    # Who chooses by what came before throws no coin with known odds: nothing of this would hold.
    compared = arms[1:] if proves else ()
    uplift = {arm: interval(batches, arm, arms[0], comparisons=comparisons) for arm in compared}
    verdict = _verdict(tallies, uplift, at_least, winner, off, has_goal=has_goal, proves=proves)
    return Reading(
        verdict=verdict,
        winner=winner if verdict is Verdict.WINNER else None,
        tallies=tallies,
        beliefs=beliefs(tallies),
        uplift=uplift,
        p=_p(tallies, batches, comparisons) if proves else 1.0,
        mismatch=off,
        more=_more(tallies, at_least, len(arms)) if verdict is Verdict.NOT_ENOUGH else None,
    )


def _verdict(
    tallies: Mapping[str, Tally],
    uplift: Mapping[str, Interval],
    at_least: int,
    winner: str | None,
    off: float,
    *,
    has_goal: bool,
    proves: bool,
) -> Verdict:
    if not has_goal:
        return Verdict.NO_GOAL
    if off < shares.ALPHA:
        return Verdict.MISMATCH
    if not proves:
        return Verdict.BANDIT
    if min(tally.people for tally in tallies.values()) < at_least:
        return Verdict.NOT_ENOUGH
    if winner is not None:
        return Verdict.WINNER
    if uplift and all(one.low >= -WORTH and one.high <= WORTH for one in uplift.values()):
        return Verdict.ALIKE
    return Verdict.NOT_ENOUGH


def _winner(arms: Sequence[str], batches: Sequence[Batch]) -> str | None:
    for arm in arms:
        if beats(batches, arm, [other for other in arms if other != arm]):
            return arm
    return None


def _p(tallies: Mapping[str, Tally], batches: Sequence[Batch], comparisons: int) -> float:
    ahead = max(tallies, key=lambda arm: tallies[arm].rate)
    return max(
        (p_value(batches, ahead, other, comparisons=comparisons) for other in tallies if other != ahead), default=1.0
    )


def _more(tallies: Mapping[str, Tally], at_least: int, arms: int) -> More | None:
    """None where nobody has converted yet: then nobody can say."""
    fewest = min(tally.people for tally in tallies.values())
    if fewest < at_least:
        return More(people=at_least - fewest, uplift=None)
    rate = sum(tallies.values(), Tally()).rate
    for uplift in UPLIFTS:
        if (people := needed(rate, uplift, arms=arms)) is not None and people > fewest:
            return More(people=people - fewest, uplift=uplift)
    return None
