"""Tells those who met a pause that it is over, at a rate.

What is to be done is read from the tables each time, never remembered: whoever is held and reached by no pause is
told. So a process may die at any moment, a resume may be said twice, and a new pause in the middle keeps the rest.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import AnyRow, table
from models.enroll import Pending
from models.enrollment import Enrollment
from models.pace import allowance
from models.pause import Held, Pause, Scope
from models.telling import Told, tell
from tabiji.domain.orders import Control

PACE = "resume"


async def somebody_is_free(tx: AsyncConnection) -> bool:
    """Whether anybody is to be told."""
    return (await tx.execute(_free().limit(1))).first() is not None


async def release(tx: AsyncConnection, *, rate: float, most: int) -> list[Pending]:
    """Tell the next few, those first who have been held for longest."""
    allowed = await allowance(tx, PACE, rate, most=most)
    if not allowed:
        return []
    held = table(Held)
    rows = (await tx.execute(_free().order_by(held.c.recorded_at, held.c.enrollment_id).limit(allowed))).all()
    await tx.execute(delete(held).where(held.c.enrollment_id.in_([row.enrollment_id for row in rows])))
    return await tell(tx, [_told(row) for row in rows if row.state == "running"])


def _told(row: AnyRow) -> Told:
    contact_id: UUID = row.contact_id
    return Told(row.enrollment_id, contact_id, Control.RESUME, {"paused_wall": row.since_wall.isoformat()})


def _free() -> Select[*tuple[Any, ...]]:
    held, pauses, first, enrollments = table(Held), table(Pause).alias("other"), table(Pause), table(Enrollment)
    reaching = or_(
        pauses.c.scope == Scope.EVERYTHING.value,
        and_(pauses.c.scope == Scope.JOURNEY.value, pauses.c.target == held.c.journey),
        and_(pauses.c.scope == Scope.CONTACT.value, pauses.c.target == held.c.contact_id),
        and_(pauses.c.scope == Scope.ENROLLMENT.value, pauses.c.target == held.c.enrollment_id),
    )
    return (
        select(held.c.enrollment_id, held.c.since_wall, enrollments.c.contact_id, enrollments.c.state)
        .join(first, first.c.id == held.c.pause_id)
        .join(enrollments, enrollments.c.id == held.c.enrollment_id)
        # The pause they met first reaches them as long as it lasts: no need to look for others.
        .where(first.c.resumed_at.is_not(None), ~exists().where(pauses.c.resumed_at.is_(None), reaching))
    )
