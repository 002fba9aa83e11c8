"""What people have got lately, and what waits to go out to them: for caps, and for who goes first under them.

One statement for any number of contacts, over the index of a contact's messages by time, as far back as the longest
window that bears on what is to be sent. A second one, over their running enrollments, only where a journey of higher
priority is declared.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.bulk import among
from models.database import table
from models.enrollment import Enrollment
from models.message import Message
from tabiji.domain.sending.asked import LONGEST_DELAY
from tabiji.domain.sending.house import House
from tabiji.domain.sending.standing import Past, Waiting

COUNTED = ("claimed", "on_wire", "unknown", "sent")
"""States of messages that have reached the person, may have, or are about to."""
WAITING = ("deferred", "retry")


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is to be sent, in journey time, and of which priority: of several the earliest, and the lowest."""

    at: datetime
    priority: int = 0


@dataclass(slots=True)
class Recent:
    """Of one contact."""

    past: list[Past] = field(default_factory=list[Past])
    waiting: list[Waiting] = field(default_factory=list[Waiting])
    ahead: int | None = None


NOTHING = Recent()


async def recent(
    tx: AsyncConnection, ids: Sequence[UUID], house: House, *, topics: Collection[str], moment: Moment
) -> dict[UUID, Recent]:
    """What bears on messages of these topics. Who is absent has got nothing.

    Args:
        tx: Holds the contacts' locks where something is to be decided by it.
        ids: Of the contacts.
        house: Where it has no cap for these topics, nothing is read.
        topics: None of them transactional.
        moment: When they are to be sent.
    """
    longest = house.caps.longest(topics)
    if longest is None or not ids:
        return {}
    higher = [journey for journey, priority in house.priorities.items() if priority > moment.priority]
    messages = table(Message)
    since = moment.at - (max(longest, LONGEST_DELAY) if higher else longest)
    states = COUNTED + WAITING if higher else COUNTED
    columns = (
        "contact_id",
        "key",
        "topic",
        "channel",
        "state",
        "at",
        "not_before",
        "priority",
        "enrollment_id",
        "test",
    )
    rows = await tx.execute(
        select(*(messages.c[name] for name in columns)).where(
            among(tx, messages.c.contact_id, ids) if len(ids) > 1 else messages.c.contact_id == ids[0],
            messages.c.at > since,
            messages.c.state.in_(states),
            messages.c.audience == "contact",
        )
    )
    found: dict[UUID, Recent] = {}
    for row in rows:
        topic = row.topic or ""
        if house.topics.is_transactional(topic):
            continue
        theirs = found.setdefault(row.contact_id, Recent())
        if row.state in WAITING:
            theirs.waiting.append(Waiting(row.not_before or row.at, topic, row.priority, row.test))
        else:
            journey = (row.enrollment_id or "").partition("/")[0]
            theirs.past.append(Past(row.at, topic, row.channel, journey, row.key, row.test))
    if higher:
        await _ahead(tx, ids, house, higher, found)
    return found


async def _ahead(
    tx: AsyncConnection,
    ids: Sequence[UUID],
    house: House,
    higher: Sequence[str],
    found: dict[UUID, Recent],
) -> None:
    enrollments = table(Enrollment)
    rows = await tx.execute(
        select(enrollments.c.contact_id, enrollments.c.journey)
        .where(
            among(tx, enrollments.c.contact_id, ids) if len(ids) > 1 else enrollments.c.contact_id == ids[0],
            enrollments.c.state == "running",
            enrollments.c.journey.in_(higher),
        )
        .distinct()
    )
    for row in rows:
        theirs = found.setdefault(row.contact_id, Recent())
        theirs.ahead = max(theirs.ahead or 0, house.priorities[row.journey])
