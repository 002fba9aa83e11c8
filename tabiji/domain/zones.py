"""Clocks on walls: when a clock in a zone shows a time, through every change of the clocks.

Where clocks are set forward over a time, it counts as shown at the moment of the change. Where they are set back
over it, it is shown twice, and the first counts.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

_SECOND = timedelta(seconds=1)


def instant_of(wall: datetime, zone: tzinfo, *, after: datetime | None = None) -> datetime:
    """When the clocks of a zone show this.

    Args:
        wall: Naive.
        zone: Where the clock hangs.
        after: Of two times that show it, the first that is later than this one; the first, when none is given.

    Returns:
        UTC.

    Raises:
        OverflowError: It lies at the very edge of what a datetime can say.
    """
    first, second = sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None, fold=0) != wall.replace(fold=0):
        return _change(first, second, zone)
    return first if after is None or first > after else second


def day_exists(day: date, zone: tzinfo) -> bool:
    """Whether the calendar of a zone has this day. Samoa had no 30 December 2011.

    Raises:
        OverflowError: See `instant_of`.
    """
    midnight = datetime.combine(day, time())
    return instant_of(midnight, zone) < instant_of(midnight + timedelta(days=1), zone)


def change_between(before: datetime, after: datetime, zone: tzinfo) -> datetime | None:
    """The moment between two at which the clocks of a zone are changed; None: they are not. Of several, one."""
    if before.astimezone(zone).utcoffset() == after.astimezone(zone).utcoffset():
        return None
    return _change(before, after + _SECOND, zone)


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The moment between the two at which the zone's offset changes; it falls on a whole second."""
    before, after = before.replace(microsecond=0), after.replace(microsecond=0)
    old = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + timedelta(seconds=(after - before) // _SECOND // 2)
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after
