"""Journeys: what is loaded."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from api.deps import PartsDep
from api.errors import responses
from api.keys import FullKey
from tabiji.domain.journeys import JourneySpec

router = APIRouter(prefix="/v1/journeys", tags=["journeys"], dependencies=[FullKey], responses=responses(401, 403, 503))


class JourneyOut(BaseModel):
    """A journey in words."""

    name: str
    title: str
    starts_on: list[str]
    ends_at: list[str]
    reentry: str


class JourneyList(BaseModel):
    """Sorted by name."""

    journeys: list[JourneyOut]


@router.get("", operation_id="listJourneys")
async def list_all(parts: PartsDep) -> JourneyList:
    """The journeys people can enter, what starts them and what ends them."""
    return JourneyList(journeys=[_out(parts.catalog.get(name)) for name in parts.catalog.names])


def _out(spec: JourneySpec) -> JourneyOut:
    goals = [f"{goal}, then {goal.then}" if goal.then else str(goal) for goal in spec.goals]
    return JourneyOut(
        name=spec.name,
        title=spec.title,
        starts_on=[str(trigger) for trigger in spec.triggers],
        ends_at=goals,
        reentry=str(spec.reentry),
    )
