"""What is proved, whenever one looks.

Of two arms that convert alike, each conversion falls to the first with the share of people that arm was given, whatever
the rate is and however it changes over time. So the arms of the conversions, in the order in which they come, are
throws of a coin whose odds are known. How well a coin with unknown odds explains them, against the known one, is the
*evidence*: a bet that starts at 1 and cannot grow on average if the arms are alike. By Ville's inequality it ever
reaches 20 with a probability of at most 1/20, however often one looks.

This is the mixture sequential probability ratio test of Robbins (1970), with the beta mixture for counts of Lindon and
Malek ("Anytime-valid inference for multinomial count data", 2022). It is exact: no normal approximation, no smallest
sample. With k arms a winner must beat each of the others with evidence of (k - 1) / alpha: it is then false, not the
best or as good as another, with a probability of at most alpha in all, because it must have beaten the truly best one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tabiji.domain.stats.beta import log_beta
from tabiji.domain.stats.tally import Batch

ALPHA = 0.05
"""The most a false winner may happen, over all looks."""
EXPECTED = 100.0
"""How many conversions' worth of belief the bet starts with that arms differ little: it finds uplifts around 20 % with
the fewest people, and all others with some more."""
_FAR = 50.0


@dataclass(frozen=True, slots=True)
class Interval:
    """By how much one arm's rate is above another's: 0.1 is 10 % more. It holds at every moment, with 1 - alpha."""

    low: float
    high: float
    """Infinite as long as nothing is known."""


def evidence(batches: Sequence[Batch], arm: str, other: str, *, ratio: float = 1.0) -> float:
    """How much speaks against an arm's rate being `ratio` times another's, as a logarithm: 0 is nothing."""
    return math.fsum(_bet(batch, arm, other, math.log(ratio)) for batch in batches)


def p_value(batches: Sequence[Batch], arm: str, other: str, *, comparisons: int = 1) -> float:
    """The always-valid p-value of two arms being alike, corrected for so many comparisons."""
    return min(1.0, comparisons * math.exp(-evidence(batches, arm, other)))


def beats(batches: Sequence[Batch], arm: str, others: Sequence[str], *, alpha: float = ALPHA) -> bool:
    """Whether an arm is proved to be better than each of the others."""
    needed = math.log(len(others) / alpha) if others else math.inf
    return all(_leads(batches, arm, other) and evidence(batches, arm, other) >= needed for other in others) and bool(
        others
    )


def interval(batches: Sequence[Batch], arm: str, other: str, *, comparisons: int = 1, alpha: float = ALPHA) -> Interval:
    """By how much an arm is above another, at any time: every ratio against which there is not enough evidence."""
    limit = math.log(comparisons / alpha)

    def against(log_ratio: float) -> float:
        return math.fsum(_bet(batch, arm, other, log_ratio) for batch in batches) - limit

    centre = _least(against)
    low, high = _edge(against, centre, -_FAR), _edge(against, centre, _FAR)
    return Interval(low=math.expm1(low) if low > -_FAR else -1.0, high=math.expm1(high) if high < _FAR else math.inf)


def _bet(batch: Batch, arm: str, other: str, log_ratio: float) -> float:
    """Logarithm of how much better unknown odds explain a batch's conversions than the known ones do."""
    share = batch.share(arm, other)
    won, lost = batch.of(arm).converted, batch.of(other).converted
    if share is None or won + lost == 0:
        return 0.0
    a, b = EXPECTED * share, EXPECTED * (1 - share)
    odds = math.log(share) - math.log1p(-share) + log_ratio
    known = -won * _log1pexp(-odds) - lost * _log1pexp(odds)
    return log_beta(a + won, b + lost) - log_beta(a, b) - known


def _leads(batches: Sequence[Batch], arm: str, other: str) -> bool:
    """Whether more of the conversions fell to an arm than its share: the side on which the evidence lies."""
    ahead = 0.0
    for batch in batches:
        if (share := batch.share(arm, other)) is not None:
            won, lost = batch.of(arm).converted, batch.of(other).converted
            ahead += won - share * (won + lost)
    return ahead > 0


def _log1pexp(x: float) -> float:
    return x + math.log1p(math.exp(-x)) if x > 0 else math.log1p(math.exp(x))


def _least(function: Callable[[float], float]) -> float:
    """Where a convex function is smallest, between -_FAR and _FAR."""
    low, high = -_FAR, _FAR
    for _ in range(120):
        one, two = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, two) if function(one) <= function(two) else (one, high)
    return (low + high) / 2


def _edge(function: Callable[[float], float], inside: float, outside: float) -> float:
    """Where a convex function that is not above 0 inside gets above it; `outside` where it does not."""
    if function(outside) <= 0:
        return outside
    for _ in range(80):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if function(middle) <= 0 else (inside, middle)
    return inside
