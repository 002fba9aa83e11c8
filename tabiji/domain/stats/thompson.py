"""A bandit's choice (Thompson 1933): each arm gets as many people as it is likely to be the best.

It loses fewer conversions while it learns than equal shares do, and proves less: arms that fall behind early get few
people, and what is known of them stays vague. Who needs a proof tests by shares.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache

from tabiji.domain.stats.bayes import posterior
from tabiji.domain.stats.tally import Tally

STEPS = 4096
"""Chance comes in so many steps: an arm that is the best with less than 1 in 4096 is not tried."""


def choose(experiment: str, contact_id: str, tallies: Mapping[str, Tally]) -> str:
    """The arm for somebody who has none yet: always the same for the same person and the same counts.

    Args:
        experiment: Its name.
        contact_id: The contact.
        tallies: Of every arm, people whose time to convert is over. One that has not begun is as good as any.
    """
    counted = sorted((arm, tally.people, tally.converted) for arm, tally in tallies.items())
    seed = json.dumps([experiment, contact_id, counted])
    drawn = {arm: _rate(people, done, _chance(seed, arm)) for arm, people, done in counted}
    return max(drawn, key=lambda arm: (drawn[arm], _chance(seed, arm)))


def _chance(seed: str, arm: str) -> int:
    digest = hashlib.sha256(f"{seed}\n{arm}".encode()).digest()
    return int.from_bytes(digest[:8]) % STEPS


# People of one page share their counts.
@lru_cache(maxsize=4 * STEPS)
def _rate(people: int, converted: int, step: int) -> float:
    return posterior(Tally(people, converted)).quantile((step + 0.5) / STEPS)
