"""Suppressions as the API shows them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import table
from models.reads.shapes import Shown, cursor
from models.reads.tasks import id_of
from models.suppression import Suppression


class SuppressionShown(Shown):
    """An address or a domain that is not written to, or was not."""

    id: UUID
    value: str = Field(description="an address, or a domain with those below it")
    reason: str = Field(description="hard_bounce, complaint, soft_bounces, manual or domain")
    transactional: bool = Field(description="it stops what needs no consent, too")
    source: str
    evidence: str | None = Field(description="the server's code and status")
    message: str | None = Field(description="the message it began with")
    by: str | None
    note: str | None
    since: datetime
    until: datetime | None = Field(description="when it ends by itself")
    lifted_at: datetime | None
    lifted_by: str | None


async def list_suppressions(
    tx: AsyncConnection,
    *,
    at: datetime,
    value: str | None = None,
    reason: str | None = None,
    over: bool = False,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[SuppressionShown], str | None]:
    """A page of entries, latest first, and the cursor of the next page.

    Args:
        tx: Where.
        at: Journey time now: what ended before is over.
        value: Only of this address or domain, normalised.
        reason: Only of this reason.
        over: Also what was lifted, or has ended by itself.
        after: A cursor from here.
        limit: How many.

    Raises:
        InvalidEvent: `after` is not a cursor from here.
    """
    rows = table(Suppression)
    query = select(rows).order_by(rows.c.id.desc()).limit(limit + 1)
    if value is not None:
        query = query.where(rows.c.value == value)
    if reason is not None:
        query = query.where(rows.c.reason == reason)
    if not over:
        query = query.where(rows.c.lifted_at.is_(None), or_(rows.c.until.is_(None), rows.c.until > at))
    if after is not None:
        query = query.where(rows.c.id < id_of(after))
    found = (await tx.execute(query)).all()
    page = [SuppressionShown.model_validate(row, from_attributes=True) for row in found[:limit]]
    return page, cursor(page[-1].id.hex) if len(found) > limit else None
