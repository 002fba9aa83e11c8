"""A flood of events nobody waits for."""

from __future__ import annotations

import pytest

from bench.flood import flood


@pytest.mark.filterwarnings("default:unclosed")
async def test_temporal_hears_nothing_of_a_flood_nobody_waits_for() -> None:
    report = await flood(contacts=200, listeners=20, events=1000)

    assert report["listeners"] == 20
    assert report["history_events_before"] == 40
    assert report["history_events_in_temporal_because_of_it"] == 0
    assert report["dispatches_because_of_it"] == 0
