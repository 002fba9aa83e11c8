from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tabiji.domain.calendar import DAYS, Instant, TimeOfDay, WallMoment, When, as_when, next_moment, weekday
from tabiji.domain.dates import anniversary, contact_date

ZONES = (
    "Asia/Tokyo",
    "America/Los_Angeles",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/Havana",
    "America/Sao_Paulo",
)
LOS_ANGELES, TOKYO, NEW_YORK, BERLIN, APIA, SAO_PAULO = (
    ZoneInfo(name)
    for name in (
        "America/Los_Angeles",
        "Asia/Tokyo",
        "America/New_York",
        "Europe/Berlin",
        "Pacific/Apia",
        "America/Sao_Paulo",
    )
)


def at(zone: ZoneInfo, *parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=zone, fold=fold).astimezone(UTC)  # type: ignore[arg-type, misc] # year, month, day …


def test_friday_at_one_in_los_angeles_the_next_weekday_at_six_is_the_same_evening() -> None:
    friday = at(LOS_ANGELES, 2026, 11, 20, 13)
    evening = next_moment(weekday("weekdays", time(18)), now=friday, zone=LOS_ANGELES)
    assert evening == at(LOS_ANGELES, 2026, 11, 20, 18) == datetime(2026, 11, 21, 2, tzinfo=UTC)


def test_after_friday_evening_the_next_weekday_is_monday() -> None:
    friday = at(LOS_ANGELES, 2026, 11, 20, 18)
    assert next_moment(weekday("weekdays", time(18)), now=friday, zone=LOS_ANGELES) == at(LOS_ANGELES, 2026, 11, 23, 18)


def test_monday_in_tokyo_begins_on_sunday_in_utc() -> None:
    sunday = at(TOKYO, 2026, 11, 22, 20)
    monday = next_moment(weekday("monday", time(8)), now=sunday, zone=TOKYO)
    assert monday == at(TOKYO, 2026, 11, 23, 8) == datetime(2026, 11, 22, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "hour"), [((2026, 3, 7, 12), 13), ((2026, 10, 31, 12), 14)], ids=["in spring", "in autumn"]
)
def test_nine_in_the_morning_is_nine_on_either_side_of_the_change_in_new_york(
    before: tuple[int, ...], hour: int
) -> None:
    now = at(NEW_YORK, *before)
    found = next_moment(TimeOfDay(at=time(9)), now=now, zone=NEW_YORK)
    assert found is not None
    assert found.astimezone(NEW_YORK).time() == time(9)
    assert found == (now + timedelta(days=1)).replace(hour=hour)


def test_a_time_that_the_clocks_jump_over_comes_when_they_jump() -> None:
    """2026-03-29 in Berlin: 02:00 becomes 03:00."""
    found = next_moment(TimeOfDay(at=time(2, 30)), now=at(BERLIN, 2026, 3, 29, 1), zone=BERLIN)
    assert found is not None
    assert found == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert next_moment(WallMoment(at=datetime(2026, 3, 29, 2, 30)), now=found, zone=BERLIN) == found  # noqa: DTZ001 # a wall's


def test_a_time_that_comes_twice_in_a_night_counts_once() -> None:
    """2026-10-25 in Berlin: 03:00 becomes 02:00."""
    daily = TimeOfDay(at=time(2, 30))
    first = next_moment(daily, now=at(BERLIN, 2026, 10, 25, 1), zone=BERLIN)
    assert first is not None
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next_moment(daily, now=first, zone=BERLIN) == at(BERLIN, 2026, 10, 26, 2, 30)


def test_midnight_comes_where_the_clocks_jump_over_it() -> None:
    """2018-11-04 in São Paulo: 00:00 becomes 01:00."""
    found = next_moment(TimeOfDay(at=time(0)), now=at(SAO_PAULO, 2018, 11, 3, 12), zone=SAO_PAULO)
    assert found == at(SAO_PAULO, 2018, 11, 4, 1)


def test_a_day_the_calendar_leaves_out_is_passed_over_by_what_repeats() -> None:
    """Samoa had no 30 December 2011, a Friday."""
    thursday = at(APIA, 2011, 12, 29, 12)
    assert next_moment(TimeOfDay(at=time(9)), now=thursday, zone=APIA) == at(APIA, 2011, 12, 31, 9)
    assert next_moment(weekday("friday", time(9)), now=thursday, zone=APIA) == at(APIA, 2012, 1, 6, 9)


def test_a_date_named_for_a_day_that_never_was_is_the_start_of_the_next() -> None:
    never = as_when(date(2011, 12, 30))
    assert next_moment(never, now=at(APIA, 2011, 12, 1), zone=APIA) == at(APIA, 2011, 12, 31)


def test_at_the_time_itself_the_next_time_is_tomorrow() -> None:
    nine = at(TOKYO, 2026, 3, 1, 9)
    daily = TimeOfDay(at=time(9))
    assert next_moment(daily, now=nine - timedelta(microseconds=1), zone=TOKYO) == nine
    assert next_moment(daily, now=nine, zone=TOKYO) == nine + timedelta(days=1)


def test_a_moment_that_has_passed_is_still_the_answer() -> None:
    now = at(TOKYO, 2027, 6, 1)
    new_year = at(TOKYO, 2027, 1, 1)
    assert next_moment(as_when(date(2027, 1, 1)), now=now, zone=TOKYO) == new_year
    assert next_moment(as_when(new_year), now=now, zone=TOKYO) == new_year
    assert next_moment(contact_date("trial_ends"), now=now, zone=TOKYO, attribute="2027-01-01") == new_year


def test_a_naive_datetime_is_read_on_the_contacts_clock_an_aware_one_is_one_instant() -> None:
    now = at(TOKYO, 2026, 1, 1)
    naive, aware = as_when(datetime(2027, 1, 1, 9)), as_when(datetime(2027, 1, 1, 9, tzinfo=BERLIN))  # noqa: DTZ001 # that is the point
    assert next_moment(naive, now=now, zone=TOKYO) == datetime(2027, 1, 1, 0, tzinfo=UTC)
    assert next_moment(aware, now=now, zone=TOKYO) == datetime(2027, 1, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize("value", ["2027-01-01", None, 7, timedelta(days=1)])
def test_what_names_no_moment_is_refused_with_what_does(value: object) -> None:
    with pytest.raises(TypeError, match="time\\(9\\)"):
        as_when(value)  # type: ignore[arg-type] # that is the point


def test_a_day_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="weekdays, weekends"):
        weekday("fryday", time(9))  # type: ignore[arg-type] # that is the point


def test_a_time_of_day_has_no_zone_of_its_own() -> None:
    with pytest.raises(ValueError, match="the contact's clock"):
        as_when(time(9, tzinfo=UTC))


def test_the_clock_to_count_from_has_a_zone() -> None:
    with pytest.raises(ValueError, match="aware"):
        next_moment(TimeOfDay(at=time(9)), now=datetime(2027, 1, 1), zone=TOKYO)  # noqa: DTZ001 # that is the point


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (as_when(datetime(2027, 1, 1, 9, tzinfo=UTC)), "2027-01-01 09:00 UTC"),
        (as_when(datetime(2027, 1, 1, 9)), "2027-01-01 09:00"),  # noqa: DTZ001 # a wall's
        (as_when(date(2027, 1, 1)), "2027-01-01"),
        (as_when(time(9)), "09:00"),
        (weekday("friday", time(13)), "friday 13:00"),
        (weekday(("sunday", "saturday"), time(13)), "weekends 13:00"),
        (weekday(("thursday", "monday"), time(13, 30)), "monday, thursday 13:30"),
        (anniversary("birthday", days=-3, at=time(9)), "3 days before birthday, 09:00, every year"),
        (contact_date("appointment", hours=-2), "2 hours before appointment"),
        (contact_date("appointment", days=1, hours=2), "1 day 2 hours after appointment"),
        (contact_date("appointment", days=-1, hours=2), "1 day before and 2 hours after appointment"),
        (contact_date("trial_ends"), "trial_ends"),
    ],
    ids=str,
)
def test_a_moment_reads_as_words_and_travels_as_json(when: When, words: str) -> None:
    adapter: TypeAdapter[When] = TypeAdapter(When)
    assert str(when) == words
    assert adapter.validate_json(adapter.dump_json(when)) == when


moments = st.datetimes(datetime(2010, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC)).map(  # noqa: DTZ001 # UTC is given
    lambda at: at.replace(second=0, microsecond=0)
)
# Days around which one or other of the zones changes its clocks.
changes = st.sampled_from(
    [
        *((2026, 3, 8), (2026, 11, 1), (2026, 3, 29), (2026, 10, 25), (2026, 4, 4), (2026, 10, 3)),
        *((2011, 12, 29), (2018, 11, 3), (2018, 2, 17), (2026, 2, 14), (2026, 3, 21)),
    ]
).flatmap(
    lambda day: st.integers(-1440, 2880).map(lambda minutes: datetime(*day, tzinfo=UTC) + timedelta(minutes=minutes))
)
clocks = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 45)))
days = st.sets(st.sampled_from(DAYS), min_size=1).map(tuple)


@settings(max_examples=300, deadline=None)
@given(now=moments | changes, name=st.sampled_from(ZONES), at=clocks, days=days)
@example(now=datetime(2018, 11, 4, 2, 30, tzinfo=UTC), name="America/Sao_Paulo", at=time(0), days=DAYS)
def test_what_repeats_comes_after_now_shows_its_time_and_is_the_first_that_does(
    now: datetime, name: str, at: time, days: tuple[str, ...]
) -> None:
    zone = ZoneInfo(name)
    found = next_moment(weekday(days, at), now=now, zone=zone)  # type: ignore[arg-type] # drawn from DAYS

    assert found is not None
    assert now < found <= now + timedelta(days=15)
    before, shown = (found - timedelta(minutes=1)).astimezone(zone), found.astimezone(zone)
    jumped = shown.utcoffset() > before.utcoffset()  # type: ignore[operator] # aware
    assert (shown.time() == at and DAYS[shown.weekday()] in days and shown.fold == 0) or jumped
    # A quarter of an hour is the grain of every time drawn and of every zone's change.
    quarter = now + (datetime(2000, 1, 1, tzinfo=UTC) - now) % timedelta(minutes=15)
    while quarter < found:
        local = quarter.astimezone(zone)
        assert quarter == now or local.time() != at or local.fold or DAYS[local.weekday()] not in days
        quarter += timedelta(minutes=15)


@given(now=moments, name=st.sampled_from(ZONES), wall=st.datetimes(datetime(2000, 1, 1), datetime(2036, 1, 1)))  # noqa: DTZ001 # a wall's
def test_a_wall_moment_is_shown_by_the_clock_or_jumped_over(now: datetime, name: str, wall: datetime) -> None:
    zone = ZoneInfo(name)
    found = next_moment(WallMoment(at=wall), now=now, zone=zone)

    assert found is not None
    shown = found.astimezone(zone)
    if shown.replace(tzinfo=None) != wall:
        assert shown.utcoffset() > (found - timedelta(seconds=1)).astimezone(zone).utcoffset()  # type: ignore[operator] # aware
        assert (found - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) < wall < shown.replace(tzinfo=None)
    assert shown.fold == 0


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("edge", [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59)])  # noqa: DTZ001 # a wall's
def test_the_edges_of_the_calendar_are_no_moment_rather_than_an_error(edge: datetime, name: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for when in (WallMoment(at=edge), Instant(at=edge.replace(tzinfo=UTC)), TimeOfDay(at=time(9))):
        next_moment(when, now=now, zone=ZoneInfo(name))
        next_moment(when, now=edge.replace(tzinfo=UTC), zone=ZoneInfo(name))
