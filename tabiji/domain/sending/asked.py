"""What is to be sent, as far as it bears on whether it may be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tabiji.domain.calendar import TimeOfDay, Weekday
from tabiji.domain.experiments import Draw

MOST_DELAY = timedelta(hours=24)
"""How long rules may hold a message back where its author says nothing else; then it is dropped with its reason."""
LONGEST_DELAY = timedelta(days=31)
"""No author may say more: nobody expects the mail by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One message to one contact.

    Attributes:
        at: Journey time now.
        first_at: Journey time at which it was asked for first.
        delay: How long after `first_at` rules may hold it back. Zero: it is dropped where it may not go out now.
        priority: Of its journey; higher goes first where there is room for one only.
        journey: Its journey's name, or the broadcast's.
        test: From a rehearsal.
        key: Names it: what it has been itself, in an earlier attempt, is not counted against it.
        due_at: Journey time from which on it could have gone out as far as is known: `first_at`, or the moment it was
            put off to. Within a short time from then one of higher priority that is due, too, goes first.
        send_at: Of the arm of a test of its send time; counted from `first_at`, on the contact's clock.
        holdout: Of its journey, where that has one.
    """

    topic: str
    at: datetime
    first_at: datetime
    channel: str = "email"
    delay: timedelta = MOST_DELAY
    priority: int = 0
    journey: str = ""
    test: bool = False
    key: str = ""
    due_at: datetime | None = None
    send_at: TimeOfDay | Weekday | None = None
    holdout: Draw | None = None
