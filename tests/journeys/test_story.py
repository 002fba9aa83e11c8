"""The story in the Temporal UI is Markdown that its renderer shows as meant."""

from __future__ import annotations

from datetime import UTC, datetime

from tabiji.domain.orders import Passed
from tabiji.journey.story import SHOWN, story

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def passed(count: int) -> list[Passed]:
    return [Passed(step=f"steps/tag:{n}", visit=1, result=f"tagged {n}", at=AT) for n in range(count)]


def test_what_is_waited_for_comes_first_and_what_happened_is_a_list() -> None:
    """Looked at in UI 2.54: hyphens without an empty line before them stay hyphens."""
    told = story("Nurture.", ["waiting 2 days, until 2026-03-03 09:00:00 UTC"], passed(2))
    assert told.split("\n") == [
        "**Nurture.**",
        "",
        "**Now:** waiting 2 days, until 2026-03-03 09:00:00 UTC",
        "",
        "**So far:**",
        "",
        "- 2026-03-01 09:00:00 UTC tagged 0",
        "- 2026-03-01 09:00:00 UTC tagged 1",
    ]


def test_branches_side_by_side_are_each_told() -> None:
    told = story("Nurture.", ["mail a", "waiting for Order Completed"], [])
    assert told.count("**Now:**") == 2
    assert "So far" not in told


def test_the_ending_takes_the_place_of_what_is_waited_for() -> None:
    told = story("Nurture.", (), passed(1), "goal, Order Completed")
    assert "**Ended:** goal, Order Completed" in told
    assert "Now" not in told


def test_a_long_way_shows_its_latest_steps_and_says_how_many_came_before() -> None:
    told = story("Nurture.", (), passed(SHOWN + 3))
    assert "- … 3 earlier steps\n- 2026-03-01 09:00:00 UTC tagged 3\n" in told
    assert "tagged 2\n" not in told
