"""What was counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tally:
    """One arm: people whose time to convert is over, and those of them who have."""

    people: int = 0
    converted: int = 0

    def __post_init__(self) -> None:
        """Hold the numbers against each other.

        Raises:
            ValueError: More have converted than there are.
        """
        if not 0 <= self.converted <= self.people:
            raise ValueError(f"{self.converted} of {self.people} people cannot have converted")

    def __add__(self, other: Tally) -> Tally:
        """Of both together."""
        return Tally(self.people + other.people, self.converted + other.converted)

    @property
    def rate(self) -> float:
        """The share that converted; 0 where there is nobody."""
        return self.converted / self.people if self.people else 0.0


@dataclass(frozen=True)
class Batch:
    """People who were given an arm by the same weights. Where weights are changed, a new batch begins."""

    weights: Mapping[str, float]
    tallies: Mapping[str, Tally]

    def of(self, arm: str) -> Tally:
        """One arm's."""
        return self.tallies.get(arm, Tally())

    def share(self, arm: str, other: str) -> float | None:
        """Of those who got one of two arms, the share meant for the first; None where one of them was not given out."""
        one, two = self.weights.get(arm, 0.0), self.weights.get(other, 0.0)
        return one / (one + two) if one > 0 and two > 0 else None


def together(batches: Iterable[Batch], arms: Iterable[str]) -> dict[str, Tally]:
    """Of all batches, by arm."""
    given = list(batches)
    return {arm: sum((batch.of(arm) for batch in given), Tally()) for arm in arms}
