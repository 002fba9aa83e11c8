"""Batches as ops see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.batch import Batch
from models.database import table
from models.reads.shapes import Shown


class BatchShown(Shown):
    """One order to many, and how far it is."""

    id: UUID
    action: str
    reach: dict[str, Any]
    state: str = Field(description="running, done or stopped")
    rate: float = Field(description="a second, at most")
    total: int = Field(description="how many there were when it was ordered; more may have come since")
    done: int
    left_out: int = Field(description="looked at, and not concerned any more")
    by: str
    reason: str | None
    recorded_at: datetime
    finished_at: datetime | None


async def show_batch(tx: AsyncConnection, batch_id: UUID) -> BatchShown | None:
    """One batch by id."""
    batches = table(Batch)
    row = (await tx.execute(select(batches).where(batches.c.id == batch_id))).one_or_none()
    return None if row is None else BatchShown.model_validate(row, from_attributes=True)


async def list_batches(tx: AsyncConnection, *, limit: int) -> list[BatchShown]:
    """The latest first: also what was told to one enrollment."""
    batches = table(Batch)
    rows = await tx.execute(select(batches).order_by(batches.c.recorded_at.desc(), batches.c.id.desc()).limit(limit))
    return [BatchShown.model_validate(row, from_attributes=True) for row in rows.all()]
