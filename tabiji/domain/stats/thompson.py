"""A bandit's choice (Thompson 1933): each arm gets as many people as it is likely to be the best.

It loses fewer conversions while it learns than equal shares do, and proves less: arms that fall behind early get few
people, and what is known of them stays vague. Who needs a proof tests by weights.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping

from tabiji.domain.stats.tally import Tally


def choose(experiment: str, contact_id: str, tallies: Mapping[str, Tally]) -> str:
    """The arm for somebody who has none yet: always the same for the same person and the same counts.

    Args:
        experiment: Its name.
        contact_id: The contact.
        tallies: Of every arm, people whose time to convert is over. One that has not begun is as good as any.
    """
    counted = sorted((arm, tally.people, tally.converted) for arm, tally in tallies.items())
    seed = hashlib.sha256(json.dumps([experiment, contact_id, counted]).encode()).digest()
    chance = random.Random(int.from_bytes(seed))  # noqa: S311 # no secret hangs on it, and it must be repeatable
    drawn = {arm: chance.betavariate(1 + done, 1 + people - done) for arm, people, done in counted}
    return max(drawn, key=lambda arm: (drawn[arm], arm))
