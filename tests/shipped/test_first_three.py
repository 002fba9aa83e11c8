"""Every way through the main journey and the two it leads to; and no shipped journey without such a test."""

from __future__ import annotations

from pathlib import Path

from tabiji import days
from tabiji.journey.discovery import discover
from tabiji.testing import JourneyEnvironment
from tests.map.coverage import Coverage
from workflows.onboarding import Onboarding
from workflows.stay_in_touch import StayInTouch
from workflows.whitepaper_nurture import WhitepaperNurture


async def test_whitepaper_nurture(journeys: JourneyEnvironment) -> None:
    ways = Coverage(WhitepaperNurture)

    silent = await journeys.start(WhitepaperNurture, contact="silent")
    ways.add(await silent.result())
    assert silent.outbox == ["whitepaper/welcome", "demo/invitation"]

    keen = await journeys.start(WhitepaperNurture, contact="keen")
    await keen.happens("Page Viewed", path="/pricing")
    await keen.advance(days(3))
    await keen.happens("Demo Attended")
    ways.add(await keen.result())
    assert keen.outbox == ["whitepaper/welcome", "demo/invitation", "demo/follow-up"]
    assert journeys.contact("keen").score == 50
    ways.check()


async def test_onboarding(journeys: JourneyEnvironment) -> None:
    ways = Coverage(Onboarding)
    ways.add(await (await journeys.start(Onboarding, contact="silent")).result())
    there = await journeys.start(Onboarding, contact="there")
    await there.happens("Logged In")
    ways.add(await there.result())
    assert journeys.outbox == ["onboarding/welcome", "onboarding/first-steps", "onboarding/welcome"]
    ways.check()


async def test_stay_in_touch(journeys: JourneyEnvironment) -> None:
    ways = Coverage(StayInTouch)
    ways.add(await (await journeys.start(StayInTouch)).result())
    ways.check()


def test_every_shipped_journey_is_played_on_every_way_through_it() -> None:
    tests = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    assert [journey.__name__ for journey in discover() if f"Coverage({journey.__name__})" not in tests] == []
