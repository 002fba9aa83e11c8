"""Finds in what a contact has done the earliest answer to a pattern."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import table
from models.event import Event
from models.filters import may_match
from tabiji.domain.answers import of_one_event
from tabiji.domain.conditions import Found, Seen
from tabiji.domain.patterns import Pattern

PAGE = 500
"""Events read at a time. Who is looked back for under a lock has often done it early."""


async def earliest(
    tx: AsyncConnection,
    contact_id: UUID,
    enrollment_id: str,
    pattern: Pattern,
    *,
    since: int,
    up_to: int | None = None,
    consumed: Collection[int] = (),
) -> Found | None:
    """The earliest complete answer among a contact's events.

    Args:
        tx: Where the contact is locked, for an answer that no later event can overtake.
        contact_id: Whose events.
        enrollment_id: Who asks: events addressed to another enrollment do not count.
        pattern: What is asked for.
        since: Only events after this place count.
        up_to: And only up to this one, where given.
        consumed: Events earlier waits have taken.
    """
    events = table(Event)
    theirs = (events.c.contact_id == contact_id) & or_(
        events.c.enrollment_id.is_(None), events.c.enrollment_id == enrollment_id
    )
    if up_to is not None:
        theirs &= events.c.seq <= up_to
    seen = _seen(tx, theirs, pattern, since)
    if of_one_event(pattern):
        async for one in seen:
            if one.seq not in consumed and (found := pattern.find((one,))) is not None:
                return found
        return None
    return pattern.find([one async for one in seen if one.seq not in consumed])


async def last_seq(tx: AsyncConnection, contact_id: UUID) -> int:
    """Place of a contact's latest event; 0 before the first."""
    events = table(Event)
    last = await tx.scalar(select(func.max(events.c.seq)).where(events.c.contact_id == contact_id))
    return last or 0


async def _seen(tx: AsyncConnection, theirs: ColumnElement[bool], pattern: Pattern, since: int) -> AsyncIterator[Seen]:
    events = table(Event)
    query = (
        select(events.c.seq, events.c.name, events.c.properties, events.c.at)
        .where(theirs, events.c.name.in_(sorted(pattern.names)), may_match(events, pattern))
        .order_by(events.c.seq)
        .limit(PAGE)
    )
    while True:
        page = (await tx.execute(query.where(events.c.seq > since))).all()
        for row in page:
            yield Seen(row.seq, row.name, row.properties, row.at)
        if len(page) < PAGE:
            return
        since = page[-1].seq
