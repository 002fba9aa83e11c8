"""Who is in which arm of an experiment, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from tabiji.domain.experiments import Draw, draw, problem_with
from tabiji.errors import InvalidChange


@dataclass
class Arms:
    """Arms people have for good, and those a test wants everybody to get."""

    kept: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """By experiment and contact."""
    forced: dict[str, str] = field(default_factory=dict[str, str])
    """By experiment: the arm everybody gets who has none yet."""

    def drawn(self, asked: Draw, contact: str) -> str:
        """The arm somebody has, or would be given.

        Raises:
            InvalidChange: Nobody can be assigned to such arms.
        """
        if (known := self.kept.get((asked.experiment, contact))) is not None:
            return known
        if (problem := problem_with(asked.arms, asked.weights)) is not None:
            raise InvalidChange(f"experiment {asked.experiment!r}", problem)
        forced = self.forced.get(asked.experiment)
        return forced if forced is not None and forced in asked.arms else draw(asked, contact).arm

    def keep(self, experiment: str, contact: str, arm: str) -> str:
        """Give somebody an arm, for good; the one they have stays."""
        return self.kept.setdefault((experiment, contact), arm)
