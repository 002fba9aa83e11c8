"""A journey goes on in a fresh run: steps return what they came to, waits keep their deadlines."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from models.database import Database
from tabiji import Happened, Outcome
from tabiji.domain.orders import CONTROL_STEP, SIGNAL, Control
from tests.journeys import movers
from tests.journeys.stage import Sender, Stage, stage, until

DAY = timedelta(days=1)


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
async def play(sqlite: Database, sender: Sender) -> AsyncGenerator[Stage]:
    async with stage(sqlite, movers.ALL, sender=sender) as play:
        yield play


async def control(run: WorkflowHandle[Any, Outcome], what: Control) -> None:
    await run.signal(SIGNAL, Happened(event=what.value, step=CONTROL_STEP))


async def run_id(run: WorkflowHandle[Any, Outcome]) -> str | None:
    return (await run.describe()).run_id


async def move(run: WorkflowHandle[Any, Outcome]) -> None:
    before = await run_id(run)
    await control(run, Control.MOVE)

    async def moved() -> bool:
        return await run_id(run) != before

    await until(moved, "it goes on in a new run")


async def test_a_moved_journey_repeats_nothing_and_keeps_its_deadline(play: Stage, sender: Sender) -> None:
    run = await play.begins("Welcomed")
    await play.until_it_waits(run)
    entered = await play.temporal.get_current_time()
    await play.advance(2 * DAY)
    await move(run)
    await play.until_it_waits(run)
    await play.advance(2 * DAY)
    await move(run)
    await play.until_it_waits(run)
    await play.advance(0.9 * DAY)
    assert await play.tags() == []
    await play.advance(0.2 * DAY)
    await play.until_waiting_for("Clicked")
    await play.happens("Clicked")
    outcome = await play.finish(run)
    assert sender.sent == ["one", "clicked", "last"]
    [tag] = await play.tags()
    assert tag.partition(" since ")[2] < entered.isoformat()
    assert [one.step.rpartition("/")[2] for one in outcome.path].count("send_email:one") == 1


async def test_behaviour_is_not_lost_and_not_taken_twice_by_a_move(play: Stage, sender: Sender) -> None:
    run = await play.begins("Welcomed")
    await play.until_it_waits(run)
    await play.happens("Clicked")
    await move(run)
    await play.until_it_waits(run)
    await play.advance(5.1 * DAY)
    await play.finish(run)
    assert sender.sent == ["one", "clicked", "last"]


async def test_a_goal_still_ends_a_journey_that_was_moved(play: Stage, sender: Sender) -> None:
    run = await play.begins("Welcomed")
    await play.until_it_waits(run)
    await move(run)
    await play.until_it_waits(run)
    await play.happens("Bought")
    outcome = await play.finish(run)
    assert (outcome.ending, sender.sent) == ("goal", ["one"])


async def test_a_loop_goes_on_in_fresh_runs_before_its_history_grows_long(play: Stage) -> None:
    run = await play.begins("Looped")
    first = await run_id(run)
    outcome = await play.finish(run)
    assert outcome.ending == "completed"
    assert await play.tags() == ["through"]
    assert outcome.forgotten == 441 - len(outcome.path)
    described = await run.describe()
    assert described.run_id != first
    assert described.history_length < 2_100


async def test_ten_years_of_birthdays_stay_short_and_each_mail_is_its_own(play: Stage, sender: Sender) -> None:
    """Moved in the third year: visit numbers travel along, so that the fourth mail is not taken for the first."""
    await play.learns(birthday="1990-02-28")
    run = await play.begins("Born")
    await play.until_it_waits(run)
    await play.advance(3 * 366 * DAY)
    await play.until_it_waits(run)
    await move(run)
    outcome = await play.finish(run)
    assert outcome.ending == "completed"
    assert [order.visit for order in sender.orders] == list(range(1, 11))
    years = [order.at.year for order in sender.orders]
    assert years == list(range(years[0], years[0] + 10))
    assert (await run.describe()).history_length < 150


async def test_a_skipped_wait_ends_as_if_its_time_were_up(play: Stage, sender: Sender) -> None:
    run = await play.begins("Welcomed")
    await play.until_it_waits(run)
    await control(run, Control.SKIP)
    await play.until_waiting_for("Clicked")
    await control(run, Control.SKIP)
    outcome = await play.finish(run)
    assert sender.sent == ["one", "last"]
    assert outcome.path[2].result == "the wait was skipped"


@pytest.mark.parametrize("how", ["event", "tag"])
async def test_an_exit_ends_a_journey_at_once(play: Stage, sender: Sender, how: str) -> None:
    run = await play.begins("Welcomed")
    await play.until_it_waits(run)
    await play.happens("Left Us" if how == "event" else "Tag Added", tag="lost")
    outcome = await play.finish(run)
    assert outcome.ending == "exited"
    assert outcome.reason == ("Left Us" if how == "event" else "Tag Added")
    assert sender.sent == ["one"]


async def test_a_journey_may_exit_from_any_branch(play: Stage) -> None:
    outcome = await play.finish(await play.begins("Asked"))
    assert (outcome.ending, outcome.reason) == ("exited", "had enough")
    assert await play.tags() == []


async def test_a_sub_journey_is_awaited(play: Stage) -> None:
    run = await play.begins("Parent Begun")
    await play.until_waiting_for("Child Done")
    await play.until_waiting_for("Journey Ended")
    await play.happens("Child Done")
    # Not by letting time pass: with no timer left the server would skip to the end of all time.
    outcome = await run.result()
    assert outcome.ending == "completed"
    assert sorted(await play.tags()) == ["child done", "child: completed"]


async def test_a_sub_journey_ends_with_the_journey_that_waits_for_it(play: Stage) -> None:
    run = await play.begins("Parent Begun")
    await play.until_waiting_for("Child Done")
    await play.until_waiting_for("Journey Ended")
    await play.happens("Bought")
    await play.finish(run)

    async def over() -> bool:
        return (await play.enrollments()).get("child") == "cancelled"

    await until(over, "the sub-journey has ended too")
    assert (await play.enrollments())["parent"] == "goal"
