"""Several things in one moment, or at a bad one: nothing is lost, nothing is done twice, nobody waits for ever."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from activities.contacts import Contacts
from activities.dispatch import Dispatcher
from activities.enrollments import Enrollments
from activities.reads import Reads
from models.closing import Closing
from models.database import Database
from models.record import Recorder
from models.waits import Waits
from tabiji import Happened, Outcome
from tabiji.domain.changes import OwnOrder
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import CONTROL_STEP, SIGNAL, Control, Ending, SendEmail, SendOutcome
from tabiji.errors import Paused
from tests.journeys import hardships
from tests.journeys.stage import Sender, Stage, StageClock, stage, until
from tests.journeys.test_moves import control, move, run_id

DAY = timedelta(days=1)
TRIED: list[str] = []


class Door(Sender):
    """Sends, unless a pause stands before it."""

    shut = False
    knocked = 0

    @activity.defn(name="send_email")
    async def send_email(self, order: SendEmail) -> SendOutcome:
        if self.shut:
            self.knocked += 1
            raise Paused(order.enrollment_id)
        return await super().send_email(order)


@activity.defn(name="fail")
async def fail(order: OwnOrder) -> None:
    TRIED.append(order.enrollment_id)
    raise ApplicationError(f"{order.step} cannot", type="hopeless", non_retryable=True)


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
async def play(sqlite: Database, door: Door) -> AsyncGenerator[Stage]:
    async with played(sqlite, door) as play:
        yield play


@pytest.fixture
async def forgetful(sqlite: Database, door: Door) -> AsyncGenerator[Stage]:
    async with played(sqlite, door, forgetful=True) as play:
        yield play


def played(database: Database, door: Door, *, forgetful: bool = False) -> AbstractAsyncContextManager[Stage]:
    def activities(dispatcher: Dispatcher, catalog: Catalog) -> Sequence[Callable[..., Any]]:
        recorder = Recorder(database, catalog, StageClock(), dispatcher)
        waits = Enrollments(Waits(database, catalog, dispatcher))
        return [door.send_email, fail, *Contacts(recorder).all, *Reads(database).all, *waits.all]

    return stage(database, hardships.ALL, activities, forgetful=forgetful)


async def shut(play: Stage, door: Door) -> str:
    """A pause begins; returns the moment as a resume names it."""
    door.shut = True
    return (await play.temporal.get_current_time()).isoformat()


async def resume(run: WorkflowHandle[Any, Outcome], since: str) -> None:
    await run.signal(SIGNAL, Happened(event=Control.RESUME.value, step=CONTROL_STEP, properties={"paused_wall": since}))


async def stands_before_the_pause(run: WorkflowHandle[Any, Outcome]) -> None:
    async def stands() -> bool:
        return any(words.startswith("paused") for words in await run.query("doing", result_type=list[str]))

    await until(stands, "it stands before the pause")


async def test_a_cancellation_in_the_same_moment_as_a_move_is_not_lost(play: Stage) -> None:
    async with play.nobody_works():
        run = await play.begins("Begun")
        await control(run, Control.MOVE)
        await run.cancel()
    with pytest.raises(WorkflowFailureError):
        await play.finish(run)
    assert (await play.enrollments())["one-mail"] == "cancelled"


async def test_a_resume_in_the_same_moment_as_a_move_is_not_lost(forgetful: Stage, door: Door) -> None:
    """The mail became due during the pause, and is skipped: also where the journey goes on in a new run."""
    play = forgetful
    run = await play.begins("Begun To Skip")
    await play.until_it_waits(run)
    since = await shut(play, door)
    await play.happens("Clicked")
    await stands_before_the_pause(run)
    async with play.nobody_works():
        await control(run, Control.MOVE)
        await resume(run, since)
        door.shut = False
    outcome = await play.finish(run)
    assert door.sent == ["first"]
    assert outcome.path[-1].result == "mail second: skipped (became due during a pause)"


@pytest.mark.parametrize("moved", [False, True])
async def test_what_is_shifted_keeps_its_distance_when_it_is_moved_and_paused_again(
    play: Stage, door: Door, moved: bool
) -> None:
    """Due on day 3; paused on day 2, so a day after the pause; paused again half a day after that, half a day then."""
    run = await play.begins("Begun To Shift")
    await play.until_it_waits(run)
    await play.advance(2 * DAY)
    since = await shut(play, door)
    await play.advance(5 * DAY)
    await stands_before_the_pause(run)
    if moved:
        await move(run)
        await stands_before_the_pause(run)
    await play.advance(5 * DAY)
    await resume(run, since)
    await play.advance(0.5 * DAY)
    since = (await play.temporal.get_current_time()).isoformat()
    await play.advance(3 * DAY)
    await stands_before_the_pause(run)
    assert door.knocked == 2
    resumed = await play.temporal.get_current_time()
    door.shut = False
    await resume(run, since)
    await play.finish(run)
    assert abs(door.orders[0].at - resumed - 0.5 * DAY) < timedelta(minutes=5)


async def test_a_skip_does_not_carry_a_step_over_a_pause_and_keeps_nobody_from_moving(play: Stage, door: Door) -> None:
    run = await play.begins("Begun")
    await play.until_it_waits(run)
    since = await shut(play, door)
    await control(run, Control.SKIP)
    await stands_before_the_pause(run)
    await control(run, Control.SKIP)
    await move(run)
    await stands_before_the_pause(run)
    door.shut = False
    await resume(run, since)
    await play.until_it_waits(run)
    assert door.sent == ["one"]
    await move(run)
    await play.finish(run)
    assert door.sent == ["one"]


@pytest.mark.parametrize("how", ["goal", "cancel"])
async def test_a_journey_before_a_pause_ends_at_once(play: Stage, door: Door, how: str) -> None:
    run = await play.begins("Begun")
    await play.until_it_waits(run)
    await shut(play, door)
    await control(run, Control.SKIP)
    await stands_before_the_pause(run)
    if how == "goal":
        await play.happens("Bought")
        assert (await run.result()).ending == Ending.GOAL
    else:
        await run.cancel()
        with pytest.raises(WorkflowFailureError):
            await run.result()
    assert (await play.enrollments())["one-mail"] == ("goal" if how == "goal" else "cancelled")
    assert door.sent == []


async def test_an_event_that_a_wait_beside_has_taken_still_counts_after_a_move(play: Stage) -> None:
    run = await play.begins("Both Begun")
    await play.until_it_waits(run)
    await play.happens("Clicked")
    await until(lambda: has_tag(play, "one"), "one wait is answered")
    await play.until_it_waits(run)
    await move(run)
    await play.until_it_waits(run)
    await play.happens("Clicked")
    await play.finish(run)
    assert sorted(await play.tags()) == ["one", "two"]


async def has_tag(play: Stage, tag: str) -> bool:
    return tag in await play.tags()


async def test_a_sub_journey_that_is_waited_for_no_longer_goes_on(play: Stage) -> None:
    run = await play.begins("Impatient")
    await play.until_waiting_for("Journey Ended")
    await play.finish(run)
    assert await play.tags() == ["sub: None"]
    await play.advance(6 * DAY)
    await until(lambda: has_tag(play, "sub"), "it has gone all the way")


async def test_a_sub_journey_that_is_terminated_keeps_nobody_waiting(play: Stage, sqlite: Database) -> None:
    run = await play.begins("Patient")
    await play.until_waiting_for("Journey Ended")
    sub = f"sub/{await play.contact()}/1"
    catalog = Catalog(one.spec for one in hardships.ALL)
    closing = Closing(sqlite, catalog, play.dispatcher)
    assert await closing.close(sub, Ending.TERMINATED, "terminated in Temporal", at=None)
    assert not await closing.close(sub, Ending.TERMINATED, "terminated in Temporal", at=None)
    await play.dispatcher.settle()
    assert (await run.result()).ending == Ending.COMPLETED
    assert await play.tags() == ["sub: terminated"]


async def test_a_journey_that_is_terminated_takes_its_sub_journey_along(play: Stage, sqlite: Database) -> None:
    run = await play.begins("Patient")
    await play.until_waiting_for("Journey Ended")
    closing = Closing(sqlite, Catalog(one.spec for one in hardships.ALL), play.dispatcher)
    await closing.close(run.id, Ending.TERMINATED, "terminated in Temporal", at=None)
    await play.dispatcher.settle()
    with pytest.raises(WorkflowFailureError):
        await play.handle(f"sub/{await play.contact()}/1").result()
    assert (await play.enrollments()) == {"waits-for-sub": "terminated", "sub": "cancelled"}


async def test_what_fails_for_good_in_a_task_group_fails_the_journey(play: Stage) -> None:
    run = await play.begins("Grouped")
    with pytest.raises(WorkflowFailureError):
        await run.result()
    assert (await play.enrollments())["in-a-group"] == "failed"


async def test_one_event_sent_by_hand_answers_all_it_can_answer(play: Stage) -> None:
    run = await play.begins("Asked By Hand")
    await play.until_it_waits(run)
    await run.signal(SIGNAL, Happened(event="Came"))
    await play.finish(run)
    assert await play.tags() == ["['Came', 'Came']"]


async def test_runs_that_are_moved_again_and_again_stay_one_journey(play: Stage, door: Door) -> None:
    run = await play.begins("Begun")
    seen = {await run_id(run)}
    for _ in range(5):
        await play.until_it_waits(run)
        await move(run)
        seen.add(await run_id(run))
    await play.finish(run)
    assert len(seen) == 6
    assert door.sent == ["one"]


async def test_what_is_too_much_to_take_along_is_told_before_temporal_ends_the_journey(play: Stage) -> None:
    await play.learns(novel="x" * 30_000)
    run = await play.begins("Stuffed")
    await play.until_it_waits(run)
    await control(run, Control.MOVE)
    with pytest.raises(WorkflowFailureError) as failure:
        await run.result()
    assert "has been through 65 steps" in str(failure.value.cause)
    assert "await self.enter(…)" in str(failure.value.cause)


async def test_a_failure_that_was_foreseen_is_not_tried_again_after_a_move(play: Stage) -> None:
    run = await play.begins("Foreseen")
    await play.until_it_waits(run)
    await move(run)
    await play.finish(run)
    assert await play.tags() == ["hopeless in fail"]
    assert TRIED.count(run.id) == 1
