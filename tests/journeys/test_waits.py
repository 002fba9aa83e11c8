"""Waits, on a server that skips time and a real database."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from models.database import Database
from tests.journeys import waiters
from tests.journeys.stage import Stage, stage

DAY = timedelta(days=1)


@pytest.fixture
async def play(sqlite: Database) -> AsyncGenerator[Stage]:
    async with stage(sqlite, waiters.ALL) as play:
        yield play


async def test_of_several_the_first_answers_and_says_which_it_was(play: Stage) -> None:
    run = await play.begins("Invited")
    await play.until_it_waits(run)
    await play.happens("Accepted", seats=3)
    await play.happens("Declined")
    await play.finish(run)
    assert await play.tags() == ["yes, 3"]


async def test_of_two_that_came_before_the_wait_the_earlier_counts(play: Stage) -> None:
    run = await play.begins("Invited")
    await play.happens("Declined")
    await play.happens("Accepted", seats=1)
    await play.finish(run)
    assert await play.tags() == ["no"]


async def test_who_answers_nothing_is_answered_nothing(play: Stage) -> None:
    outcome = await play.finish(await play.begins("Invited"))
    assert await play.tags() == ["silent"]
    assert outcome.path[0].result == "none came within 3 days"


async def test_all_of_several_may_come_in_any_order_and_are_told_in_the_order_asked_for(play: Stage) -> None:
    run = await play.begins("Ordered Two Things")
    await play.until_it_waits(run)
    await play.happens("Parcel", n=2)
    await play.happens("Parcel", n=3)
    await play.until_it_waits(run)
    await play.happens("Parcel", n=1)
    await play.finish(run)
    assert await play.tags() == ["arrived: [1, 2]"]


async def test_one_of_two_is_not_all(play: Stage) -> None:
    run = await play.begins("Ordered Two Things")
    await play.happens("Parcel", n=2)
    await play.finish(run)
    assert await play.tags() == ["arrived: []"]


async def test_an_incomplete_pattern_does_not_reach_temporal(play: Stage) -> None:
    run = await play.begins("Came")
    await play.until_it_waits(run)
    before = (await run.describe()).history_length
    await play.happens("Page Viewed")
    await play.happens("Page Viewed")
    assert (await run.describe()).history_length == before
    await play.happens("Page Viewed")
    await play.until_waiting_for("Cart Left")
    await play.happens("Cart Left")
    await play.happens("Cart Filled")
    await play.happens("Cart Left")
    await play.finish(run)
    assert sorted(await play.tags()) == ["left a cart", "three pages"]


async def test_three_that_lie_too_far_apart_are_not_three_within_the_window(play: Stage) -> None:
    run = await play.begins("Came")
    for _ in range(3):
        await play.happens("Page Viewed")
        await play.advance(1.5 * DAY)
    await play.finish(run)
    assert await play.tags() == []


@pytest.mark.parametrize(("acts", "tag"), [(False, "silent"), (True, "active")])
async def test_who_does_not_act_in_time_is_told_from_who_does(play: Stage, acts: bool, tag: str) -> None:
    run = await play.begins("Trial Started")
    await play.until_it_waits(run)
    if acts:
        await play.happens("Logged In")
    await play.finish(run)
    assert await play.tags() == [tag]


async def test_a_wait_from_now_on_does_not_count_what_came_before_it(play: Stage) -> None:
    run = await play.begins("Began")
    await play.happens("Page Viewed")
    await play.finish(run)
    assert await play.tags() == ["True False True"]


async def test_a_wait_from_now_on_counts_what_comes_after_its_beginning(play: Stage) -> None:
    run = await play.begins("Began")
    await play.advance(1.1 * DAY)
    await play.until_waiting_for("Page Viewed")
    await play.happens("Page Viewed")
    await play.finish(run)
    assert await play.tags() == ["False True False"]


async def test_a_wait_for_an_appointment_moves_with_it(play: Stage) -> None:
    """Later, then earlier, then away: the timer that runs is always that of the date there is."""
    today = await play.temporal.get_current_time()

    await play.learns(appointment=(today + 10 * DAY).isoformat())
    run = await play.begins("Booked")
    await play.until_it_waits(run)

    async def appoint(days: float) -> None:
        await play.learns(appointment=(today + days * DAY).isoformat())
        await play.until_it_waits(run)

    await appoint(20)
    await play.advance(12 * DAY)
    assert await play.tags() == []
    await appoint(15)
    await play.finish(run)
    assert await play.tags() == [f"due {today + 14 * DAY:%Y-%m-%d %H:%M}"]


async def test_a_wait_for_a_date_that_is_not_there_is_no_wait(play: Stage) -> None:
    await play.finish(await play.begins("Booked"))
    assert await play.tags() == ["no appointment"]


async def test_moments_are_those_of_the_contacts_own_clock(play: Stage) -> None:
    """Tokyo is nine hours ahead: nine there is midnight here. A moment that has passed is no wait."""
    run = await play.begins("Subscribed")
    await play.until_it_waits(run)
    await play.learns(timezone="Asia/Tokyo")
    await play.finish(run)
    assert await play.tags() == ["00:00 Fri 04:00 15:00"]


async def test_waits_beside_each_other_are_answered_by_the_same_event(play: Stage) -> None:
    run = await play.begins("Both At Once")
    await play.until_it_waits(run)
    await play.happens("Right")
    await play.happens("Left")
    await play.finish(run)
    assert await play.tags() == ["True True"]
