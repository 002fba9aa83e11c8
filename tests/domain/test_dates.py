from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from tabiji.domain.calendar import next_moment
from tabiji.domain.dates import ContactDate, Occurrence, anniversary, contact_date, read_date

TOKYO, LOS_ANGELES = ZoneInfo("Asia/Tokyo"), ZoneInfo("America/Los_Angeles")
ZONES = ("Asia/Tokyo", "America/Los_Angeles", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca")
BIRTHDAY = anniversary("birthday", days=-3, at=time(9))


def at(zone: ZoneInfo, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=zone).astimezone(UTC)  # type: ignore[arg-type, misc] # year, month, day …


def coming(when: ContactDate, value: JsonValue, now: datetime, zone: ZoneInfo = TOKYO) -> datetime | None:
    return next_moment(when, now=now, zone=zone, attribute=value)


def test_three_days_before_the_birthday_at_nine_on_the_contacts_clock() -> None:
    now = at(TOKYO, 2027, 1, 1)
    assert coming(BIRTHDAY, "1990-05-02", now) == at(TOKYO, 2027, 4, 29, 9)
    assert coming(BIRTHDAY, "1990-05-02", now, LOS_ANGELES) == at(LOS_ANGELES, 2027, 4, 29, 9)


def test_a_birthday_early_in_january_is_told_of_in_december() -> None:
    assert coming(BIRTHDAY, "1990-01-02", at(TOKYO, 2026, 12, 1)) == at(TOKYO, 2026, 12, 30, 9)
    assert coming(BIRTHDAY, "1990-01-02", at(TOKYO, 2026, 12, 30, 9)) == at(TOKYO, 2027, 12, 30, 9)


def test_who_was_born_on_29_february_celebrates_on_the_28th_of_common_years() -> None:
    plain = anniversary("birthday")
    assert coming(plain, "1992-02-29", at(TOKYO, 2027, 1, 1)) == at(TOKYO, 2027, 2, 28)
    assert coming(plain, "1992-02-29", at(TOKYO, 2028, 1, 1)) == at(TOKYO, 2028, 2, 29)
    assert coming(plain, "--02-29", at(TOKYO, 2027, 1, 1)) == at(TOKYO, 2027, 2, 28)
    after = anniversary("birthday", days=1)
    assert coming(after, "1992-02-29", at(TOKYO, 2027, 1, 1)) == at(TOKYO, 2027, 3, 1)
    assert coming(after, "1992-02-29", at(TOKYO, 2028, 1, 1)) == at(TOKYO, 2028, 3, 1)


def test_the_date_itself_is_no_anniversary() -> None:
    signed_up = anniversary("signed_up", at=time(18))
    assert coming(signed_up, "2027-03-01", at(TOKYO, 2027, 3, 1, 12)) == at(TOKYO, 2028, 3, 1, 18)
    assert coming(signed_up, "2027-03-01", at(TOKYO, 2020, 1, 1)) == at(TOKYO, 2028, 3, 1, 18)


@pytest.mark.parametrize("value", ["--05-02", "05-02"])
def test_a_date_without_a_year_comes_every_year(value: str) -> None:
    for when in (contact_date("birthday"), anniversary("birthday")):
        assert coming(when, value, at(TOKYO, 2027, 5, 2)) == at(TOKYO, 2028, 5, 2)


def test_a_date_with_a_year_comes_once() -> None:
    ends = contact_date("trial_ends", days=-3, at=time(9))
    assert coming(ends, "2027-05-05", at(TOKYO, 2027, 1, 1)) == at(TOKYO, 2027, 5, 2, 9)
    assert coming(ends, "2027-05-05", at(TOKYO, 2027, 5, 3)) == at(TOKYO, 2027, 5, 2, 9)
    assert ends.due("2027-05-05", TOKYO, since=at(TOKYO, 2027, 5, 2, 9), until=at(TOKYO, 2027, 5, 3)) is None


def test_two_hours_before_an_appointment_whichever_way_it_is_written() -> None:
    reminder = contact_date("appointment", hours=-2)
    now = at(TOKYO, 2027, 1, 1)
    for written in ("2027-03-01T14:00+09:00", "2027-03-01T05:00:00Z", "2027-03-01T14:00", "2027-03-01 14:00:00"):
        assert coming(reminder, written, now) == at(TOKYO, 2027, 3, 1, 12)


def test_a_day_before_an_appointment_is_the_same_time_on_the_clock() -> None:
    """The clocks of Los Angeles are set forward in the night between."""
    reminder = contact_date("appointment", days=-1)
    found = coming(reminder, "2027-03-14T21:00:00Z", at(LOS_ANGELES, 2027, 1, 1), LOS_ANGELES)
    assert found == at(LOS_ANGELES, 2027, 3, 13, 14)


def test_an_appointment_in_the_hour_that_comes_twice_keeps_its_instant() -> None:
    second = "2027-11-07T01:30:00-08:00"
    assert coming(contact_date("appointment"), second, at(LOS_ANGELES, 2027, 1, 1), LOS_ANGELES) == datetime(
        2027, 11, 7, 9, 30, tzinfo=UTC
    )


def test_a_birthday_written_as_midnight_utc_is_that_day_everywhere() -> None:
    for written in ("1990-03-01T00:00:00Z", "1990-03-01T00:00:00.000Z", "1990-03-01T00:00+00:00"):
        found = coming(anniversary("birthday"), written, at(LOS_ANGELES, 2027, 1, 1), LOS_ANGELES)
        assert found == at(LOS_ANGELES, 2027, 3, 1)


def test_an_appointment_at_midnight_utc_is_nine_in_tokyo() -> None:
    found = coming(contact_date("appointment"), "2027-03-01T00:00:00Z", at(TOKYO, 2027, 1, 1))
    assert found == at(TOKYO, 2027, 3, 1, 9)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 0, 20270301, 1.5, [], {}, ["2027-03-01"], "", " ", "soon", "2027-02-29", "2027-13-01", "02-30"),
        *("2027-03", "20270301", "2027-W10-1", "2027-060", "01/03/2027", "2027-03-01T25:00", "0000-01-01"),
        *("9999-12-31T23:00:00-23:00", "\u0662027-03-01", "2027-03-01" + " " * 40, "2027-03-01T14:00+25:00"),
    ],
    ids=repr,
)
def test_what_is_no_date_is_none(value: JsonValue) -> None:
    assert read_date(value, TOKYO) is None
    assert coming(contact_date("birthday"), value, at(TOKYO, 2027, 1, 1)) is None


@given(
    value=st.text() | st.from_regex(r"\A-?-?\d{0,4}-\d{2}-\d{2}(T\d\d:\d\d)?\Z") | st.integers() | st.none(),
    offset=st.integers(-36_600, 36_600),
    yearly=st.booleans(),
    now=st.datetimes(timezones=st.just(UTC)),
    name=st.sampled_from(ZONES),
)
def test_no_value_no_offset_and_no_clock_is_an_error(
    value: JsonValue, offset: int, yearly: bool, now: datetime, name: str
) -> None:
    when = contact_date("date", days=offset, yearly=yearly)
    found = next_moment(when, now=now, zone=ZoneInfo(name), attribute=value)
    assert found is None or found.tzinfo is UTC


@settings(max_examples=200, deadline=None)
@given(
    born=st.dates(date(1930, 1, 1), date(2020, 12, 31)),
    now=st.datetimes(datetime(2021, 6, 1), datetime(2090, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 # UTC is given
    offset=st.integers(-500, 500),
    clock=st.builds(time, st.integers(0, 23)),
    name=st.sampled_from(ZONES),
)
def test_an_anniversary_is_the_first_one_after_now(
    born: date, now: datetime, offset: int, clock: time, name: str
) -> None:
    zone = ZoneInfo(name)
    found = coming(anniversary("birthday", days=offset, at=clock), born.isoformat(), now, zone)

    def celebrated(year: int) -> date:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return (
            born.replace(year=year, day=28)
            if (born.month, born.day) == (2, 29) and not leap
            else born.replace(year=year)
        )

    walls = [
        datetime.combine(celebrated(year) + timedelta(days=offset), clock) for year in range(now.year - 3, now.year + 4)
    ]
    assert found == min(one for one in (_shown(wall, zone) for wall in walls) if one > now)


def _shown(wall: datetime, zone: ZoneInfo) -> datetime:
    """By trying every minute of two days: slow, and right by construction."""
    naive = wall.replace(tzinfo=zone).astimezone(UTC)
    if naive.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
        return naive
    at = naive - timedelta(days=1, hours=1)
    while at.astimezone(zone).replace(tzinfo=None, fold=0) < wall:
        at += timedelta(minutes=1)
    return at


@given(
    value=st.dates(date(2000, 1, 1), date(2030, 1, 1)).map(str) | st.just("--02-29"),
    yearly=st.booleans(),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 # UTC is given
    gaps=st.lists(st.integers(1, 200), min_size=1, max_size=20),
    name=st.sampled_from(ZONES),
)
def test_looks_one_after_the_other_find_every_occurrence_once(
    value: str, yearly: bool, now: datetime, gaps: list[int], name: str
) -> None:
    zone = ZoneInfo(name)
    when = contact_date("date", at=time(9), yearly=yearly)
    found: list[Occurrence] = []
    since = now
    for gap in gaps:
        until = since + timedelta(days=gap)
        if (due := when.due(value, zone, since=since, until=until)) is not None:
            found.append(due)
        since = until
    every: list[Occurrence] = []
    at = now
    while (due := when.due(value, zone, since=at, until=at + timedelta(days=364))) is not None or at < since:
        every += [due] if due is not None and due.at <= since else []
        at += timedelta(days=364)
    assert found == every
    assert len({one.name for one in found}) == len(found)


def test_an_occurrence_is_named_the_same_whatever_the_contacts_zone() -> None:
    now = datetime(2027, 1, 1, tzinfo=UTC)
    for when, value, name in (
        (contact_date("appointment"), "2027-03-01T20:00:00Z", "2027-03-01"),
        (contact_date("trial_ends", days=-3), "2027-03-01", "2027-03-01"),
        (BIRTHDAY, "1990-03-01", "2027"),
        (contact_date("name_day"), "--03-01", "2027"),
    ):
        found = {occurrence.name for zone in (TOKYO, LOS_ANGELES) if (occurrence := when.next(value, zone, after=now))}
        assert found == {name}


@given(
    born=st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    written=st.sampled_from(("{}", "{}T00:00:00Z", "{}T23:30:00-11:00", "{}T00:30+14:00", "{}T12:00")),
    when=st.builds(
        contact_date,
        st.just("date"),
        days=st.integers(-400, 400),
        hours=st.integers(-200, 200),
        at=st.none() | st.builds(time, st.integers(0, 23)),
        yearly=st.booleans(),
    ),
    window=st.tuples(
        st.datetimes(datetime(2019, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 # UTC is given
        st.integers(1, 100).map(lambda hours: timedelta(hours=hours)),
    ),
    name=st.sampled_from(ZONES),
)
def test_what_is_due_is_among_the_days_a_database_is_asked_for(
    born: date, written: str, when: ContactDate, window: tuple[datetime, timedelta], name: str
) -> None:
    value, since, until = written.format(born), window[0], window[0] + window[1]
    if when.due(value, ZoneInfo(name), since=since, until=until) is not None:
        assert any(day in value for day in when.days_between(since, until))
