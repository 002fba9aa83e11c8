"""Conditions: whether one can be meant, what it says in words, and how often it would have matched lately."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from api.bodies import StrictRoute
from api.deps import PartsDep
from api.errors import responses
from api.keys import ReadKey
from models.reads.matching import count_matching
from tabiji.domain.patterns import Pattern

router = APIRouter(
    prefix="/v1/conditions",
    tags=["conditions"],
    route_class=StrictRoute,
    dependencies=[ReadKey],
    responses=responses(401, 403, 503),
)


SHAPE: dict[str, Any] = {
    "type": "object",
    "description": (
        "An event, {event, where: [tests]}, or a pattern: {kind: any | all | sequence, of: [patterns], within}, "
        "{kind: times, of: pattern, count, within}. A test is {op, path, value}; op is eq, ne, in, contains, starts, "
        "ends, gt, ge, lt, le, exists, matches (pattern), and, or, not (of)."
    ),
    "properties": {
        "kind": {"enum": ["event", "any", "all", "times", "sequence"], "default": "event"},
        "event": {"type": "string", "maxLength": 200},
        "where": {"type": "array", "items": {"type": "object"}},
        "of": {},
        "count": {"type": "integer", "minimum": 1},
        "within": {"type": "string", "description": "ISO 8601, e.g. P7D"},
    },
}
"""In words: a shape that refers to itself tells readers less, and programs that write samples of it run for ever."""


class ConditionSent(BaseModel):
    """A condition or pattern, as journeys keep it."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "condition": {
                        "event": "Order Completed",
                        "where": [{"op": "ge", "path": "total", "value": 100}],
                    },
                    "days": 7,
                },
                {"condition": {"kind": "times", "of": {"event": "Page Viewed"}, "count": 3, "within": "P7D"}},
            ]
        },
    )

    condition: Annotated[Pattern, WithJsonSchema(SHAPE)]
    days: int = Field(default=7, ge=1, le=90, description="so far back events are looked at")


class ConditionOut(BaseModel):
    """What it says, and what it would have found."""

    words: str
    names: list[str] = Field(description="events that matter to it")
    doubts: list[str] = Field(description="what it asks for that no declared event has")
    events: int = Field(description="events since then that are part of an answer")
    contacts: int = Field(description="people whose events since then are a whole answer")
    since: datetime
    whole: bool = Field(description="false: there were too many events, only the latest were looked at")


@router.post("/check", operation_id="checkCondition", responses=responses(400, 408, 413, 415, 422))
async def check(sent: ConditionSent, parts: PartsDep) -> ConditionOut:
    """Hold a condition against the declared events and against what happened lately. Changes nothing."""
    async with parts.database.read() as tx:
        found = await count_matching(tx, sent.condition, parts.clock.now() - timedelta(days=sent.days))
    return ConditionOut(
        words=str(sent.condition),
        names=sorted(sent.condition.names),
        doubts=list(parts.events.doubts(sent.condition)),
        **found._asdict(),
    )
