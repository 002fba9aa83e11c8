"""Dates, times, numbers and amounts as a person writes them: by their locale, in their time zone.

{{ order.at | date }}                 1 Mar 2026, or 2026年3月1日 …
{{ order.at | time }}                 19:30
{{ order.at | datetime("full") }}     short, medium, long, full, or a pattern of the CLDR: "d. MMMM"
{{ points | number }}                 1,234.5
{{ order.total | money("JPY") }}      ¥1,234; without a currency, the brand's
{{ share | percent }}                 0.25 is 25 %
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates, numbers
from jinja2 import Undefined

from tabiji.channels.email.facts import Sample


class NotFit(Exception):  # a problem of a template, told with its place by who fills it in
    """A value cannot be written this way. The message quotes nothing of it."""


@dataclass
class Reader:
    """Who a template is being filled in for."""

    locale: Locale
    zone: tzinfo
    currency: str
    segments: Mapping[str, bool] = field(default_factory=dict[str, bool])
    slots: list[str] | None = None
    """Where values go whose places alone are kept; None: they are written where they stand."""


READER: ContextVar[Reader] = ContextVar("tabiji.mail.reader")
"""Set while a template is filled in: filters have it inside imported macros too, where a context has not."""


@lru_cache(maxsize=1024)
def locale_of(written: str | None, otherwise: str = "en") -> Locale:
    """A locale as people and programs write it (ja, ja-JP, ja_JP); the other one where it is none we know."""
    for one in (written, otherwise):
        try:
            return Locale.parse((one or "").replace("_", "-").partition(".")[0], sep="-")
        except (ValueError, UnknownLocaleError, TypeError):
            continue
    return Locale("en")


@lru_cache(maxsize=1024)
def zone_of(name: str | None, otherwise: tzinfo) -> tzinfo:
    """A time zone by its name; the other one where it is none."""
    try:
        return ZoneInfo(name) if name else otherwise
    except (ValueError, OSError, KeyError):
        return otherwise


def is_right_to_left(locale: Locale) -> bool:
    """Whether it is written from the right, as Arabic and Hebrew are."""
    return bool(locale.character_order == "right-to-left")


def tag_of(locale: Locale) -> str:
    """As the attribute `lang` has it: ja-JP."""
    return str(locale).replace("_", "-")


def as_date(value: object, format: str = "medium") -> str:
    """A day. A moment's day is that of the person's zone."""
    reader = READER.get()
    moment = _moment(value)
    day = moment.astimezone(reader.zone).date() if isinstance(moment, datetime) and moment.tzinfo else moment
    return dates.format_date(day, format, locale=reader.locale)


def as_time(value: object, format: str = "short") -> str:
    """A time of day, in the person's zone."""
    reader = READER.get()
    moment = _exact(value)
    return dates.format_time(moment, format, tzinfo=reader.zone if _aware(moment) else None, locale=reader.locale)


def as_datetime(value: object, format: str = "medium") -> str:
    """Day and time, in the person's zone."""
    reader = READER.get()
    moment = _moment(value)
    if not isinstance(moment, datetime):
        raise NotFit("is a day without a time: use `date`")
    return dates.format_datetime(moment, format, tzinfo=reader.zone if _aware(moment) else None, locale=reader.locale)


def as_number(value: object, digits: int | None = None) -> str:
    """A number, with so many digits behind the point where that is said."""
    return _written(value, READER.get().locale.decimal_formats[None], digits)


def as_money(value: object, currency: str | None = None) -> str:
    """An amount, with the digits its currency has. `currency` is its code: EUR."""
    reader = READER.get()
    code = str(currency or reader.currency).upper()
    if not (code.isascii() and code.isalpha() and len(code) == 3):
        raise NotFit("has no currency: say its code of three letters, e.g. money('EUR')")
    return numbers.format_currency(_decimal(value), code, locale=reader.locale)


def as_percent(value: object, digits: int = 0) -> str:
    """A share: 0.25 is 25 %."""
    return _written(value, READER.get().locale.percent_formats[None], digits)


FILTERS = {
    "date": as_date,
    "time": as_time,
    "datetime": as_datetime,
    "number": as_number,
    "money": as_money,
    "percent": as_percent,
}


def _written(value: object, pattern: numbers.NumberPattern, digits: int | None) -> str:
    own = copy(pattern)
    if digits is not None:
        own.frac_prec = (digits, digits)
    return str(own.apply(_decimal(value), READER.get().locale))


def _there(value: object) -> None:
    """A variable that is not set says so itself."""
    if isinstance(value, Undefined):
        str(value)


def _decimal(value: object) -> Decimal:
    _there(value)
    if isinstance(value, Sample):
        return Decimal(1)
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
            raise InvalidOperation
        found = Decimal(str(value).strip())
    except InvalidOperation:
        raise NotFit("is not a number") from None
    if not found.is_finite():
        raise NotFit("is not a number")
    return found


def _moment(value: object) -> date | datetime:
    _there(value)
    if isinstance(value, Sample):
        return datetime(2026, 1, 31, 12, tzinfo=UTC)
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        text = value.strip()
        for read in (date.fromisoformat, datetime.fromisoformat):
            try:
                return read(text)
            except ValueError:
                continue
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (OverflowError, OSError, ValueError):
            pass
    raise NotFit("is not a date, such as 2026-03-01 or 2026-03-01T12:00:00Z")


def _exact(value: object) -> datetime | time:
    if isinstance(value, time):
        return value
    if isinstance(value, str):
        try:
            return time.fromisoformat(value.strip())
        except ValueError:
            pass
    moment = _moment(value)
    if not isinstance(moment, datetime):
        raise NotFit("is a day without a time: use `date`")
    return moment


def _aware(moment: datetime | time) -> bool:
    return moment.tzinfo is not None
