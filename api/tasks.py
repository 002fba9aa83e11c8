"""What journeys gave people to do."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.bodies import StrictRoute
from api.deps import Identifier, Name, PartsDep, Text
from api.errors import ApiProblem, responses
from api.keys import Guarded
from models.reads.tasks import TaskShown, list_tasks, show_task
from models.tasks import finish_task

router = APIRouter(
    prefix="/v1/tasks",
    tags=["tasks"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 422, 503),
)

Limit = Annotated[int, Query(ge=1, le=200)]
After = Annotated[Identifier | None, Query(description="`next` of the page before", max_length=1000)]


class TaskPage(BaseModel):
    """Latest first."""

    tasks: list[TaskShown]
    next: str | None = Field(description="give it as `after` for the next page; null: there is none")


class TaskDone(BaseModel):
    """Who has done it, and what there is to say about it."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"examples": [{"by": "Sato", "note": "wants a quote by Friday"}]}
    )

    by: Name | None = None
    note: Annotated[Text, Field(max_length=2000)] | None = None


@router.get("", operation_id="listTasks")
async def tasks(
    parts: PartsDep,
    *,
    state: Annotated[Literal["open", "done"] | None, Query()] = None,
    who: Annotated[Name | None, Query(description="the team or person it was given to")] = None,
    contact: UUID | None = None,
    after: After = None,
    limit: Limit = 50,
) -> TaskPage:
    """Tasks, latest first."""
    async with parts.database.read() as tx:
        page, more = await list_tasks(tx, state=state, who=who, contact_id=contact, after=after, limit=limit)
    return TaskPage(tasks=page, next=more)


@router.post("/{task_id}/done", operation_id="finishTask", responses=responses(400, 404, 408, 409, 413, 415))
async def done(task_id: UUID, body: TaskDone, parts: PartsDep) -> TaskShown:
    """Say that a task is done. Records `Task Done`, for which its journey may wait."""
    finished = await finish_task(parts.database, parts.recorder, task_id, by=body.by, note=body.note)
    async with parts.database.read() as tx:
        task = await show_task(tx, task_id)
    if not finished:
        raise ApiProblem(409, "already_done", f"{task.done_by or 'somebody'} has said so already")
    return task
