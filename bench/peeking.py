"""What looking too often does: `python -m bench.peeking` prints JSON.

Thousands of experiments whose arms are alike are looked at after every person, until somebody would call a winner. Then
experiments with a real uplift: how often is it found, and after how many people.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from statistics import NormalDist

from tabiji.domain.stats.need import fixed, needed
from tabiji.domain.stats.sequential import ALPHA, beats
from tabiji.domain.stats.tally import Batch, Tally

_Z = NormalDist().inv_cdf(1 - ALPHA / 2)


class Rule(StrEnum):
    """When a winner is called."""

    FIXED_Z = "fixed z-test, looked at after every person"
    MSPRT = "mSPRT with a normal mixture"
    OURS = "ours"


@dataclass
class Counts:
    """Of one experiment so far, by arm."""

    people: list[int]
    converted: list[int]

    def winner(self, rule: Rule) -> int | None:
        """The arm a rule would call now."""
        if rule is Rule.OURS:
            return self._ours()
        ahead = max(range(len(self.people)), key=lambda arm: self.converted[arm] / max(self.people[arm], 1))
        others = [arm for arm in range(len(self.people)) if arm != ahead]
        test = _z_test if rule is Rule.FIXED_Z else _msprt
        return ahead if all(test(self, ahead, other) for other in others) else None

    def _ours(self) -> int | None:
        names = [str(arm) for arm in range(len(self.people))]
        tallies = {name: Tally(self.people[at], self.converted[at]) for at, name in enumerate(names)}
        batch = Batch(dict.fromkeys(names, 1.0), tallies)
        ahead = max(names, key=lambda name: tallies[name].converted)
        others = [name for name in names if name != ahead]
        return int(ahead) if beats([batch], ahead, others) else None


def _difference(counts: Counts, one: int, other: int) -> tuple[float, float]:
    """Of two rates, and its variance."""
    n, m = counts.people[one], counts.people[other]
    if min(n, m) == 0:
        return 0.0, 0.0
    pooled = (counts.converted[one] + counts.converted[other]) / (n + m)
    return counts.converted[one] / n - counts.converted[other] / m, pooled * (1 - pooled) * (1 / n + 1 / m)


def _z_test(counts: Counts, one: int, other: int) -> bool:
    difference, variance = _difference(counts, one, other)
    return variance > 0 and difference / math.sqrt(variance) > _Z


def _msprt(counts: Counts, one: int, other: int, tau: float = 0.02) -> bool:
    """Johari, Pekelis and Walsh (2015): the mixture over differences is normal with the deviation `tau`."""
    difference, variance = _difference(counts, one, other)
    if variance <= 0:
        return False
    spread = variance + tau * tau
    log = 0.5 * math.log(variance / spread) + difference * difference * tau * tau / (2 * variance * spread)
    return log > math.log((len(counts.people) - 1) / ALPHA)


def watched(
    chance: random.Random, rates: Sequence[float], people: int, rules: Sequence[Rule]
) -> dict[Rule, tuple[int, int]]:
    """Look after every person. Of each rule that calls a winner: which, and after how many people."""
    counts = Counts([0] * len(rates), [0] * len(rates))
    called: dict[Rule, tuple[int, int]] = {}
    for person in range(1, people + 1):
        arm = chance.randrange(len(rates))
        counts.people[arm] += 1
        converts = chance.random() < rates[arm]
        counts.converted[arm] += converts
        for rule in rules:
            # Nothing but a conversion can make a winner by our rule.
            if rule not in called and (converts or rule is not Rule.OURS):
                winner = counts.winner(rule)
                if winner is not None:
                    called[rule] = (winner, person)
        if len(called) == len(rules):
            break
    return called


def false_winners(
    *, experiments: int, people: int, rate: float, seed: int, arms: int = 2, rules: Sequence[Rule] = tuple(Rule)
) -> dict[Rule, float]:
    """The share of experiments in which a rule calls a winner though all arms are alike."""
    chance = random.Random(seed)  # noqa: S311 # a simulation
    runs = [watched(chance, [rate] * arms, people, rules) for _ in range(experiments)]
    return {rule: sum(rule in run for run in runs) / experiments for rule in rules}


@dataclass
class Found:
    """Of so many experiments with a real uplift."""

    experiments: int
    right: int
    wrong: int
    median: float | None
    """People of both arms after whom it was called."""


def found(*, experiments: int, people: int, rate: float, uplift: float, seed: int) -> Found:
    """How often and how soon our rule calls the better of two arms."""
    chance = random.Random(seed)  # noqa: S311 # a simulation
    runs = [watched(chance, (rate, rate * (1 + uplift)), people, (Rule.OURS,)) for _ in range(experiments)]
    called = [run[Rule.OURS] for run in runs if run]
    after = [people for winner, people in called if winner == 1]
    return Found(experiments, len(after), len(called) - len(after), statistics.median(after) if after else None)


def measured(experiments: int, people: int) -> dict[str, object]:
    """Everything the manual quotes."""
    figures: dict[str, object] = {"alpha": ALPHA, "experiments": experiments, "people": people}
    for arms in (2, 4):
        for rate in (0.02, 0.1, 0.4):
            kept = false_winners(experiments=experiments, people=people, rate=rate, seed=1, arms=arms)
            figures[f"false winners, {arms} arms, {rate:.0%}"] = {rule.value: share for rule, share in kept.items()}
    for rate, uplift in ((0.05, 0.2), (0.1, 0.2), (0.1, 0.5), (0.4, 0.1)):
        horizon = 2 * (needed(rate, uplift) or 0)
        it = found(experiments=experiments // 10, people=horizon, rate=rate, uplift=uplift, seed=2)
        figures[f"uplift of {uplift:.0%} on {rate:.0%}"] = {
            **asdict(it), "fixed test needs": 2 * fixed(rate, uplift), "we say": horizon,
        }  # fmt: skip
    return figures


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=2_000)
    parser.add_argument("--people", type=int, default=5_000)
    given = parser.parse_args()
    print(json.dumps(measured(given.experiments, given.people), indent=2))


if __name__ == "__main__":
    main()
