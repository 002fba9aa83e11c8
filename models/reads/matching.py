"""How often something would have matched lately. A preview: it looks at a bounded number of events."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import table
from models.event import Event
from models.filters import may_match
from tabiji.domain.conditions import Seen
from tabiji.domain.patterns import Pattern

NEWEST = 100_000
"""So far back among all events it looks, however few of them match."""
MOST = 5_000
"""So many events are held against the pattern."""


class Matching(NamedTuple):
    """What was found. `whole` is False where there were more events than were looked at."""

    events: int
    contacts: int
    since: datetime
    whole: bool


async def count_matching(tx: AsyncConnection, pattern: Pattern, since: datetime) -> Matching:
    """Events that are part of an answer, and contacts who have a whole one, since a moment of journey time."""
    events = table(Event)
    last = await tx.scalar(select(func.coalesce(func.max(events.c.seq), 0))) or 0
    found = await tx.execute(
        select(events.c.contact_id, events.c.seq, events.c.name, events.c.properties, events.c.at)
        .where(events.c.seq > last - NEWEST, events.c.at >= since, may_match(events, pattern))
        .order_by(events.c.seq.desc())
        .limit(MOST + 1)
    )
    rows = found.all()
    seen: defaultdict[UUID, list[Seen]] = defaultdict(list)
    for row in reversed(rows[:MOST]):
        if pattern.matches(row.name, row.properties):
            seen[row.contact_id].append(Seen(row.seq, row.name, row.properties, row.at))
    oldest = await tx.scalar(select(events.c.at).where(events.c.seq > last - NEWEST).order_by(events.c.seq).limit(1))
    return Matching(
        events=sum(map(len, seen.values())),
        contacts=sum(pattern.find(one) is not None for one in seen.values()),
        since=since,
        whole=len(rows) <= MOST and (last <= NEWEST or oldest is None or oldest <= since),
    )
