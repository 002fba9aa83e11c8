"""How many people it takes."""

from __future__ import annotations

import math
from statistics import NormalDist

from tabiji.domain.stats.beta import log_beta
from tabiji.domain.stats.sequential import ALPHA, EXPECTED

MOST = 10**9


def needed(rate: float, uplift: float, *, arms: int = 2, alpha: float = ALPHA) -> int | None:
    """People in each arm after which the sequential test has probably found an uplift: in four cases of five.

    An estimate: evidence is reckoned where conversions fall one standard deviation (0.84) short of what is expected.

    Args:
        rate: Of the arm without the uplift.
        uplift: 0.2 is 20 % more.
        arms: How many there are.
        alpha: See `sequential`.

    Returns:
        None where the rate is 0, or so many are needed that it makes no sense.
    """
    if not 0 < rate < 1 or uplift <= 0:
        return None
    better = min(rate * (1 + uplift), 1.0)
    limit = math.log((arms - 1) / alpha)
    low, high = 1, MOST
    if _evidence_at(high, rate, better) < limit:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _evidence_at(middle, rate, better) >= limit else (middle + 1, high)
    return low


def fixed(rate: float, uplift: float, *, alpha: float = ALPHA, power: float = 0.8) -> int:
    """People in each of two arms for a test that may be looked at once, at the end: the textbook's formula."""
    better = rate * (1 + uplift)
    quantile = NormalDist().inv_cdf
    z = quantile(1 - alpha / 2) + quantile(power)
    return math.ceil(z * z * (rate * (1 - rate) + better * (1 - better)) / (better - rate) ** 2)


def _evidence_at(people: int, rate: float, better: float) -> float:
    """The evidence where the difference comes out 0.84 standard deviations smaller than it is."""
    conversions = people * (rate + better)
    share = better / (rate + better)
    short = 0.84 * math.sqrt(share * (1 - share) / conversions)
    share = max(0.5, share - short)
    won = conversions * share
    a, lost = EXPECTED / 2, conversions - won
    return log_beta(a + won, a + lost) - log_beta(a, a) + conversions * math.log(2)
