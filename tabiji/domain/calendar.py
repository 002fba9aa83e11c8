"""Moments an author names, as data, and when they come on a contact's clock.

    date(2027, 1, 1)                             the start of that day, in the contact's zone
    datetime(2027, 1, 1, 9)                      nine o'clock in the contact's zone
    datetime(2027, 1, 1, 9, tzinfo=UTC)          one instant for everybody
    time(9)                                      the next time the contact's clock shows nine
    weekday("friday", time(13))                  the next Friday, 13:00; also ("monday", "thursday"), "weekdays"
    contact_date("birthday", days=-3)            counted from a date of the contact's, see `tabiji.domain.dates`

Rules, the same everywhere: where clocks are set forward over a time, it is the moment of the change; where they are
set back over it, it is the first of the two, and a daily time comes once that day. A day the zone's calendar leaves out
is passed over by what repeats.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, NaiveDatetime, field_validator

from tabiji.domain.dates import ContactDate, WallTime, clock
from tabiji.domain.zones import day_exists, instant_of

Day: TypeAlias = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: tuple[Day, ...] = get_args(Day)
Days: TypeAlias = Day | Literal["weekdays", "weekends"]
_GROUPS: dict[str, tuple[Day, ...]] = {"weekdays": DAYS[:5], "weekends": DAYS[5:]}
_NAMES: dict[str, tuple[Day, ...]] = {**{day: (day,) for day in DAYS}, **_GROUPS}
_DAYS_AHEAD = 15
"""A week, and another where its day is one the calendar leaves out."""


class _Moment(BaseModel):
    model_config = ConfigDict(frozen=True)


class Instant(_Moment):
    """One instant, the same for everybody."""

    kind: Literal["instant"] = "instant"
    at: AwareDatetime

    def __str__(self) -> str:
        return f"{_wall(self.at.astimezone(UTC))} UTC"


class WallMoment(_Moment):
    """A date and time on the contact's clock."""

    kind: Literal["wall"] = "wall"
    at: NaiveDatetime

    def __str__(self) -> str:
        return _wall(self.at)


class TimeOfDay(_Moment):
    """The next time the contact's clock shows this."""

    kind: Literal["time_of_day"] = "time_of_day"
    at: WallTime

    def __str__(self) -> str:
        return clock(self.at)


class Weekday(_Moment):
    """The next time it is one of these days and this time on the contact's clock. Days stand in the week's order."""

    kind: Literal["weekday"] = "weekday"
    days: tuple[Day, ...] = Field(min_length=1)
    at: WallTime

    @field_validator("days")
    @classmethod
    def _in_order(cls, days: tuple[Day, ...]) -> tuple[Day, ...]:
        return tuple(day for day in DAYS if day in days)

    def __str__(self) -> str:
        group = next((name for name, days in _GROUPS.items() if days == self.days), None)
        return f"{group or ', '.join(self.days)} {clock(self.at)}"


When: TypeAlias = Annotated[
    Instant | WallMoment | TimeOfDay | Weekday | ContactDate,
    Field(discriminator="kind"),
]
"""Any of them. As JSON it is told apart by `kind`."""


def weekday(days: Days | tuple[Days, ...], at: time) -> Weekday:
    """Some days of the week at a time: ``weekday("friday", time(13))``, ``weekday("weekdays", time(18))``.

    Raises:
        ValueError: No such day, or the time has a zone.
    """
    named = (days,) if isinstance(days, str) else days
    unknown = [name for name in named if name not in _NAMES]
    if unknown or not named:
        raise ValueError(f"weekday() takes {', '.join(_NAMES)}, or several of them; not {unknown or days!r}")
    return Weekday(days=tuple(day for name in named for day in _NAMES[name]), at=at)


def as_when(value: date | datetime | time | When) -> When:
    """Make data of what an author passes.

    Raises:
        TypeError: It is none of these; the message shows what is.
        ValueError: A time of day with a zone.
    """
    match value:
        case datetime():
            return WallMoment(at=value) if value.tzinfo is None else Instant(at=value)
        case date():
            return WallMoment(at=datetime.combine(value, time()))
        case time():
            return TimeOfDay(at=value)
        case Instant() | WallMoment() | TimeOfDay() | Weekday() | ContactDate():
            return value
    raise TypeError(
        f"{value!r} names no moment. Say date(2027, 1, 1), datetime(2027, 1, 1, 9), time(9), "
        "weekday('friday', time(13)) or contact_date('birthday')."
    )


def next_moment(when: When, *, now: datetime, zone: tzinfo, attribute: JsonValue = None) -> datetime | None:
    """When it comes.

    Args:
        when: The moment an author named.
        now: Aware; journey time.
        zone: Of the contact.
        attribute: What the contact's attribute holds, for a `ContactDate`.

    Returns:
        UTC. What repeats (a time of day, a weekday, a date of every year) comes after `now`, never at it. What comes
        once is answered even where it has passed: who waits until then waits no longer. None when there is no such
        moment: the contact has no such date, or it lies at the edge of the calendar.

    Raises:
        ValueError: `now` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("next_moment() takes an aware datetime")
    try:
        match when:
            case Instant():
                return when.at.astimezone(UTC)
            case WallMoment():
                return instant_of(when.at, zone)
            case TimeOfDay():
                return _next(when.at, DAYS, now, zone)
            case Weekday():
                return _next(when.at, when.days, now, zone)
            case ContactDate():
                found = when.next(attribute, zone, after=now)
                return found.at if found is not None else None
    except (OverflowError, ValueError):
        return None


def _next(at: time, days: tuple[Day, ...], now: datetime, zone: tzinfo) -> datetime | None:
    # From yesterday: a time that was set forward over midnight is still to come.
    today = now.astimezone(zone).date()
    for ahead in range(-1, _DAYS_AHEAD):
        day = today + timedelta(days=ahead)
        if DAYS[day.weekday()] in days and day_exists(day, zone):
            found = instant_of(datetime.combine(day, at), zone)
            if found > now:
                return found
    return None


def _wall(at: datetime) -> str:
    return f"{at:%Y-%m-%d}" if at.time() == time() else f"{at:%Y-%m-%d} {clock(at.time())}"
