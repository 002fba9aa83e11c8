"""Quiet hours: when a person must not be mailed.

The window is local time, from its start up to, not including, its end. It may span midnight.

    21:00-08:00   21:00 is quiet, 07:59:59 is quiet, 08:00 is not
    09:00-09:00   empty: never quiet
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo

Window = tuple[time, time]

_SECOND = timedelta(seconds=1)


def is_quiet(at: datetime, zone: tzinfo, quiet: Window) -> bool:
    """Whether the clock on this person's wall stands inside the window."""
    start, end = quiet
    wall = at.astimezone(zone).time()
    if start <= end:
        return start <= wall < end
    return wall >= start or wall < end


def allowed_from(at: datetime, zone: tzinfo, quiet: Window | None) -> datetime:
    """When a message meant for `at` may go out.

    Args:
        at: Aware.
        zone: Of the person.
        quiet: Start and end, local time; None: no quiet hours.

    Returns:
        `at` itself, or the end of the quiet window in UTC. Where clocks are set forward over the end, it is
        the moment of the change; where they are set back over it, the first time the end is reached.

    Raises:
        ValueError: `at` has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("allowed_from() takes an aware datetime")
    # More than one turn only where the change itself lands inside the window again.
    while quiet is not None and is_quiet(at, zone, quiet):
        at = _next_end(at, zone, quiet[1])
    return at


def _next_end(at: datetime, zone: tzinfo, end: time) -> datetime:
    local = at.astimezone(zone)
    day = local.date() + timedelta(days=local.time() >= end)
    wall = datetime.combine(day, end)
    first, second = sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None, fold=0) != wall:
        return _change(first, second, zone)
    return first if first > at else second


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The moment between the two at which the zone's offset changes; it falls on a whole second."""
    old = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + timedelta(seconds=(after - before) // _SECOND // 2)
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after
