"""A journey played with the kit."""

from __future__ import annotations

from tabiji import days
from tabiji.testing import JourneyEnvironment
from tests.kit.trials import Customers, NudgeBy, TrialNurture


async def test_a_silent_trial_is_nudged_once_on_day_three(journeys: JourneyEnvironment) -> None:
    journeys.force("nudge channel", NudgeBy.EMAIL)
    run = await journeys.start(TrialNurture, contact="c1")
    await run.advance(days(2))
    assert journeys.outbox == ["trial/welcome"]

    outcome = await run.result()

    assert journeys.outbox == ["trial/welcome", "trial/nudge"]
    assert [mail.day for mail in journeys.outbox] == [0, 3]
    assert outcome.reason == "went all the way"


async def test_who_uses_it_is_helped(journeys: JourneyEnvironment) -> None:
    run = await journeys.start(TrialNurture)
    await run.happens("Feature Used", kind="report")
    assert journeys.outbox == ["trial/welcome", "trial/tips"]


async def test_an_order_hands_over(journeys: JourneyEnvironment) -> None:
    run = await journeys.start(TrialNurture)
    await run.happens("Order Completed")
    outcome = await run.result()
    assert outcome.ending == "goal"
    await journeys.run(Customers).result()
    assert journeys.outbox == ["trial/welcome", "customers/welcome"]
