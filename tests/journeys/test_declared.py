"""Declared events, patterns and open values, all the way through Temporal."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from models.database import Database
from models.params import turn
from tests.journeys.declared import PATIENCE, Watching
from tests.journeys.stage import Stage, stage


@pytest.fixture
async def on_stage(sqlite: Database) -> AsyncGenerator[Stage]:
    async with stage(sqlite, [Watching]) as set_up:
        yield set_up


async def test_a_pattern_wakes_the_journey_when_it_is_complete_and_properties_are_read_typed(on_stage: Stage) -> None:
    on_stage.clock.at = await on_stage.temporal.get_current_time()
    run = await on_stage.begins("Subscription Paid", total=120.5, plan="pro")
    for path in ("/plans/a", "/other", "/plans/b", "/plans/c"):
        await on_stage.happens("Page Viewed", path=path)

    outcome = await on_stage.finish(run)

    assert await on_stage.tags() == ["looks around"]
    assert "3 times within 1 hour" in outcome.path[0].result


async def test_what_is_turned_counts_for_who_enters_afterwards(on_stage: Stage, sqlite: Database) -> None:
    async with sqlite.write() as tx:
        now = await sqlite.now(tx)
        await turn(tx, PATIENCE, "3 hours", by="hanako", key="console", recorded_at=now)
    run = await on_stage.begins("Subscription Paid", total=120.5)

    outcome = await on_stage.finish(run)

    assert outcome.path[-1].result.endswith("within 3 hours")
