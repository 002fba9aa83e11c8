"""Draft, pilot, live, closing: who may enter a journey, whom it would reach, and those who come late."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from api.bodies import StrictRoute
from api.deps import PartsDep, Text
from api.errors import ApiProblem, invalid, responses
from api.keys import By, Guarded
from api.parts import Parts
from api.targets import Reason
from models.batch import Action
from models.batches import Batches
from models.latecomers import Latecomers
from models.launches import Launches
from models.reach import Reach
from models.reads.batches import BatchShown, show_batch
from models.reads.launches import LAST, Audience, LaunchChange, LaunchShown, show_audience, show_changes, show_launches
from tabiji.domain.launch import Launch, Pilot

router = APIRouter(
    prefix="/v1/journeys",
    tags=["journeys"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 404, 422, 503),
)

JourneyName = Annotated[Text, Path(max_length=100, examples=["whitepaper-nurture"])]
_CHANGES = responses(400, 408, 409, 413, 415)


class StateSent(BaseModel):
    """What a journey is from now on."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"state": "live", "reason": "texts are approved"},
                {"state": "pilot", "pilot": {"number": 10, "stop_on": {"complaints": {"count": 1}}}},
                {"state": "closing"},
            ]
        },
    )

    state: Launch
    pilot: Pilot | None = Field(default=None, description="for a pilot: whom it takes and what stops it")
    reason: Reason | None = None


class StateOut(LaunchShown):
    """A journey's state, and who has changed it before."""

    history: list[LaunchChange] = Field(description="latest first, at most 20")


class LateSent(BaseModel):
    """Who is let in although their moment is over."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"source": "events", "days": 30, "rate": 5}]}
    )

    source: Literal["events", "audience"] = Field(
        default="events", description="who did what starts it in the last days, or whom its schedules name now"
    )
    days: Annotated[int, Field(ge=1, le=365)] = LAST.days
    rate: Annotated[float, Field(ge=0.1, le=1000, description="contacts a second, at most")] = 5
    reason: Reason | None = None


@router.get("/{name}/state", operation_id="getJourneyState")
async def get(name: JourneyName, parts: PartsDep) -> StateOut:
    """Whether a journey takes people, since when and by whose word; how its pilot does."""
    return await _state(parts, name)


@router.put("/{name}/state", operation_id="setJourneyState", responses=_CHANGES)
async def put(name: JourneyName, sent: StateSent, parts: PartsDep, key: By) -> StateOut:
    """Make a journey a draft, a pilot, live or closing. Those who are inside stay inside."""
    spec = parts.catalog.get(name)
    if (sent.state is Launch.PILOT) != (sent.pilot is not None):
        raise invalid("pilot", "a pilot says whom it takes: people, number or share; no other state does")
    launches = Launches(parts.database, parts.clock)
    await launches.set(name, sent.state, unlaunched=spec.unlaunched, by=key.name, reason=sent.reason, pilot=sent.pilot)
    return await _state(parts, name)


@router.get("/{name}/audience", operation_id="getJourneyAudience")
async def audience(name: JourneyName, parts: PartsDep) -> Audience:
    """How many contacts would have entered in the last 30 days, and how many its schedules name now."""
    spec = parts.catalog.get(name)
    async with parts.database.read() as tx:
        return await show_audience(tx, spec)


@router.post("/{name}/latecomers", operation_id="enterLatecomers", status_code=202, responses=_CHANGES)
async def let_in(name: JourneyName, sent: LateSent, parts: PartsDep, key: By) -> BatchShown:
    """Enter those who match already, at a rate. Its rules of re-entry hold, and a pilot takes no more than it takes."""
    spec = parts.catalog.get(name)
    (launch,) = await _launches(parts, name)
    if launch.state not in (Launch.LIVE, Launch.PILOT):
        raise ApiProblem(409, "not_live", f"journey {name} is {launch.state.value} and takes nobody in")
    batches = Batches(parts.database, parts.catalog, parts.clock)
    since = await _now(parts) - timedelta(days=sent.days)
    late = Latecomers(journey=spec.name, source=sent.source, since=since if sent.source == "events" else None)
    id = await batches.order(
        Action.ENTER, Reach(journey=name), by=key.name, reason=sent.reason, rate=sent.rate, latecomers=late
    )
    async with parts.database.read() as tx:
        found = await show_batch(tx, id)
    if found is None:
        raise AssertionError("a batch that has been written is there")
    return found


async def _state(parts: Parts, name: str) -> StateOut:
    (launch,) = await _launches(parts, name)
    async with parts.database.read() as tx:
        history = await show_changes(tx, name, limit=20)
    return StateOut(**dict(launch), history=history)


async def _launches(parts: Parts, name: str) -> list[LaunchShown]:
    spec = parts.catalog.get(name)
    async with parts.database.read() as tx:
        return await show_launches(tx, [spec])


async def _now(parts: Parts) -> datetime:
    async with parts.database.read() as tx:
        return await parts.database.now(tx)
