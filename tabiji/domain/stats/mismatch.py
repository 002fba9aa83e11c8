"""Whether arms got the shares of people they should have got.

Where they did not, something treats the arms differently before anything is counted (an arm's template that fails, a
redirect that loses people), and nothing else the counts say can be trusted.

The same bet as in `sequential`, on people instead of conversions and with all arms at once, so one may look at any time
(Lindon and Malek 2022).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tabiji.domain.stats.tally import Batch

ALPHA = 0.001
"""A false alarm happens in one experiment of a thousand, over all looks."""
EXPECTED = 1_000.0


def mismatch(batches: Sequence[Batch]) -> float:
    """The always-valid p-value of everybody having been given an arm by the weights. Below `ALPHA`: it is not so."""
    return min(1.0, math.exp(-math.fsum(_bet(batch.weights, batch) for batch in batches)))


def _bet(weights: Mapping[str, float], batch: Batch) -> float:
    arms = [arm for arm, weight in weights.items() if weight > 0]
    total = sum(weights[arm] for arm in arms)
    people = {arm: batch.of(arm).people for arm in arms}
    if len(arms) < 2 or not any(people.values()):
        return 0.0
    start = {arm: EXPECTED * weights[arm] / total for arm in arms}
    unknown = _log_dirichlet([start[arm] + people[arm] for arm in arms]) - _log_dirichlet(list(start.values()))
    return unknown - math.fsum(people[arm] * math.log(weights[arm] / total) for arm in arms)


def _log_dirichlet(values: list[float]) -> float:
    return math.fsum(map(math.lgamma, values)) - math.lgamma(math.fsum(values))
