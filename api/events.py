"""Events: which are declared, and what came in otherwise."""

from __future__ import annotations

import inspect
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, JsonValue

from api.deps import PartsDep
from api.errors import responses
from api.keys import Guarded
from models.event_problem import problems
from tabiji.domain.events import Event
from tabiji.domain.kinds import example_of

router = APIRouter(prefix="/v1/events", tags=["events"], dependencies=[Guarded], responses=responses(401, 403, 503))


class PropertyOut(BaseModel):
    """One property of a declared event."""

    name: str
    type: str = Field(description="in words: text, whole number, one of a, b")
    required: bool


class EventOut(BaseModel):
    """An event as it is declared."""

    name: str
    title: str
    built_in: bool = Field(description="declared by tabiji, not by the application")
    open: bool = Field(description="further properties are no mistake")
    properties: list[PropertyOut]
    example: dict[str, JsonValue]


class EventList(BaseModel):
    """Sorted by name."""

    events: list[EventOut]


class EventProblemOut(BaseModel):
    """One way in which an event came in otherwise than declared. It was recorded all the same."""

    name: str
    property: str = Field(description="empty: the whole event is meant")
    problem: str
    count: int
    shape: dict[str, str] = Field(description="names and kinds of the properties it was last seen with")
    first_at: datetime
    last_at: datetime


class EventProblemList(BaseModel):
    """The latest first."""

    problems: list[EventProblemOut]


@router.get("", operation_id="listEvents")
async def list_all(parts: PartsDep) -> EventList:
    """The events that are declared, with their properties and an example."""
    return EventList(events=[_out(event, built_in=not parts.events.own(event)) for event in parts.events])


@router.get("/problems", operation_id="listEventProblems", responses=responses(422))
async def list_problems(parts: PartsDep, limit: Annotated[int, Query(ge=1, le=1000)] = 200) -> EventProblemList:
    """What came in under an unknown name, without a property, or with another type. Nothing of it was dropped."""
    await parts.problems.write(parts.database)
    async with parts.database.read() as tx:
        found = await problems(tx, limit=limit)
    return EventProblemList(problems=[EventProblemOut(**one.model_dump()) for one in found])


def _out(event: type[Event], *, built_in: bool) -> EventOut:
    shapes = event.shapes()
    return EventOut(
        name=event.event_name,
        title=(inspect.getdoc(event) or event.event_name).splitlines()[0],
        built_in=built_in,
        open=event.further,
        properties=[PropertyOut(name=name, type=str(shape), required=shape.required) for name, shape in shapes.items()],
        example=dict(event.example) or example_of(shapes),
    )
