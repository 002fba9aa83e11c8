"""Dispatches that should have reached Temporal by now."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, table
from models.enrollment import Dispatch
from models.reads.shapes import Shown


class LateDispatch(Shown):
    """A start or a signal that has not arrived, or never will."""

    id: int
    kind: str
    enrollment_id: str
    contact_id: UUID
    state: str
    attempts: int
    error: str | None
    recorded_at: datetime


class Backlog(Shown):
    """How much waits to reach Temporal, and for how long. Pending ones are new for a moment after each commit."""

    pending: int
    oldest: timedelta
    dead: int


async def late_dispatches(
    database: Database, tx: AsyncConnection, *, older_than: timedelta, limit: int
) -> list[LateDispatch]:
    """Pending ones older than that by the database's clock, and dead letters; the oldest first."""
    rows = table(Dispatch)
    due = await database.now(tx) - older_than
    pending = select(rows).where(rows.c.state == "pending", rows.c.recorded_at < due).order_by(rows.c.recorded_at)
    dead = select(rows).where(rows.c.state == "dead").order_by(rows.c.id.desc())
    found = [*(await tx.execute(pending.limit(limit))).all(), *(await tx.execute(dead.limit(limit))).all()]
    return [LateDispatch.model_validate(row, from_attributes=True) for row in found][:limit]


async def backlog(database: Database, tx: AsyncConnection) -> Backlog:
    """Count what is pending or dead."""
    rows = table(Dispatch)
    pending = (
        await tx.execute(select(func.count(), func.min(rows.c.recorded_at)).where(rows.c.state == "pending"))
    ).one()
    dead = await tx.scalar(select(func.count()).select_from(rows).where(rows.c.state == "dead")) or 0
    oldest = await database.now(tx) - pending[1] if pending[1] is not None else timedelta(0)
    return Backlog(pending=pending[0], oldest=max(oldest, timedelta(0)), dead=dead)
