from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabiji.domain.quiet import allowed_from, is_quiet

NIGHT = (time(21), time(8))
TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")
LONDON = ZoneInfo("Europe/London")
APIA = ZoneInfo("Pacific/Apia")
ZONES = ("Asia/Tokyo", "America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Havana", "America/Asuncion")


def local(zone: ZoneInfo, *parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=zone, fold=fold).astimezone(UTC)  # type: ignore[arg-type, misc] # year, month, day …


def test_a_mail_at_noon_goes_out_at_noon() -> None:
    noon = local(TOKYO, 2026, 3, 1, 12)
    assert allowed_from(noon, TOKYO, NIGHT) == noon


def test_without_quiet_hours_every_moment_is_allowed() -> None:
    night = local(TOKYO, 2026, 3, 1, 3)
    assert allowed_from(night, TOKYO, None) == night


@pytest.mark.parametrize(("hour", "day"), [(23, 2), (3, 1), (21, 2), (0, 1)])
def test_a_mail_at_night_waits_for_the_morning(hour: int, day: int) -> None:
    assert allowed_from(local(TOKYO, 2026, 3, 1, hour), TOKYO, NIGHT) == local(TOKYO, 2026, 3, day, 8)


def test_the_window_ends_at_its_end_not_after_it() -> None:
    morning = local(TOKYO, 2026, 3, 1, 8)
    assert allowed_from(morning, TOKYO, NIGHT) == morning
    assert allowed_from(morning - timedelta(microseconds=1), TOKYO, NIGHT) == morning


def test_a_window_may_lie_within_one_day() -> None:
    lunch = (time(12), time(13))
    assert allowed_from(local(TOKYO, 2026, 3, 1, 12, 30), TOKYO, lunch) == local(TOKYO, 2026, 3, 1, 13)


def test_an_empty_window_is_never_quiet() -> None:
    nine = local(TOKYO, 2026, 3, 1, 9)
    assert allowed_from(nine, TOKYO, (time(9), time(9))) == nine


def test_an_end_that_the_clocks_jump_over_is_the_moment_they_jump() -> None:
    """2026-03-08 in New York: 02:00 becomes 03:00, so 02:30 never comes."""
    found = allowed_from(local(NEW_YORK, 2026, 3, 8, 1), NEW_YORK, (time(22), time(2, 30)))
    assert found == local(NEW_YORK, 2026, 3, 8, 3) == datetime(2026, 3, 8, 7, tzinfo=UTC)


def test_an_end_that_comes_twice_is_the_first_that_is_still_to_come() -> None:
    """2026-10-25 in London: 02:00 becomes 01:00, so 01:30 comes twice."""
    window = (time(22), time(1, 30))
    assert allowed_from(local(LONDON, 2026, 10, 25, 1, 10), LONDON, window) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert allowed_from(local(LONDON, 2026, 10, 25, 1, 10, fold=1), LONDON, window) == datetime(
        2026, 10, 25, 1, 30, tzinfo=UTC
    )


def test_a_night_that_loses_an_hour_still_ends_at_eight() -> None:
    assert allowed_from(local(NEW_YORK, 2026, 3, 7, 23), NEW_YORK, NIGHT) == local(NEW_YORK, 2026, 3, 8, 8)


def test_a_day_that_never_was_is_stepped_over() -> None:
    """Samoa had no 30 December 2011."""
    assert allowed_from(local(APIA, 2011, 12, 29, 22), APIA, NIGHT) == local(APIA, 2011, 12, 31, 8)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        allowed_from(datetime(2026, 3, 1, 3), TOKYO, NIGHT)  # noqa: DTZ001 # that is the point


clock = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 59)))


def near_a_change(month: int, day: int, minute: int) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC) + timedelta(minutes=minute)


# Anywhere, and around the days on which the zones above change their clocks.
moments = st.one_of(
    st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 # UTC is given
    st.sampled_from(((3, 8), (3, 29), (10, 25), (11, 1), (4, 4), (10, 3))).flatmap(
        lambda date: st.builds(near_a_change, st.just(date[0]), st.just(date[1]), st.integers(-1440, 2880))
    ),
)


@settings(max_examples=400)
@given(at=moments, name=st.sampled_from(ZONES), quiet=st.tuples(clock, clock))
def test_the_answer_is_allowed_never_early_and_not_later_than_need_be(
    at: datetime, name: str, quiet: tuple[time, time]
) -> None:
    zone = ZoneInfo(name)
    found = allowed_from(at, zone, quiet)

    assert found >= at
    assert not is_quiet(found, zone, quiet)
    assert allowed_from(found, zone, quiet) == found
    if not is_quiet(at, zone, quiet):
        assert found == at
        return
    # Every minute before is quiet, unless the clock was set back to before the window meanwhile.
    set_back = found.astimezone(zone).utcoffset() < at.astimezone(zone).utcoffset()  # type: ignore[operator] # aware
    minutes = int((found - at) / timedelta(minutes=1))
    assert minutes <= 26 * 60
    assert set_back or all(is_quiet(at + timedelta(minutes=n), zone, quiet) for n in range(minutes))
    assert set_back or is_quiet(found - timedelta(microseconds=1), zone, quiet)
