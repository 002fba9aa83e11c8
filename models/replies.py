"""Answers to mails: each waits as a task for a person of ours, and meanwhile no marketing goes to who wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.sql.sqltypes import UTCDateTime

from models.base import new_id
from models.contact import Contact
from models.database import database_time, insert, table
from models.message import Message
from models.task import Task

REPLY = "reply"
LONGEST_TEXT = 10_000
"""Characters of an answer that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is to be written down.

    Attributes:
        key: Makes the same answer count once.
        title: For lists of tasks: says nothing of what was written.
        until: For how long marketing pauses at most; None: it does not.
        tell: Whether the team is told by mail.
    """

    key: str
    contact_id: UUID
    message: str
    enrollment_id: str | None
    title: str
    who: str
    text: str
    until: datetime | None
    tell: bool
    test: bool
    at: datetime


async def note_answer(tx: AsyncConnection, answer: Answer) -> bool:
    """Make a task of an answer. False: there is one already."""
    now = await database_time(tx)
    statement = insert(tx, Task).values(
        id=new_id(),
        key=answer.key,
        contact_id=answer.contact_id,
        enrollment_id=answer.enrollment_id,
        kind=REPLY,
        title=answer.title[:500],
        who=answer.who[:200],
        state="open",
        message=answer.message,
        text=answer.text[:LONGEST_TEXT],
        pauses_until=answer.until,
        tell_at=now if answer.tell else None,
        tries=0,
        test=answer.test,
        at=answer.at,
        recorded_at=now,
    )
    made = await tx.execute(statement.on_conflict_do_nothing(index_elements=["key"]).returning(table(Task).c.id))
    return made.one_or_none() is not None


async def pauses_by_replies(tx: AsyncConnection, contacts: Sequence[UUID]) -> dict[UUID, datetime]:
    """Until when marketing pauses for each of these contacts who has an answer open. One statement."""
    tasks = table(Task)
    latest = func.max(tasks.c.pauses_until, type_=UTCDateTime())
    rows = await tx.execute(
        select(tasks.c.contact_id, latest.label("until"))
        .where(tasks.c.contact_id.in_(contacts), tasks.c.state == "open", tasks.c.pauses_until.is_not(None))
        .group_by(tasks.c.contact_id)
    )
    return {row.contact_id: row.until for row in rows}


@dataclass(frozen=True, slots=True)
class Notice:
    """An answer the team has not been told of."""

    task: UUID
    contact_id: UUID
    template: str
    who: str
    text: str
    at: datetime
    tries: int
    email: str | None
    attributes: dict[str, object]


async def notices_waiting(tx: AsyncConnection) -> bool:
    """Whether there is anything to tell now."""
    tasks = table(Task)
    due = tasks.c.tell_at.is_not(None) & (tasks.c.tell_at <= await database_time(tx))
    return (await tx.execute(select(tasks.c.id).where(due).limit(1))).one_or_none() is not None


async def notices_due(tx: AsyncConnection, *, lease: timedelta, limit: int = 20) -> list[Notice]:
    """Take what the team is to be told now. Others leave it alone until the lease is over."""
    tasks, contacts, messages = table(Task), table(Contact), table(Message)
    now = await database_time(tx)
    due = (
        select(tasks.c.id)
        .where(tasks.c.tell_at.is_not(None), tasks.c.tell_at <= now)
        .order_by(tasks.c.tell_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list((await tx.execute(due)).scalars())
    if not ids:
        return []
    await tx.execute(update(tasks).where(tasks.c.id.in_(ids)).values(tell_at=now + lease))
    found = await tx.execute(
        select(*tasks.c, contacts.c.email, contacts.c.attributes, messages.c.template)
        .join(contacts, contacts.c.id == tasks.c.contact_id)
        .outerjoin(messages, messages.c.public_id == tasks.c.message)
        .where(tasks.c.id.in_(ids))
    )
    return [
        Notice(
            row.id,
            row.contact_id,
            row.template or "",
            row.who,
            row.text or "",
            row.at,
            row.tries,
            row.email,
            row.attributes,
        )
        for row in found
    ]


async def told(tx: AsyncConnection, task: UUID) -> None:
    """The team knows."""
    tasks = table(Task)
    await tx.execute(update(tasks).where(tasks.c.id == task).values(tell_at=None))


async def not_told(tx: AsyncConnection, task: UUID, *, again_in: timedelta) -> None:
    """It did not get through; try again later."""
    tasks = table(Task)
    again = await database_time(tx) + again_in
    await tx.execute(update(tasks).where(tasks.c.id == task).values(tell_at=again, tries=tasks.c.tries + 1))
