"""Durations as authors write and people read them."""

from __future__ import annotations

import re
from datetime import timedelta

from pydantic import TypeAdapter, ValidationError

_ISO = TypeAdapter(timedelta)
_WORDS = re.compile(
    r"(\d{1,9}(?:\.\d{1,6})?)\s*(weeks?|w|days?|d|hours?|h|minutes?|min|m|seconds?|s)\b[,\s]*", re.ASCII
)
_LETTERS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def days(count: float) -> timedelta:
    """So many times 24 hours."""
    return timedelta(days=count)


def hours(count: float) -> timedelta:
    """So many hours."""
    return timedelta(hours=count)


def minutes(count: float) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=count)


def in_words(duration: timedelta) -> str:
    """A duration for a reader, in at most its two largest units: ``2 days``, ``1 hour 30 minutes``."""
    left = duration.total_seconds()
    if left < 1:
        return f"{max(left, 0) * 1000:.0f} milliseconds"
    parts: list[str] = []
    whole = round(left)
    for size, unit in _UNITS:
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {unit}{'s' if count != 1 else ''}")
    return " ".join(parts[:2])


def parse_duration(text: str) -> timedelta | None:
    """A duration as people write it, ``1 hour 30 minutes`` or ``36h``, or ISO 8601, ``P2DT12H``. None: it is none."""
    text = text.strip()
    if text.startswith("P"):
        try:
            return _ISO.validate_python(text)
        except ValidationError:
            return None
    total, place = timedelta(0), 0
    while place < len(text):
        found = _WORDS.match(text, place)
        if found is None:
            return None
        try:
            total += timedelta(**{_LETTERS[found[2][0]]: float(found[1])})
        except OverflowError:
            return None
        place = found.end()
    return total if place else None
