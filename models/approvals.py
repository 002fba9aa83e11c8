"""Approvals: asked by journeys, answered once by people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.approval import Approval
from models.base import new_id
from models.change import Change
from models.database import AnyRow, Database, insert, table
from models.enrollment import Enrollment
from models.record import Recorder
from tabiji.domain.changes import AskApproval
from tabiji.domain.facts import Fact
from tabiji.errors import InvalidChange, UnknownApproval

LONGEST_QUESTION = 2000
LONGEST_NAME = 200
LONGEST_NOTE = 2000
LONGEST_TEAM = 100


@dataclass(frozen=True)
class Answer:
    """What became of an answer: the question as it is now, and whether this answer was the first."""

    approval: AnyRow
    counted: bool


async def ask(change: Change, order: AskApproval) -> UUID:
    """Write a question down; returns its id.

    Raises:
        InvalidChange: A text is empty or too long.
    """
    for what, text, longest in (("question", order.question, LONGEST_QUESTION), ("who", order.who, LONGEST_TEAM)):
        if not text.strip() or len(text) > longest:
            raise InvalidChange(f"approval, {what}", f"must not be empty, nor have more than {longest} characters")
    approval_id = new_id()
    await change.tx.execute(
        insert(change.tx, Approval).values(
            id=approval_id,
            key=order.key,
            contact_id=change.contact.id,
            enrollment_id=order.enrollment_id,
            step=order.step,
            visit=order.visit,
            question=order.question,
            who=order.who,
            until=order.until,
            state="open",
            test=order.test,
            at=change.at,
            recorded_at=change.recorded_at,
        )
    )
    return approval_id


async def answer(
    database: Database,
    recorder: Recorder,
    approval_id: UUID,
    *,
    approved: bool,
    by: str,
    note: str | None = None,
    wall: datetime,
) -> Answer:
    """Answer a question, if nobody has and there is still time; the journey that asked hears of it.

    Args:
        database: Where the question is.
        recorder: Tells the journey.
        approval_id: Which.
        approved: Yes or no.
        by: Who says so, by their own word.
        note: Why.
        wall: The clock the workflows run by.

    Raises:
        UnknownApproval: There is none of that id.
    """
    async with database.read() as tx:
        asked = await find_approval(tx, approval_id)

    async def work(change: Change) -> Answer:
        now = await find_approval(change.tx, approval_id)
        if now.state != "open":
            return Answer(now, counted=False)
        late = await _journey_time(change.tx, now.enrollment_id, wall) >= now.until
        values: dict[str, object] = {"state": "expired"}
        if not late:
            values = {"state": "approved" if approved else "declined", "answered_by": by, "note": note}
            values["answered_at"] = change.recorded_at
            told: dict[str, JsonValue] = {"approval": str(approval_id), "approved": approved, "by": by, "note": note}
            change.tell(Fact.APPROVAL_ANSWERED, told, only=now.enrollment_id)
        approvals = table(Approval)
        written = await change.tx.execute(
            update(approvals).where(approvals.c.id == approval_id).values(**values).returning(*approvals.c)
        )
        return Answer(written.one(), counted=not late)

    return await recorder.change(asked.contact_id, work, source=f"approval/{approval_id}")


async def find_approval(tx: AsyncConnection, approval_id: UUID) -> AnyRow:
    """One question as it is.

    Raises:
        UnknownApproval: There is none of that id.
    """
    approvals = table(Approval)
    row = (await tx.execute(select(approvals).where(approvals.c.id == approval_id))).one_or_none()
    if row is None:
        raise UnknownApproval(approval_id)
    return row


async def close_approvals(tx: AsyncConnection, enrollment_id: str) -> None:
    """Nobody waits for the answers to these any more: their journey is over."""
    approvals = table(Approval)
    mine = (approvals.c.enrollment_id == enrollment_id) & (approvals.c.state == "open")
    await tx.execute(update(approvals).where(mine).values(state="expired"))


async def _journey_time(tx: AsyncConnection, enrollment_id: str, wall: datetime) -> datetime:
    enrollments = table(Enrollment)
    columns = (enrollments.c.entered_at, enrollments.c.entered_wall, enrollments.c.tempo)
    row = (await tx.execute(select(*columns).where(enrollments.c.id == enrollment_id))).one()
    passed: timedelta = max(wall - row.entered_wall, timedelta(0)) * row.tempo
    now: datetime = row.entered_at + passed
    return now
