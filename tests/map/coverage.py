"""What the tests of a journey have run of its map.

whole = Coverage(WhitepaperNurture)
whole.add(await run.result())      # after each run
whole.check()                      # at the end: every step on the map, every edge run
"""

from __future__ import annotations

from tabiji import Journey, Outcome
from tabiji.journey.map import not_on_the_map, read_map
from tabiji.journey.map.follow import follow, never_run


class Coverage:
    """Collects the runs of one journey."""

    def __init__(self, journey: type[Journey]) -> None:
        self.graph = read_map(journey)
        self.outcomes: list[Outcome] = []

    def add(self, outcome: Outcome) -> Outcome:
        """Take a run, and hand it back."""
        self.outcomes.append(outcome)
        return outcome

    def check(self, *, but: tuple[str, ...] = ()) -> None:
        """Every executed step is on the map, and each edge was run by some test.

        Args:
            but: Edges that no test runs, as they are printed. An edge that is run after all may not stand here.
        """
        if unknown := not_on_the_map(self.graph, self._steps()):
            raise AssertionError(f"steps that are not on the map: {unknown}")
        if lost := [step for outcome in self.outcomes for step in follow(self.graph, outcome).lost]:
            raise AssertionError(f"steps on no way of the map from where the run was: {lost}")
        left = {str(edge) for edge in never_run(self.graph, self.outcomes)}
        if left - set(but):
            raise AssertionError(f"edges no test has run: {sorted(left - set(but))}")
        if set(but) - left:
            raise AssertionError(f"edges some test has run after all: {sorted(set(but) - left)}")

    def _steps(self) -> list[str]:
        return [passed.step for outcome in self.outcomes for passed in outcome.path]
