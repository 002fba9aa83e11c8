"""What the manual says a verb costs is what it costs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.costs import Cost, measured, table
from tabiji.journey.costs import EVENTS
from tabiji.simulation.play import stage

MANUAL = Path(__file__).parents[2] / "docs" / "costs.md"


@pytest.fixture(scope="module")
def costs() -> Iterator[list[Cost]]:
    with stage() as server:
        yield asyncio.run(measured(server))


def test_the_table_in_the_manual_is_what_was_measured(costs: list[Cost]) -> None:
    assert table(costs) in MANUAL.read_text(encoding="utf-8")


def test_estimates_before_launch_go_by_what_was_measured(costs: list[Cost]) -> None:
    """A verb's figure is that of its dearest case."""
    dearest: dict[str, int] = {}
    last: tuple[str, ...] = ()
    for cost in costs[1:]:
        names = cost.case.partition(":")[0]
        verbs = last if names == "the same" else tuple(names.split(", "))
        last = verbs
        for verb in verbs:
            if verb in EVENTS:
                dearest[verb] = max(dearest.get(verb, 0), cost.events)
    assert {verb: events for verb, events in EVENTS.items() if dearest.get(verb) != events} == {}
