"""What may stand in a contact's attributes, and what it comes to when a number is added."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from pydantic import JsonValue

LONGEST_NAME = 100
MOST = 200
"""Attributes of one contact."""
LARGEST = 32 * 1024
"""Characters of JSON all attributes of one contact may come to."""
LONGEST_TOLD = 1000
"""Characters of JSON up to which a value is repeated in the event that tells of its change."""
LARGEST_NUMBER = 2**63 - 1
"""What SQLite, PostgreSQL and most readers of JSON share."""
LARGEST_SCORE = 2**31 - 1

PROFILE = ("timezone", "locale")
"""Attributes with a column of their own."""
IDENTITIES = frozenset({"email", "id", "user_id", "userId", "anonymous_id", "anonymousId"})
"""Who somebody is, is not changed by a journey: `POST /v1/identify` says that."""

_LOCALE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")


def problem_with_name(name: str) -> str | None:
    """Why this cannot be the name of an attribute, a tag, a list or a stage; None when it can."""
    if not name.strip():
        return "must not be empty"
    if len(name) > LONGEST_NAME:
        return f"may have at most {LONGEST_NAME} characters"
    return _problem_with_text(name)


def problem_with(name: str, value: JsonValue) -> str | None:
    """Why an attribute cannot have this value, None when it can. `timezone` and `locale` are checked."""
    if (problem := problem_with_name(name)) is not None:
        return problem
    if name == "timezone" and not (isinstance(value, str) and value in zones()):
        return "is not an IANA time zone, e.g. Asia/Tokyo"
    if name == "locale" and not (isinstance(value, str) and is_locale(value)):
        return "is not a language tag, e.g. ja-JP"
    return _problem_with_value(value)


def problem_with_all(attributes: Mapping[str, Any]) -> str | None:
    """Why a contact cannot have all these attributes, None when they can."""
    if len(attributes) > MOST:
        return f"a contact may have at most {MOST} attributes"
    if len(json.dumps(attributes, ensure_ascii=False)) > LARGEST:
        return f"a contact's attributes may come to at most {LARGEST} characters of JSON"
    return None


def told(before: JsonValue, after: JsonValue) -> dict[str, JsonValue]:
    """What the event that tells of a change says of the two values: very long ones it leaves out."""
    values = {"before": before, "after": after}
    return {key: value for key, value in values.items() if len(json.dumps(value, ensure_ascii=False)) <= LONGEST_TOLD}


def added(value: JsonValue, amount: float) -> int | float | None:
    """A number and what is added to it, as people reckon: 0.1 and 0.2 are 0.3. None where `value` is no number.

    Nothing there counts as 0.
    """
    if value is None:
        value = 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    total = Decimal(str(value)) + Decimal(str(amount))
    return int(total) if total == total.to_integral_value() else float(total)


@cache
def zones() -> frozenset[str]:
    """Time zones by their IANA names."""
    return frozenset(available_timezones())


def is_locale(value: str) -> bool:
    """Whether this is a language tag, such as ja-JP."""
    return len(value) <= 35 and _LOCALE.fullmatch(value) is not None


def _problem_with_text(text: str) -> str | None:
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return "contains what is no character a database can keep"
    return None


def _problem_with_value(value: JsonValue) -> str | None:
    match value:
        case str():
            return _problem_with_text(value)
        case bool() | None:
            return None
        case int() | float():
            kept = math.isfinite(value) and (isinstance(value, float) or abs(value) <= LARGEST_NUMBER)
            return None if kept else "is a number a database cannot keep"
        case list():
            return next((problem for one in value if (problem := _problem_with_value(one))), None)
        case dict():
            problems = (_problem_with_text(name) or _problem_with_value(one) for name, one in value.items())
            return next((problem for problem in problems if problem), None)
