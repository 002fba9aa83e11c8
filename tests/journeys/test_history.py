"""A history stays small: an event more in it is paid for by every person in every journey."""

from __future__ import annotations

from bench.history import counted


async def test_the_common_journey_stays_within_its_budget_of_events() -> None:
    """Counted on the real server, beside a bare SDK workflow that does the same and tells nobody."""
    clicked, ignored = await counted()

    assert clicked["events"] <= 26
    assert ignored["events"] <= 23
    assert clicked["activity_calls"] <= 5
    assert clicked["events"] - clicked["bare_events"] <= 2
