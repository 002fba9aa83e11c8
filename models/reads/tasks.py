"""Tasks as the API shows them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import table
from models.reads.shapes import Shown, cursor, parts_of
from models.task import Task
from tabiji.errors import InvalidEvent, UnknownTask


class TaskShown(Shown):
    """What somebody has to do about a contact."""

    id: UUID
    contact_id: UUID
    enrollment_id: str | None = Field(description="null: no journey asked for it")
    kind: str = Field(description="task; or reply: somebody answered a mail")
    title: str
    who: str
    due: datetime | None
    state: str = Field(description="open or done")
    done_by: str | None
    note: str | None
    message: str | None = Field(description="of a reply: the message that was answered")
    text: str | None = Field(description="of a reply: what they wrote")
    pauses_until: datetime | None = Field(description="of a reply: as long as it is open, no marketing until then")
    done_at: datetime | None
    test: bool
    at: datetime = Field(description="journey time at which it was given")


async def show_task(tx: AsyncConnection, task_id: UUID) -> TaskShown:
    """One task.

    Raises:
        UnknownTask: There is none of that id.
    """
    tasks = table(Task)
    row = (await tx.execute(select(tasks).where(tasks.c.id == task_id))).one_or_none()
    if row is None:
        raise UnknownTask(task_id)
    return TaskShown.model_validate(row, from_attributes=True)


async def list_tasks(
    tx: AsyncConnection,
    *,
    state: str | None = None,
    who: str | None = None,
    contact_id: UUID | None = None,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[TaskShown], str | None]:
    """A page of tasks, latest first, and the cursor of the next page.

    Raises:
        InvalidEvent: `after` is not a cursor from here.
    """
    tasks = table(Task)
    query = select(tasks).order_by(tasks.c.id.desc()).limit(limit + 1)
    for column, wanted in (("state", state), ("who", who), ("contact_id", contact_id)):
        if wanted is not None:
            query = query.where(tasks.c[column] == wanted)
    if after is not None:
        query = query.where(tasks.c.id < id_of(after))
    rows = (await tx.execute(query)).all()
    page = [TaskShown.model_validate(row, from_attributes=True) for row in rows[:limit]]
    return page, cursor(page[-1].id.hex) if len(rows) > limit else None


def id_of(after: str) -> UUID:
    """The id a cursor was made of.

    Raises:
        InvalidEvent: It was not made here.
    """
    (text,) = parts_of(after, "after", str)
    try:
        return UUID(text)
    except ValueError:
        raise InvalidEvent("after", "is not a cursor this API gave out; take it from the page before") from None
