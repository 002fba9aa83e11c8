"""Wakes the journeys of contacts who were found to have done more than was known."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.bulk import among
from models.database import AnyRow, table
from models.enroll import Due, Pending, dispatch_all
from models.enrollment import Listener
from models.listeners import ENDS, pattern_of
from models.look_back import earliest
from tabiji.domain.answers import happened


async def wake(tx: AsyncConnection, contacts: Iterable[UUID], *, recorded_at: datetime) -> list[Pending]:
    """Look back, for every listener of these contacts, at what they have done since it counts.

    What was signalled before may be signalled again: who has taken it forgets the copy.
    """
    listeners = table(Listener)
    rows = (await tx.execute(select(listeners).where(among(tx, listeners.c.contact_id, contacts)))).all()
    dues: list[Due] = []
    over: set[str] = set()
    seen: set[tuple[str, str, int]] = set()
    for row in sorted(rows, key=_order):
        wait = (row.enrollment_id, row.step, row.visit)
        if row.enrollment_id in over or wait in seen:
            continue
        seen.add(wait)
        pattern = pattern_of({"condition": row.condition})
        found = await earliest(
            tx, row.contact_id, row.enrollment_id, pattern, since=row.since_seq, consumed=frozenset(row.consumed)
        )
        if found is None:
            continue
        if row.step in ENDS:
            over.add(row.enrollment_id)
        dues.append(Due(row.contact_id, row.enrollment_id, "signal", happened(pattern, found, row.step, row.visit)))
    return await dispatch_all(tx, dues, now=recorded_at)


def _order(row: AnyRow) -> tuple[int, str, str, int]:
    end = ENDS.index(row.step) if row.step in ENDS else len(ENDS)
    return end, row.enrollment_id, row.step, row.visit
