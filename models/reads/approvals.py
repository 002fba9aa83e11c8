"""Approvals as the API shows them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.approval import Approval
from models.database import table
from models.reads.shapes import Shown, cursor
from models.reads.tasks import id_of


class ApprovalShown(Shown):
    """A question a journey has put to somebody, and what became of it."""

    id: UUID
    contact_id: UUID
    enrollment_id: str
    step: str
    question: str
    who: str = Field(description="the team that was asked")
    until: datetime = Field(description="journey time")
    state: str = Field(description="open, approved, declined or expired")
    answered_by: str | None
    note: str | None
    answered_at: datetime | None
    test: bool
    at: datetime = Field(description="journey time at which it was asked")


async def list_approvals(
    tx: AsyncConnection,
    *,
    state: str | None = None,
    who: str | None = None,
    contact_id: UUID | None = None,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[ApprovalShown], str | None]:
    """A page of questions, latest first, and the cursor of the next page.

    Raises:
        InvalidEvent: `after` is not a cursor from here.
    """
    approvals = table(Approval)
    query = select(approvals).order_by(approvals.c.id.desc()).limit(limit + 1)
    for column, wanted in (("state", state), ("who", who), ("contact_id", contact_id)):
        if wanted is not None:
            query = query.where(approvals.c[column] == wanted)
    if after is not None:
        query = query.where(approvals.c.id < id_of(after))
    rows = (await tx.execute(query)).all()
    page = [ApprovalShown.model_validate(row, from_attributes=True) for row in rows[:limit]]
    return page, cursor(page[-1].id.hex) if len(rows) > limit else None
