"""The send time an arm of a test of content is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tabiji.domain.calendar import next_moment
from tabiji.domain.orders import SendOutcome
from tabiji.domain.sending.asked import Asked
from tabiji.domain.sending.house import House
from tabiji.domain.sending.standing import Standing

REASON = "send time"


def at_its_time(standing: Standing, asked: Asked, house: House) -> SendOutcome | None:
    """Not before the send time of its arm."""
    moment = _moment(standing, asked, house)
    return None if moment is None or moment <= asked.at else SendOutcome(state="deferred", until=moment, reason=REASON)


def from_its_time(standing: Standing, asked: Asked, house: House) -> Asked:
    """The same message, for rules of time: what its arm waits for is not counted as delay."""
    moment = _moment(standing, asked, house)
    if moment is None:
        return asked
    due = max(moment, asked.due_at) if asked.due_at is not None else moment
    return replace(asked, first_at=moment, due_at=due)


def _moment(standing: Standing, asked: Asked, house: House) -> datetime | None:
    if asked.send_at is None:
        return None
    return next_moment(asked.send_at, now=asked.first_at, zone=standing.zone or house.zone)
