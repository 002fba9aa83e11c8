from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from pydantic import TypeAdapter

from tabiji import anniversary, attr, contact_date, each_time, every, everyone, never, on, tagged, weekday
from tabiji.domain.occasions import Schedule, by_kind
from tabiji.errors import JourneyDefinitionError


@pytest.mark.parametrize(
    ("schedule", "cron", "words"),
    [
        (every(time(9), who=everyone), "0 9 * * *", "every 09:00, everyone"),
        (
            every(weekday("weekdays", time(18, 30)), timezone="Asia/Tokyo", who=tagged("vip")),
            "30 18 * * mon,tue,wed,thu,fri",
            "every weekdays 18:30 Asia/Tokyo, tagged vip",
        ),
        (every("0 9 1 * *", who=attr("plan") == "pro"), "0 9 1 * *", "every 0 9 1 * *, plan = pro"),
        (every("*/15  9-17 * jan,MAR mon-fri", who=everyone), "*/15 9-17 * jan,mar mon-fri", None),
        (every("0 9 1-15/7 * *", who=everyone), "0 9 1-15/7 * *", None),
    ],
    ids=str,
)
def test_a_schedule_is_data(schedule: Schedule, cron: str, words: str | None) -> None:
    adapter = TypeAdapter(Schedule)
    assert schedule.cron == cron
    assert words is None or str(schedule) == words
    assert adapter.validate_json(adapter.dump_json(schedule)) == schedule


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("", "five fields"),
        ("0 9 * *", "five fields"),
        ("@daily", "five fields"),
        ("60 9 * * *", "no minute"),
        ("0 24 * * *", "no hour"),
        ("0 9 0 * *", "no day of the month"),
        ("0 9 * 13 *", "no month"),
        ("0 9 * * fryday", "no day of the week"),
        ("0 9 5-1 * *", "no day of the month"),
        ("*/0 9 * * *", "no minute"),
        ("0 9 1,, * *", "no day of the month"),
        ("0 9 1 * mon", "Name one"),
    ],
)
def test_a_schedule_that_cannot_be_read_is_refused_with_the_part_that_is_wrong(expression: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as refused:
        every(expression, who=everyone)
    assert "\n" not in str(refused.value)


def test_a_zone_that_is_none_and_seconds_are_refused() -> None:
    with pytest.raises(ValueError, match="not an IANA time zone"):
        every(time(9), timezone="Mars/Olympus", who=everyone)
    with pytest.raises(ValueError, match="finer than a minute"):
        every(time(9, 0, 30), who=everyone)


def test_triggers_are_sorted_by_their_kinds() -> None:
    event, date, schedule = on("Signed Up"), anniversary("birthday"), every(time(9), who=everyone)
    sorted_out = by_kind((schedule, date, event, on("A") | on("B")))
    assert sorted_out.events == (event, on("A") | on("B"))
    assert (sorted_out.dates, sorted_out.schedules) == ((date,), (schedule,))


def test_two_triggers_that_count_from_the_same_date_are_refused() -> None:
    renewal = contact_date("renewal", days=-30)
    assert by_kind((renewal, anniversary("renewal", days=-30))).dates
    with pytest.raises(JourneyDefinitionError, match="Start on the earliest, and wait inside"):
        by_kind((renewal, contact_date("renewal", days=-7)))


def test_each_time_lets_in_by_the_clock_again_and_by_an_event_once() -> None:
    earlier, now = datetime(2026, 3, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)
    assert each_time.allows(last_entered=earlier, now=now, by_clock=True)
    assert not each_time.allows(last_entered=earlier, now=now)
    assert not never.allows(last_entered=earlier, now=now, by_clock=True)
    assert str(each_time) == "each time"
