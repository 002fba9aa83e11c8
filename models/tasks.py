"""Tasks: created by journeys, done by people."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import new_id
from models.change import Change
from models.database import AnyRow, Database, insert, table
from models.record import Recorder
from models.task import Task
from tabiji.domain.changes import CreateTask
from tabiji.domain.facts import Fact
from tabiji.errors import InvalidChange, UnknownTask

LONGEST_TITLE = 500
LONGEST_WHO = 200


async def create_task(change: Change, order: CreateTask) -> UUID:
    """Write a task down; returns its id.

    Raises:
        InvalidChange: A text is empty or too long.
    """
    for what, text, longest in (("title", order.title, LONGEST_TITLE), ("who", order.who, LONGEST_WHO)):
        if not text.strip() or len(text) > longest:
            raise InvalidChange(f"create_task, {what}", f"must not be empty, nor have more than {longest} characters")
    task_id = new_id()
    await change.tx.execute(
        insert(change.tx, Task).values(
            id=task_id,
            key=order.key,
            contact_id=change.contact.id,
            enrollment_id=order.enrollment_id,
            title=order.title,
            who=order.who,
            due=order.due,
            kind="task",
            state="open",
            tries=0,
            test=order.test,
            at=change.at,
            recorded_at=change.recorded_at,
        )
    )
    return task_id


async def finish_task(
    database: Database, recorder: Recorder, task_id: UUID, *, by: str | None = None, note: str | None = None
) -> bool:
    """Mark a task as done and tell of it. False when somebody was first.

    Raises:
        UnknownTask: There is none of that id.
    """
    tasks = table(Task)
    async with database.read() as tx:
        task = await _task(tx, task_id)

    async def work(change: Change) -> bool:
        done = await change.tx.execute(
            update(tasks)
            .where(tasks.c.id == task_id, tasks.c.state == "open")
            .values(state="done", done_by=by, note=note, done_at=change.recorded_at)
        )
        if done.rowcount == 0:
            return False
        change.tell(Fact.TASK_DONE, {"task": str(task_id), "title": task.title, "who": task.who, "by": by})
        return True

    return await recorder.change(task.contact_id, work, source=f"task/{task_id}")


async def _task(tx: AsyncConnection, task_id: UUID) -> AnyRow:
    tasks = table(Task)
    row = (await tx.execute(select(tasks).where(tasks.c.id == task_id))).one_or_none()
    if row is None:
        raise UnknownTask(task_id)
    return row
