"""Public holidays by country, and whose country is which.

Countries are named by ISO 3166: `JP`, `JPN`, `US`; with a part of the country where its holidays differ: `US-CA`,
`DE-BY`. Of a country that is not known no day is a holiday.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

_COUNTRY = re.compile(r"([A-Za-z]{2,3})(?:[-_ ]([A-Za-z0-9]{1,6}))?")
_REGION = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?[-_]([A-Za-z]{2})(?:[-_.@].*)?")
"""Of a language tag: language, perhaps script, region."""


def country_of(attributes: Mapping[str, Any], locale: str | None) -> str | None:
    """Where somebody lives as far as that is known: their attribute `country`, else the region of their locale.

    An attribute that names no country by its code is passed over.
    """
    said = attributes.get("country")
    if isinstance(said, str) and is_country(said):
        return said.strip().upper()
    region = _REGION.fullmatch(locale or "")
    return region[1].upper() if region and is_country(region[1]) else None


@lru_cache(maxsize=1024)
def is_country(text: str) -> bool:
    """Whether holidays are known for this."""
    try:
        return _holidays(text.strip().upper(), 2000) is not None
    except ValueError:
        return False


def holiday(day: date, country: str) -> str | None:
    """The name of the public holiday a day is in a country; None: it is none."""
    days = _holidays(country.strip().upper(), day.year)
    return days.get(day) if days else None


@lru_cache(maxsize=1024)
def _holidays(country: str, year: int) -> Mapping[date, str] | None:
    """Of one year; None: no such country."""
    # It takes a quarter of a second to load: not for those who ask for no holidays.
    from holidays import country_holidays

    found = _COUNTRY.fullmatch(country)
    if found is None:
        return None
    try:
        return dict(country_holidays(found[1], subdiv=found[2], years=year))
    except NotImplementedError:
        # Also where the part is not known: the country's own are better than none.
        return _holidays(found[1], year) if found[2] else None
