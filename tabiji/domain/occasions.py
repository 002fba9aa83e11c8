"""What starts a journey by the clock: a contact's dates, and schedules that enter an audience.

    anniversary("birthday", days=-3, at=time(9))                       every year, on the contact's clock
    contact_date("trial_ends", days=-3, at=time(9))                    once
    every(weekday("monday", time(9)), timezone="Asia/Tokyo", who=tagged("vip"))
    every("0 9 1 * *", who=everyone)                                   cron: the first of each month, nine o'clock

A schedule goes by one zone for all; a journey that is to act on each contact's own clock waits for it:
`await self.wait_until(time(9))`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import time
from typing import Annotated, Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from tabiji.domain.audience import Audience
from tabiji.domain.calendar import DAYS, TimeOfDay, Weekday
from tabiji.domain.dates import ContactDate
from tabiji.domain.patterns import Single
from tabiji.domain.tests import Data
from tabiji.errors import JourneyDefinitionError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEK = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _WEEK),
)
_RANGE = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d{1,3}))?", re.ASCII)


class Cron(Data):
    """Minute, hour, day of the month, month, day of the week."""

    kind: Literal["cron"] = "cron"
    expression: str

    @field_validator("expression")
    @classmethod
    def _can_be_read(cls, expression: str) -> str:
        fields = expression.lower().split()
        if len(fields) != len(_FIELDS):
            raise ValueError(f"{expression!r} is no cron expression: five fields, e.g. '0 9 * * mon'")
        for text, (name, low, high, names) in zip(fields, _FIELDS, strict=True):
            if not all(_in_range(part, low, high, names) for part in text.split(",")):
                raise ValueError(f"{expression!r}: {text!r} is no {name} ({low}-{high}), e.g. '0 9 * * mon'")
        if "*" not in (fields[2][:1], fields[4][:1]):
            raise ValueError(
                f"{expression!r} names a day of the month and a day of the week, which some read as `or` and others "
                "as `and`. Name one, and let two triggers say the rest."
            )
        return " ".join(fields)

    def __str__(self) -> str:
        return self.expression


class Schedule(Data):
    """Enters an audience again and again. Without `timezone` it goes by the house's zone."""

    kind: Literal["schedule"] = "schedule"
    when: Annotated[TimeOfDay | Weekday | Cron, Field(discriminator="kind")]
    timezone: str | None = None
    who: Audience

    @field_validator("timezone")
    @classmethod
    def _known(cls, timezone: str | None) -> str | None:
        if timezone is not None:
            try:
                ZoneInfo(timezone)
            except (ValueError, OSError, KeyError):
                raise ValueError(f"{timezone!r} is not an IANA time zone, e.g. Asia/Tokyo") from None
        return timezone

    @property
    def cron(self) -> str:
        """The same as a cron expression."""
        match self.when:
            case Cron():
                return self.when.expression
            case TimeOfDay():
                return f"{self.when.at.minute} {self.when.at.hour} * * *"
            case Weekday():
                days = ",".join(day[:3] for day in self.when.days) if len(self.when.days) < len(DAYS) else "*"
                return f"{self.when.at.minute} {self.when.at.hour} * * {days}"

    def __str__(self) -> str:
        zone = f" {self.timezone}" if self.timezone else ""
        return f"every {self.when}{zone}, {self.who}"


def every(when: str | time | Weekday, *, who: Audience, timezone: str | None = None) -> Schedule:
    """Enter an audience by the clock.

    Args:
        when: A time of day, `weekday(…)`, or a cron expression of five fields. To the minute.
        who: Whom to enter; `everyone`, said on purpose.
        timezone: IANA name of the zone it goes by; without it the house's, `TABIJI_TIMEZONE`.

    Raises:
        ValueError: It cannot be read, is finer than a minute, or there is no such zone.
    """
    try:
        match when:
            case str():
                parsed: TimeOfDay | Weekday | Cron = Cron(expression=when)
            case time():
                parsed = TimeOfDay(at=when)
            case Weekday():
                parsed = when
        if not isinstance(parsed, Cron) and (parsed.at.second or parsed.at.microsecond):
            raise ValueError(f"{parsed} is finer than a minute, which schedules are not")
        return Schedule(when=parsed, timezone=timezone, who=who)
    except ValueError as error:
        reason = str(error).split("Value error, ")[-1].split(" [type=")[0]
        raise ValueError(f"every(…): {reason}") from None


Trigger: TypeAlias = Single | ContactDate | Schedule
"""Anything that can start a journey."""


class Triggers(NamedTuple):
    """The triggers of a journey by their kinds."""

    events: tuple[Single, ...]
    dates: tuple[ContactDate, ...]
    schedules: tuple[Schedule, ...]


def by_kind(given: Iterable[Trigger]) -> Triggers:
    """Sort the triggers of one journey.

    Raises:
        JourneyDefinitionError: Two count from the same date: a date starts a journey once each time it comes.
    """
    triggers = tuple(given)
    dates = tuple(one for one in triggers if isinstance(one, ContactDate))
    for (attribute, yearly), count in Counter((one.attribute, one.yearly) for one in dates).items():
        if count > 1:
            raise JourneyDefinitionError(
                f"{count} triggers count from {attribute!r}{' every year' if yearly else ''}, and a date starts a "
                "journey once each time it comes. Start on the earliest, and wait inside: "
                f"`await self.wait_until(contact_date({attribute!r}, …))`; or make it two journeys."
            )
    return Triggers(
        events=tuple(one for one in triggers if not isinstance(one, ContactDate | Schedule)),
        dates=dates,
        schedules=tuple(one for one in triggers if isinstance(one, Schedule)),
    )


def _in_range(text: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    found = _RANGE.fullmatch(text)
    if found is None or (found[3] is not None and int(found[3]) < 1):
        return False
    ends = [_number(end, names, low) for end in found.group(1, 2) if end is not None]
    return all(low <= end <= high for end in ends) and ends == sorted(ends)


def _number(text: str, names: tuple[str, ...], low: int) -> int:
    if text in names:
        return names.index(text) + low
    return int(text) if text.isdigit() and len(text) < 4 else -1
