"""Every way through a booked visit."""

from __future__ import annotations

from datetime import UTC, datetime

from tabiji import days, hours
from tabiji.testing import JourneyEnvironment
from tests.map.coverage import Coverage
from workflows.visit import Visit

BOOKED = datetime(2027, 3, 1, 9, tzinfo=UTC)
AGREES = {"visit": True}


async def test_reminders_follow_a_visit_that_moves(journeys: JourneyEnvironment) -> None:
    """From the 10th to the 20th at two in the afternoon, told on the 5th; the clock is Berlin's."""
    journeys.begins(BOOKED)
    run = await journeys.start(
        Visit, consent=AGREES, timezone="Europe/Berlin", attributes={"visit": "2027-03-10T14:00"}
    )
    await journeys.advance(days(4))
    await journeys.identify(visit="2027-03-20T14:00")
    await journeys.advance(days(15) + hours(6))
    await run.happens("Visit Attended")
    await run.result()
    assert journeys.outbox == ["visit/confirmed", "visit/tomorrow", "visit/today", "visit/help", "visit/how-was-it"]
    assert [mail.at for mail in journeys.outbox][1:3] == [
        datetime(2027, 3, 19, 9, tzinfo=UTC),
        datetime(2027, 3, 20, 11, tzinfo=UTC),
    ]


async def test_every_way_through(journeys: JourneyEnvironment) -> None:
    journeys.begins(BOOKED)
    ways = Coverage(Visit)
    dated = {"visit": "2027-03-10T14:00"}
    undated = await journeys.start(Visit, contact="undated", consent=AGREES)
    comes = await journeys.start(Visit, contact="comes", consent=AGREES, attributes=dated)
    moves = await journeys.start(Visit, contact="moves", consent=AGREES, attributes=dated)
    await journeys.advance(days(9) + hours(4))
    await journeys.identify("moves", visit="2027-03-10T16:00")
    await journeys.advance(hours(5))
    await comes.happens("Visit Attended")
    for run in (undated, comes, moves):
        ways.add(await run.result())
    ways.check()
    assert undated.outbox == ["visit/confirmed"]
    assert journeys.sales == ["Booked a visit that has no date"]
    assert comes.outbox[-1] == "visit/how-was-it"
    assert moves.outbox[-1] == "visit/missed"
    assert journeys.tasks == ["Moved the visit at the last moment: call them"]


async def test_a_cancelled_visit_is_over(journeys: JourneyEnvironment) -> None:
    run = await journeys.start(Visit, consent=AGREES, attributes={"visit": "2027-03-10T14:00"})
    await run.happens("Visit Cancelled")
    assert (await run.result()).ending == "exited"
