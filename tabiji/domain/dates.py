"""A contact's dates: birthdays, renewals, appointments, as attributes hold them, and moments counted from them.

    contact_date("trial_ends", days=-3, at=time(9))      once: three days before, at nine on the contact's clock
    contact_date("appointment", hours=-2)                once: two hours before the time the attribute names
    anniversary("birthday", days=-3, at=time(9))         every year

An attribute may hold `2027-03-01`, `2027-03-01T14:00` (the contact's clock), `2027-03-01T14:00+09:00` or `…Z` (an
instant), or, for a day that comes every year, `--03-01` or `03-01`. Whatever else it holds is no date.

*29 February* is celebrated on 28 February in years that have no 29th, and days are counted from there.
*An anniversary* comes in the years after the date, never on the date itself: who signed up today has none today.
*Midnight UTC* (`1990-03-01T00:00:00Z`) is how many systems write a date. An anniversary reads it as one; else it is an
instant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from tabiji.domain.durations import in_words
from tabiji.domain.zones import instant_of

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_YEARLESS = re.compile(r"(?:--)?(\d\d)-(\d\d)", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_LEAP_YEAR = 2000
_FAR = timedelta(days=100 * 366)


def _without_zone(at: time) -> time:
    if at.tzinfo is not None:
        raise ValueError("a time of day has no zone of its own: it is read on the contact's clock")
    return at


WallTime = Annotated[time, AfterValidator(_without_zone)]
"""A time of day on the contact's clock."""


@dataclass(frozen=True)
class Dated:
    """What an attribute says. `year` is None for a day of every year, `at` for a day without a time."""

    year: int | None
    month: int
    day: int
    at: time | None = None
    instant: datetime | None = None

    def in_year(self, year: int) -> date:
        """The day of that year; 28 February where there is no 29th.

        Raises:
            ValueError: No such year.
        """
        try:
            return date(year, self.month, self.day)
        except ValueError:
            if (self.month, self.day) != (2, 29):
                raise
            return date(year, 2, 28)


@dataclass(frozen=True)
class Occurrence:
    """One time a date comes. `name` tells it from its others, whatever the contact's zone: a year, or a day."""

    name: str
    at: datetime


class ContactDate(BaseModel):
    """A moment counted from a date of the contact's. It follows the attribute.

    `days` are days of the calendar, `clock` is time on top of them. Without `at` it is the time of day the attribute
    itself names, or the start of the day.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["contact_date"] = "contact_date"
    attribute: str = Field(min_length=1, max_length=100)
    days: Annotated[int, Field(ge=-_FAR.days, le=_FAR.days)] = 0
    clock: Annotated[timedelta, Field(ge=-_FAR, le=_FAR)] = timedelta(0)
    at: WallTime | None = None
    yearly: bool = False

    def next(self, value: JsonValue, zone: tzinfo, *, after: datetime) -> Occurrence | None:
        """The first time this comes after a moment; for what comes once: that time, before or after.

        Args:
            value: What the attribute holds.
            zone: Of the contact.
            after: Aware.

        Returns:
            None when the attribute holds no date, or one at the edge of the calendar.
        """
        dated = read_date(value, zone, as_day=self.yearly)
        if dated is None:
            return None
        try:
            if dated.year is None or self.yearly:
                return next((found for found in self._yearly(dated, zone, after) if found.at > after), None)
            written = dated.instant or datetime(dated.year, dated.month, dated.day, tzinfo=UTC)
            return Occurrence(f"{written:%Y-%m-%d}", self._moment(dated, dated.year, zone))
        except (OverflowError, ValueError):
            return None

    def due(self, value: JsonValue, zone: tzinfo, *, since: datetime, until: datetime) -> Occurrence | None:
        """The occurrence that comes after `since` and not after `until`. Less than a year lies between them."""
        found = self.next(value, zone, after=since)
        return found if found is not None and since < found.at <= until else None

    def days_between(self, since: datetime, until: datetime) -> frozenset[str]:
        """Month and day, `03-01`, of every date from which this can be due between two moments, in whatever zone.

        What looks for contacts looks for these texts first, and then asks `due`.
        """
        offset = timedelta(days=self.days) + self.clock
        first, last = ((moment.astimezone(UTC) - offset).date() for moment in (since, until))
        # A day for the zone of the date, a day for the zone of the contact, a day for a time of day.
        span = range(-3, (last - first).days + 4)
        found = {f"{first + timedelta(days=ahead):%m-%d}" for ahead in span}
        return frozenset(found | ({"02-29"} if "02-28" in found else set()))

    def _yearly(self, dated: Dated, zone: tzinfo, after: datetime) -> Iterator[Occurrence]:
        first = (after - timedelta(days=self.days) - self.clock).astimezone(zone).year - 1
        if dated.year is not None:
            first = max(first, dated.year + 1)
        for year in range(max(first, 1), first + 4):
            yield Occurrence(str(year), self._moment(dated, year, zone))

    def _moment(self, dated: Dated, year: int, zone: tzinfo) -> datetime:
        if dated.instant is not None and not self.yearly and self.at is None and not self.days:
            return dated.instant + self.clock
        day = dated.in_year(year) + timedelta(days=self.days)
        return instant_of(datetime.combine(day, self.at or dated.at or time()), zone) + self.clock

    def __str__(self) -> str:
        away = [f"{abs(self.days)} day{'s' if abs(self.days) != 1 else ''}"] if self.days else []
        away += [in_words(abs(self.clock))] if self.clock else []
        sides = ["before" if negative else "after" for negative in (self.days < 0, self.clock < timedelta(0))]
        if self.days and self.clock and sides[0] != sides[1]:
            offset = f"{away[0]} {sides[0]} and {away[1]} {sides[1]} "
        else:
            offset = f"{' '.join(away)} {sides[0 if self.days else 1]} " if away else ""
        at = f", {clock(self.at)}" if self.at is not None else ""
        return f"{offset}{self.attribute}{at}{', every year' if self.yearly else ''}"


def contact_date(
    attribute: str, *, days: int = 0, hours: float = 0, minutes: float = 0, at: time | None = None, yearly: bool = False
) -> ContactDate:
    """A date of the contact's, plus or minus something. To wait until, or to start a journey on.

    Args:
        attribute: Name of the attribute that holds the date.
        days: Calendar days to add, or to go back when negative.
        hours: Hours to add on top, e.g. `hours=-2` for two hours before an appointment.
        minutes: Minutes to add on top.
        at: Time of day on the contact's clock; without it the time the attribute itself names, or the start of the day.
        yearly: The same as `anniversary`.
    """
    return ContactDate(
        attribute=attribute, days=days, clock=timedelta(hours=hours, minutes=minutes), at=at, yearly=yearly
    )


def anniversary(
    attribute: str, *, days: int = 0, hours: float = 0, minutes: float = 0, at: time | None = None
) -> ContactDate:
    """A date of the contact's in every year after it, plus or minus something. See `contact_date`."""
    return contact_date(attribute, days=days, hours=hours, minutes=minutes, at=at, yearly=True)


def read_date(value: JsonValue, zone: tzinfo, *, as_day: bool = False) -> Dated | None:
    """What an attribute's value says, on the contact's clock; None when it is no date.

    Args:
        value: Any value an attribute can have.
        zone: Of the contact; serves values that name an instant.
        as_day: Midnight UTC is a day, not an instant.
    """
    if not isinstance(value, str) or len(value) > 40:
        return None
    text = value.strip()
    try:
        if _DATE.fullmatch(text):
            day = date.fromisoformat(text)
            return Dated(day.year, day.month, day.day)
        if yearless := _YEARLESS.fullmatch(text):
            day = date(_LEAP_YEAR, int(yearless[1]), int(yearless[2]))
            return Dated(None, day.month, day.day)
        if _MOMENT.fullmatch(text):
            return _moment_of(datetime.fromisoformat(text), zone, as_day=as_day)
    except (ValueError, OverflowError):
        return None
    return None


def clock(at: time) -> str:
    """A time of day as people write it."""
    return at.isoformat("minutes" if not (at.second or at.microsecond) else "auto")


def _moment_of(at: datetime, zone: tzinfo, *, as_day: bool) -> Dated:
    if at.tzinfo is None:
        return Dated(at.year, at.month, at.day, at.time())
    instant = at.astimezone(UTC)
    if as_day and at.utcoffset() == timedelta(0) and at.time() == time():
        return Dated(at.year, at.month, at.day)
    local = instant.astimezone(zone)
    return Dated(local.year, local.month, local.day, local.time(), instant)
