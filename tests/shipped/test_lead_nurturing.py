"""Every way through lead nurturing."""

from __future__ import annotations

from tabiji import days
from tabiji.testing import JourneyEnvironment
from tests.map.coverage import Coverage
from workflows.lead_nurturing import BETWEEN, LeadNurturing


async def test_who_reads_is_handed_to_sales_and_who_does_not_is_left_in_peace(journeys: JourneyEnvironment) -> None:
    ways = Coverage(LeadNurturing)

    silent = await journeys.start(LeadNurturing, contact="silent")
    ways.add(await silent.result())
    assert silent.outbox == ["lessons/problem", "lessons/method", "lessons/proof"]
    assert "nurtured" in journeys.contact("silent").tags

    warm = await journeys.start(LeadNurturing, contact="warm", score=40)
    await warm.clicks("lessons/problem")
    await warm.advance(days(1))
    await warm.clicks("lessons/method")
    outcome = ways.add(await warm.result())
    assert warm.outbox == ["lessons/problem", "lessons/method"]
    assert journeys.sales == ["Has read our lessons and looks ready"]
    assert journeys.contact("warm").stage == "mql"
    assert outcome.ending == "exited" or outcome.reason == "went all the way"
    # A path does not say by which trigger it began.
    ways.check(but=("start:Stage Changed (after = lead) -> steps/for:lesson",))


async def test_an_order_or_a_no_ends_it_at_once(journeys: JourneyEnvironment) -> None:
    buys = await journeys.start(LeadNurturing, contact="buys")
    leaves = await journeys.start(LeadNurturing, contact="leaves")
    await buys.happens("Order Completed")
    await leaves.unsubscribes()
    assert (await buys.result()).ending == "goal"
    assert (await leaves.result()).ending == "exited"
    assert journeys.outbox == ["lessons/problem", "lessons/problem"]


async def test_marketers_turn_the_time_between_lessons(journeys: JourneyEnvironment) -> None:
    journeys.sets(BETWEEN, days(2))
    run = await journeys.start(LeadNurturing)
    await run.result()
    assert [mail.day for mail in journeys.outbox] == [0, 2, 4]
