"""Values that come from outside, in the one form we keep. Whoever refuses one says why, without quoting it."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Annotated
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from pydantic import Field

FASTEST = 10_000_000
"""Of tempos: how many times faster a test contact's journeys may run."""
UNKNOWN_ZONES = frozenset({"Etc/Unknown", "undefined", ""})
"""What browsers say that do not know where they are."""
_LOCALE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")

Tempo = Annotated[float, Field(gt=0, le=FASTEST, strict=True)]


@lru_cache(maxsize=4096)
def address(value: str) -> str:
    """An e-mail address in the one form we keep.

    Raises:
        ValueError: It is none. The message does not quote it.
    """
    try:
        normalized = validate_email(value, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise ValueError("is not an e-mail address") from None
    if len(normalized) > 254:
        raise ValueError("is longer than an e-mail address may be")
    return normalized


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone(value: str) -> str:
    """A time zone by its IANA name.

    Raises:
        ValueError: There is none of that name.
    """
    if value not in _zones():
        raise ValueError("is not an IANA time zone, e.g. Asia/Tokyo")
    return value


def locale(value: str) -> str:
    """A language tag.

    Raises:
        ValueError: It is none.
    """
    if len(value) > 35 or not _LOCALE.fullmatch(value):
        raise ValueError("is not a language tag, e.g. ja-JP")
    return value
