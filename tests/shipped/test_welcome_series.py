"""Every way through the welcome series."""

from __future__ import annotations

from datetime import UTC, datetime

from tabiji import days
from tabiji.testing import JourneyEnvironment
from tests.map.coverage import Coverage
from workflows.welcome_series import WelcomeSeries

SATURDAY = datetime(2027, 3, 6, 10, tzinfo=UTC)


async def test_each_gets_what_they_came_for_on_a_weekday_morning(journeys: JourneyEnvironment) -> None:
    """Each begins on a Saturday at ten; the best of the month comes on a Monday at nine, in Tokyo nine hours before."""
    journeys.begins(SATURDAY)
    ways = Coverage(WelcomeSeries)
    learner = await journeys.start(WelcomeSeries, contact="learner", timezone="Asia/Tokyo")
    buyer = await journeys.start(WelcomeSeries, contact="buyer")
    silent = await journeys.start(WelcomeSeries, contact="silent")
    await learner.clicks("welcome/hello", link="https://www.example.com/guides")
    await buyer.clicks("welcome/hello", link="https://www.example.com/pricing")
    await journeys.advance(days(9))
    for run in (learner, buyer):
        await run.opens("welcome/best-of")
        ways.add(await run.result())
    ways.add(await silent.result())
    # All there is to match stands there: mypy and pyright see to it.
    ways.check(but=("steps/match:first.which if first else None -> steps/wait:days=4 [none of these]",))

    assert learner.outbox == ["welcome/hello", "welcome/guides", "welcome/best-of"]
    assert buyer.outbox == ["welcome/hello", "welcome/offer", "welcome/best-of"]
    assert silent.outbox == ["welcome/hello", "welcome/stories", "welcome/best-of"]
    best = {mail.contact: mail.at for mail in journeys.outbox if mail.template == "welcome/best-of"}
    assert best["learner"] == datetime(2027, 3, 11, 0, tzinfo=UTC)
    assert best["buyer"] == datetime(2027, 3, 11, 9, tzinfo=UTC)
    assert best["silent"] == datetime(2027, 3, 15, 9, tzinfo=UTC)
    assert journeys.contact("learner").attributes["interest"] == "learn"
    assert journeys.contact("silent").tags == ["silent subscriber"]
