"""Caps, holidays, quiet days and priority in tests of journeys: the same rules as in an application."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from tabiji import Journey, days, hours
from tabiji.testing import JourneyEnvironment, Mistake
from tests.pace import played

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)


async def test_caps_hold_over_all_journeys_together(journeys: JourneyEnvironment) -> None:
    journeys.begins(MONDAY)
    journeys.caps("1 per 1d")
    await journeys.start(played.Low)
    await journeys.start(played.Other)
    assert journeys.outbox == ["low"]
    assert journeys.run(played.Other).doing == [
        "mail other, not before 2026-01-06 09:00:00 UTC (cap: 1 per 1 day), at most 1 day late"
    ]
    await journeys.advance(days(1))
    assert journeys.outbox == ["low", "other"]


async def test_an_author_says_how_late_a_mail_may_be(journeys: JourneyEnvironment) -> None:
    journeys.caps("1 per 7h")
    await journeys.start(played.Low)
    await journeys.start(played.WithinSixHours)
    await journeys.start(played.NowOrNever)
    assert journeys.outbox == ["low"]
    assert journeys.refused == ["too late: cap: 1 per 7 hours"] * 2
    assert journeys.run(played.NowOrNever).story == ["mail now: refused (too late: cap: 1 per 7 hours)"]


@pytest.mark.parametrize("order", [(played.Low, played.High), (played.High, played.Low)])
async def test_of_two_at_the_same_moment_the_higher_goes_in_either_order(
    journeys: JourneyEnvironment, order: tuple[type[Journey], type[Journey]]
) -> None:
    journeys.caps("1 per 12h")
    journeys.loads(*order)
    await journeys.happens("Both Begun")
    await journeys.advance(hours(1))
    assert journeys.outbox == ["high"]
    assert "cap" in journeys.run(played.Low).doing[0]


async def test_one_that_waits_for_the_morning_keeps_its_room(journeys: JourneyEnvironment) -> None:
    """Both come at night, the lower one first; in the morning there is room for one."""
    journeys.begins(datetime(2026, 1, 5, 23, tzinfo=UTC))
    journeys.caps("1 per 2d")
    journeys.quiet_hours(time(21), time(8))
    await journeys.start(played.Low)
    await journeys.advance(hours(1))
    await journeys.start(played.High)
    await journeys.advance(hours(20))
    assert journeys.outbox == ["high"]
    assert journeys.refused == ["too late: cap: 1 per 2 days"]


async def test_nobody_is_mailed_on_a_holiday_or_a_weekend(journeys: JourneyEnvironment) -> None:
    """3 to 6 May 2026 are holidays in Japan, the 2nd is a Saturday; for others the 3rd is a Sunday."""
    journeys.begins(datetime(2026, 5, 2, 3, tzinfo=UTC))
    journeys.holidays()
    journeys.quiet_days("saturday", "sunday")
    journeys.quiet_hours(time(20), time(9))
    await journeys.start(played.Patient, contact="ken", timezone="Asia/Tokyo", locale="ja-JP")
    await journeys.start(played.Patient, contact="ann", timezone="Europe/London", attributes={"country": "US"})
    await journeys.advance(days(10))
    assert sorted((mail.contact, mail.at) for mail in journeys.outbox) == [
        ("ann", datetime(2026, 5, 4, 8, tzinfo=UTC)),
        ("ken", datetime(2026, 5, 7, 0, tzinfo=UTC)),
    ]


async def test_what_cannot_be_meant_is_a_mistake_in_words(journeys: JourneyEnvironment) -> None:
    with pytest.raises(Mistake, match="2 per 1d"):
        journeys.caps("two a day")
    with pytest.raises(Mistake, match="day of the week"):
        journeys.quiet_days("someday")
    with pytest.raises(Mistake, match="country"):
        journeys.holidays("Atlantis")
