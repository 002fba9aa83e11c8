"""Quiet hours and quiet days: when a person must not be mailed.

The window is local time, from its start up to, not including, its end. It may span midnight.

    21:00-08:00   21:00 is quiet, 07:59:59 is quiet, 08:00 is not
    09:00-09:00   empty: never quiet

A day is quiet from midnight to midnight on the person's clock: a weekday, or a public holiday where they live.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, tzinfo

from tabiji.domain.zones import change_between, instant_of

Window = tuple[time, time]
_A_MINUTE = timedelta(minutes=1)


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
        the moment of the change; where they are set back over it, the first time the end is reached; where they are
        set back to before the window, the moment of the change, too.

    Raises:
        ValueError: `at` has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("allowed_from() takes an aware datetime")
    # More than one turn only where the change itself lands inside the window again.
    while quiet is not None and is_quiet(at, zone, quiet):
        at = _next_end(at, zone, quiet)
    return at


def _next_end(at: datetime, zone: tzinfo, quiet: Window) -> datetime:
    local, end = at.astimezone(zone), quiet[1]
    day = local.date() + timedelta(days=local.time() >= end)
    found = instant_of(datetime.combine(day, end), zone, after=at)
    changed = change_between(at, found, zone)
    return changed if changed is not None and at < changed and not is_quiet(changed, zone, quiet) else found


def next_day_from(at: datetime, zone: tzinfo, is_quiet_day: Callable[[date], bool]) -> datetime:
    """`at` where its day is not quiet; else the first moment of the day after it, which may be quiet, too."""
    today = at.astimezone(zone).date()
    if not is_quiet_day(today):
        return at
    # Where the calendar has left a day out, its midnight is the moment of that change: the day after it begins.
    begins = instant_of(datetime.combine(today + timedelta(days=1), time()), zone, after=at)
    # Clocks set back over midnight show the evening of the quiet day once more.
    while begins.astimezone(zone).date() <= today or begins <= at:
        begins += _A_MINUTE
    return begins
