"""Durations as authors write and people read them."""

from __future__ import annotations

from datetime import timedelta

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
