"""One mail to many: what travels between its workflow and its activity, and when it is somebody's own morning."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from tabiji.domain.calendar import TimeOfDay, next_moment
from tabiji.domain.orders import Frozen
from tabiji.domain.zones import instant_of

BROADCAST = "tabiji-broadcast"
"""Name of the workflow type."""
BROADCAST_TURN = "broadcast_turn"
"""Name of its activity."""
WAKE = "wake"
"""Name of the signal that says: look again, something was changed."""
EARLIEST_ZONE = timedelta(hours=14)
"""So far ahead of UTC is the zone in which each day begins first."""


class State(StrEnum):
    """How far a broadcast is. Whether it is paused is a pause, beside that."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    DONE = "done"
    CANCELLED = "cancelled"


ACTIVE = (State.SCHEDULED, State.SENDING)
"""States in which a workflow looks after it."""


class Place(Frozen):
    """The last recipient looked at: they go by when each is due, then by contact."""

    due: datetime
    contact_id: str


class BroadcastOrder(Frozen):
    """What the next turn begins with.

    `gathered`: of those it is for, all up to this contact are written down as recipients. `wrote`: a letter of it could
    be written to somebody. `broken`: to so many in a row it could not.
    """

    broadcast_id: str
    gathered: str | None = None
    after: Place | None = None
    wrote: bool = False
    broken: int = 0


class Turn(Frozen):
    """What one turn came to: the next begins with `order`, after `wait`; or it is over."""

    order: BroadcastOrder
    sent: int = 0
    refused: int = 0
    wait: timedelta = timedelta(0)
    over: bool = False
    says: str = ""


def own_moment(local: datetime, zone: tzinfo, *, now: datetime) -> datetime:
    """When a clock on somebody's wall shows a date and time; where it has already, when it next shows the time.

    Where the clocks go forward over it, it is the moment they do; where they go back, the first of the two.

    Args:
        local: Date and time, without a zone.
        zone: Where that wall is.
        now: Nothing before this is meant.
    """
    there = instant_of(local, zone)
    if there >= now:
        return there
    return next_moment(TimeOfDay(at=local.time()), now=now, zone=zone) or now
