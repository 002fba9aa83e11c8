"""What to believe of arms after counting: Beta-Binomial, each arm by itself, all rates as likely before.

How likely is each arm the best one? What does it cost on average to choose it? These are beliefs for planning. They are
not guarded against looking often; what is proved is in `sequential`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tabiji.domain.stats.beta import Beta
from tabiji.domain.stats.tally import Tally

SPAN = 9.0
"""Standard deviations to either side that are looked at; beyond lies less than 1e-12."""
POINTS = 360
"""Steps of each arm's span. The error of a probability is below 1e-4; tests hold it against closed forms."""


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one arm.

    Attributes:
        rate: Expected.
        low: The rate is above this with 97.5 %.
        high: The rate is below this with 97.5 %.
        best: Probability that no other arm is better.
        loss: How much of the rate is lost on average by choosing it, where another is the best.
    """

    rate: float
    low: float
    high: float
    best: float
    loss: float


def posterior(tally: Tally) -> Beta:
    """What is believed of the rate behind a tally."""
    return Beta(1.0 + tally.converted, 1.0 + tally.people - tally.converted)


def beliefs(tallies: Mapping[str, Tally]) -> dict[str, Belief]:
    """What is believed of each arm. The probabilities to be the best add up to 1."""
    rates = {arm: posterior(tally) for arm, tally in tallies.items()}
    points = _points(rates.values())
    below = {arm: [rate.below(x) for x in points] for arm, rate in rates.items()}
    all_below = [math.prod(column) for column in zip(*below.values(), strict=True)]
    # The mean of the largest: what lies above each point, added up.
    largest = _area(points, [1 - one for one in all_below])
    best = {arm: _best(arm, rates, points, below) for arm in rates}
    total = sum(best.values()) or 1.0
    return {
        arm: Belief(
            rate=rate.mean,
            low=rate.quantile(0.025),
            high=rate.quantile(0.975),
            best=best[arm] / total,
            loss=max(0.0, largest - rate.mean),
        )
        for arm, rate in rates.items()
    }


def _best(arm: str, rates: Mapping[str, Beta], points: list[float], below: Mapping[str, list[float]]) -> float:
    others = [column for other, column in below.items() if other != arm]
    density = rates[arm].density
    return _area(points, [density(x) * math.prod(one[at] for one in others) for at, x in enumerate(points)])


def _points(rates: Iterable[Beta]) -> list[float]:
    found = {0.0, 1.0}
    for rate in rates:
        reach = SPAN * rate.deviation
        low, high = max(0.0, rate.mean - reach), min(1.0, rate.mean + reach)
        found.update(low + (high - low) * step / POINTS for step in range(POINTS + 1))
    return sorted(found)


def _area(points: list[float], heights: list[float]) -> float:
    pairs = zip(points, points[1:], heights, heights[1:], strict=False)
    return math.fsum((right - left) * (one + two) / 2 for left, right, one, two in pairs)
