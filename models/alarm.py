"""Alarms: what a breaker has paused, until somebody has been told by mail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Index, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel

from models.database import AnyRow, database_time, table
from models.pause import Pause

_UNTOLD = text("told_at IS NULL")


class Alarm(SQLModel, table=True):
    """One pause somebody is to hear of."""

    __table_args__ = (Index("ix_alarm_untold", "recorded_at", sqlite_where=_UNTOLD, postgresql_where=_UNTOLD),)

    pause_id: UUID = Field(primary_key=True, foreign_key="pause.id")
    recorded_at: datetime
    lease_until: datetime | None = Field(default=None, description="database time; somebody is telling it")
    told_at: datetime | None = Field(default=None, description="database time")


async def waiting(tx: AsyncConnection) -> bool:
    """Whether somebody is to be told of anything."""
    alarms = table(Alarm)
    return (await tx.execute(select(alarms.c.pause_id).where(alarms.c.told_at.is_(None)).limit(1))).first() is not None


async def take(tx: AsyncConnection, *, most: int, lease: timedelta) -> Sequence[AnyRow]:
    """Take alarms to tell; others leave them alone until the lease runs out. Rows of their pauses."""
    alarms, pauses = table(Alarm), table(Pause)
    now = await database_time(tx)
    free = alarms.c.told_at.is_(None) & (alarms.c.lease_until.is_(None) | (alarms.c.lease_until < now))
    query = select(alarms.c.pause_id).where(free).order_by(alarms.c.recorded_at).limit(most)
    ids = (await tx.execute(query.with_for_update(skip_locked=True))).scalars().all()
    if not ids:
        return []
    await tx.execute(update(alarms).where(alarms.c.pause_id.in_(ids)).values(lease_until=now + lease))
    return (await tx.execute(select(pauses).where(pauses.c.id.in_(ids)))).all()


async def told(tx: AsyncConnection, pause_id: UUID) -> None:
    """Somebody has been told."""
    alarms = table(Alarm)
    await tx.execute(update(alarms).where(alarms.c.pause_id == pause_id).values(told_at=await database_time(tx)))
