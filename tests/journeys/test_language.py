"""What an author may rely on when writing a journey."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from models.database import Database
from tabiji import days, hours
from tabiji.domain.orders import Ending, Happened, SendOutcome
from tests.journeys.samples import ALL
from tests.journeys.stage import Sender, Stage, stage, until


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
async def on_stage(sqlite: Database, sender: Sender) -> AsyncGenerator[Stage]:
    async with stage(sqlite, ALL, sender=sender) as set_up:
        yield set_up


async def test_a_click_within_the_day_brings_the_second_mail(on_stage: Stage, sender: Sender) -> None:
    run = await on_stage.begins("Nurtured")
    await on_stage.until_waiting_for("Email Link Clicked")
    await on_stage.happens("Email Link Clicked")

    outcome = await on_stage.finish(run)
    assert sender.sent == ["first", "second"]
    assert outcome.ending == Ending.COMPLETED
    assert [passed.step for passed in outcome.path] == [
        "steps/send_email:first",
        "steps/wait_for:Email Link Clicked",
        "steps/send_email:second",
    ]


async def test_without_a_click_the_journey_ends_after_the_day(on_stage: Stage, sender: Sender) -> None:
    run = await on_stage.begins("Nurtured")
    outcome = await on_stage.finish(run)

    assert sender.sent == ["first"]
    assert outcome.path[-1].result == "no Email Link Clicked within 1 day"
    assert await on_stage.enrollments() == {"two-mails": "completed"}


async def test_what_happened_before_the_wait_counts(on_stage: Stage, sender: Sender) -> None:
    """Both events come in before either wait begins; each wait takes its own, in order."""
    on_stage.clock.at = await on_stage.temporal.get_current_time()
    run = await on_stage.begins("Twice Waited")
    await on_stage.happens("Page Viewed", path="/one")
    await on_stage.happens("Page Viewed", path="/two")

    await on_stage.finish(run)
    assert sorted(await on_stage.tags()) == ["one: /one", "two: /two"]


async def test_one_event_answers_one_wait(on_stage: Stage) -> None:
    run = await on_stage.begins("Twice Waited")
    await on_stage.happens("Page Viewed", path="/one")

    await on_stage.finish(run)
    assert sorted(await on_stage.tags()) == ["one: /one", "two: none"]


async def test_a_goal_ends_every_branch_at_once(on_stage: Stage, sender: Sender) -> None:
    run = await on_stage.begins("Side By Side")
    await on_stage.advance(hours(2))
    await until(lambda: sender.sent == ["left"], "the left branch's mail")
    await on_stage.until_it_waits(run)
    await on_stage.happens("Order Completed")

    outcome = await on_stage.finish(run)
    assert (outcome.ending, outcome.reason) == (Ending.GOAL, "Order Completed")
    await on_stage.advance(days(9))
    assert sender.sent == ["left"]


async def test_no_except_clause_can_outlive_a_goal(on_stage: Stage, sender: Sender) -> None:
    run = await on_stage.begins("Stubborn")
    await on_stage.happens("Order Completed")

    outcome = await on_stage.finish(run)
    assert outcome.ending == Ending.GOAL
    assert sender.sent == []


async def test_a_goal_begins_the_journey_it_hands_over_to(on_stage: Stage) -> None:
    run = await on_stage.begins("Hand Over")
    bought = await on_stage.happens("Order Completed")

    assert (await on_stage.finish(run)).ending == Ending.GOAL
    assert [id.split("/")[0] for id in bought.entered] == ["only-once"]
    await on_stage.finish(on_stage.handle(bought.entered[0]))
    assert await on_stage.enrollments() == {"hands-over": "goal", "only-once": "completed"}


async def test_a_goal_signalled_by_hand_hands_over_too(on_stage: Stage) -> None:
    run = await on_stage.begins("Hand Over")
    await run.signal("happened", Happened(event="Order Completed"))

    assert (await on_stage.finish(run)).ending == Ending.GOAL
    await on_stage.dispatcher.settle()
    await on_stage.finish(on_stage.handle(f"only-once/{await on_stage.contact()}/1"))
    assert await on_stage.enrollments() == {"hands-over": "goal", "only-once": "completed"}


async def test_a_step_enters_another_journey_and_its_reentry_rule_decides(on_stage: Stage) -> None:
    for expected in ("entered: True", "entered: False"):
        run = await on_stage.begins("Hand Over")
        await on_stage.finish(run)
        assert expected in await on_stage.tags()


async def test_an_event_signalled_by_hand_answers_the_open_wait(on_stage: Stage, sender: Sender) -> None:
    run = await on_stage.begins("Nurtured")
    await on_stage.until_waiting_for("Email Link Clicked")
    await run.signal("happened", Happened(event="Something Else"))
    await run.signal("happened", {"event": "Email Link Clicked"})

    await on_stage.finish(run)
    assert sender.sent == ["first", "second"]


async def test_a_journey_says_what_goes_on_in_it(on_stage: Stage) -> None:
    """Every branch of it, plain waits too: listeners in the database know only what waits for an event."""
    run = await on_stage.begins("Side By Side")
    await on_stage.until_waiting_for("Never")

    doing = await run.query("doing", result_type=list[str])
    assert [words.split(",")[0] for words in doing] == ["waiting 1 hour", "waiting for Never"]


async def test_authors_may_add_signals_and_queries(on_stage: Stage, sender: Sender) -> None:
    run = await on_stage.begins("Own Signal")
    assert await run.query("is_approved") is False
    await run.signal("approve")

    await on_stage.finish(run)
    assert sender.sent == ["approved"]


async def test_a_deferred_mail_waits_on_a_timer_and_goes_out_in_the_morning(on_stage: Stage, sender: Sender) -> None:
    night = await on_stage.temporal.get_current_time()
    sender.answers.append(SendOutcome(state="deferred", reason="quiet hours", until=night + timedelta(hours=6)))
    run = await on_stage.begins("Deferred")

    outcome = await on_stage.finish(run)
    assert sender.sent == ["night"]
    assert sender.orders[1].at >= night + timedelta(hours=6)
    assert sender.orders[0].key == sender.orders[1].key
    assert outcome.path[-1].result == "mail night: sent"


async def test_a_mail_whose_morning_came_before_the_answer_goes_out_now(on_stage: Stage, sender: Sender) -> None:
    """After an outage, or at a rehearsal's tempo, the time a mail was deferred to may have passed already."""
    sender.answers.append(timedelta(microseconds=1))
    run = await on_stage.begins("Deferred")

    assert (await on_stage.finish(run)).path[-1].result == "mail night: sent"
    assert sender.sent == ["night"]
    assert len(sender.orders) == 2


async def test_a_mail_deferred_to_the_past_stops_the_journey(on_stage: Stage, sender: Sender) -> None:
    """It would be deferred for ever, in a hot loop."""
    sender.answers.append(timedelta(0))
    run = await on_stage.begins("Deferred")

    with pytest.raises(WorkflowFailureError) as failed:
        await on_stage.finish(run)
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "deferred_to_the_past"


async def test_a_goal_drops_a_mail_that_waits_for_the_morning(on_stage: Stage, sender: Sender) -> None:
    night = await on_stage.temporal.get_current_time()
    sender.answers.append(SendOutcome(state="deferred", reason="quiet hours", until=night + timedelta(hours=6)))
    run = await on_stage.begins("Deferred")
    await until(lambda: len(sender.orders) == 1, "the mail was deferred")
    await on_stage.until_it_waits(run)
    await on_stage.happens("Order Completed")

    assert (await on_stage.finish(run)).ending == Ending.GOAL
    assert sender.sent == []


async def test_a_refused_mail_says_why_in_the_path(on_stage: Stage, sender: Sender) -> None:
    sender.answers.append(SendOutcome(state="refused", reason="no_consent"))
    run = await on_stage.begins("Deferred")

    assert (await on_stage.finish(run)).path[-1].result == "mail night: refused (no_consent)"


async def test_cancelling_in_temporal_ends_the_enrollment_too(on_stage: Stage) -> None:
    run = await on_stage.begins("Side By Side")
    await run.cancel()

    await until(lambda: _state_is(on_stage, "side-by-side", "cancelled"), "the enrollment is cancelled")


async def test_a_helper_gives_its_steps_its_own_name_and_counts_visits(on_stage: Stage, sender: Sender) -> None:
    run = await on_stage.begins("Helped")

    outcome = await on_stage.finish(run)
    assert [(passed.step, passed.visit) for passed in outcome.path] == [
        ("steps/reminder/send_email:reminder", 1),
        ("steps/wait:days=1", 1),
        ("steps/reminder/send_email:reminder", 2),
    ]
    assert len({order.key for order in sender.orders}) == 2


async def _state_is(on_stage: Stage, journey: str, state: str) -> bool:
    return (await on_stage.enrollments()).get(journey) == state
