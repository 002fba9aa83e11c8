"""Mail that came in, as the API shows it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import table
from models.inbound_mail import InboundMail
from models.reads.shapes import Shown, cursor
from models.reads.tasks import id_of


class InboundShown(Shown):
    """One mail that came in."""

    id: UUID
    sort: str = Field(description="failure, delay, complaint, leaves, reply, auto_reply, challenge …")
    message: str | None = Field(description="the message of ours it is about")
    matched: str | None = Field(description="by what: address, message id or recipient; null: by nothing")
    outcome: str | None = Field(description="of a failure: hard, soft or blocked")
    evidence: str | None
    size: int
    recorded_at: datetime


class InboundContent(InboundShown):
    """With its beginning, where it belongs to no message of ours. It is kept for thirty days."""

    content: str | None


async def list_inbound(
    tx: AsyncConnection, *, matched: bool | None = None, sort: str | None = None, after: str | None, limit: int
) -> tuple[list[InboundShown], str | None]:
    """A page of mails, latest first, and the cursor of the next page.

    Raises:
        InvalidEvent: `after` is not a cursor from here.
    """
    rows = table(InboundMail)
    columns = [rows.c[name] for name in InboundShown.model_fields]
    query = select(*columns).order_by(rows.c.id.desc()).limit(limit + 1)
    if matched is not None:
        query = query.where(rows.c.matched.is_not(None) if matched else rows.c.matched.is_(None))
    if sort is not None:
        query = query.where(rows.c.sort == sort)
    if after is not None:
        query = query.where(rows.c.id < id_of(after))
    found = (await tx.execute(query)).all()
    page = [InboundShown.model_validate(row, from_attributes=True) for row in found[:limit]]
    return page, cursor(page[-1].id.hex) if len(found) > limit else None


async def show_inbound(tx: AsyncConnection, mail: UUID) -> InboundContent | None:
    """One mail, with what is kept of it."""
    rows = table(InboundMail)
    row = (await tx.execute(select(rows).where(rows.c.id == mail))).one_or_none()
    if row is None:
        return None
    shown = InboundShown.model_validate(row, from_attributes=True).model_dump()
    text = row.content.decode("utf-8", "replace") if row.content is not None else None
    return InboundContent(**shown, content=text)
