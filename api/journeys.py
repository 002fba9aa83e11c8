"""Journeys: what is loaded."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.deps import PartsDep
from api.errors import responses
from api.keys import Guarded
from models.reads.launches import LaunchShown, show_launches
from tabiji.domain.journeys import JourneySpec
from tabiji.domain.launch import Launch

router = APIRouter(prefix="/v1/journeys", tags=["journeys"], dependencies=[Guarded], responses=responses(401, 403, 503))


class JourneyOut(BaseModel):
    """A journey in words."""

    name: str
    title: str
    starts_on: list[str]
    ends_at: list[str]
    reentry: str
    priority: int = Field(description="where a cap leaves room for one message, the one of the higher journey goes out")
    state: Launch = Field(description="draft, pilot, live or closing")
    stopped: str | None = Field(description="why a pilot stopped itself")
    inside: int = Field(description="contacts who are in it now; test contacts do not count")
    refused: int = Field(description="how often its state has kept somebody out")


class JourneyList(BaseModel):
    """Sorted by name."""

    journeys: list[JourneyOut]


@router.get("", operation_id="listJourneys")
async def list_all(parts: PartsDep) -> JourneyList:
    """The journeys, whether people can enter them, what starts them and what ends them."""
    specs = [parts.catalog.get(name) for name in parts.catalog.names]
    async with parts.database.read() as tx:
        launches = await show_launches(tx, specs)
    return JourneyList(journeys=[_out(spec, launch) for spec, launch in zip(specs, launches, strict=True)])


def _out(spec: JourneySpec, launch: LaunchShown) -> JourneyOut:
    goals = [f"{goal}, then {goal.then}" if goal.then else str(goal) for goal in spec.goals]
    return JourneyOut(
        name=spec.name,
        title=spec.title,
        starts_on=[str(trigger) for trigger in (*spec.triggers, *spec.dates, *spec.schedules)],
        ends_at=[*goals, *(f"{end} (exit)" for end in spec.exits)],
        reentry=str(spec.reentry),
        priority=spec.priority,
        state=launch.state,
        stopped=launch.stopped,
        inside=launch.inside,
        refused=sum(launch.refused.values()),
    )
