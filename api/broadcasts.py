"""Broadcasts: one mail to a list, to people with a tag, or to people who are named."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Self
from uuid import UUID

import structlog
from fastapi import APIRouter, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, NaiveDatetime, model_validator

from api.bodies import StrictRoute
from api.deps import Identifier, Name, PartsDep, Topic
from api.errors import ApiProblem, invalid, responses
from api.keys import By, Guarded
from api.parts import Parts
from api.targets import Reason
from models.broadcasts import Broadcasts, Plan, Whom, find_people
from models.house import house_of
from models.reads.broadcasts import BroadcastInFull, BroadcastShown, Preview, list_broadcasts, preview, show_broadcast
from tabiji.domain.content import ContentTest

log = structlog.stdlib.get_logger(__name__)

router = APIRouter(
    prefix="/v1/broadcasts",
    tags=["broadcasts"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 422, 503),
)

MOST_PEOPLE = 1000
_CHANGES = responses(400, 404, 408, 409, 413, 415)


def _in_time(at: datetime) -> datetime:
    if not 2000 <= at.year <= 9000:
        raise ValueError("lies at the edge of the calendar")
    return at


class PersonSent(BaseModel):
    """Somebody, by one of these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    contact_id: UUID | None = None
    user_id: Identifier | None = None
    email: Identifier | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(value is not None for value in (self.contact_id, self.user_id, self.email)) != 1:
            raise ValueError("say one of contact_id, user_id and email")
        return self


class BroadcastSent(BaseModel):
    """What to send, to whom, when and how fast."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"name": "spring sale", "template": "sale/spring", "list": "newsletter", "rate": 50},
                {"name": "good morning", "template": "sale/spring", "tag": "vip", "local_at": "2027-03-01T09:00"},
            ]
        },
    )

    name: Annotated[Name, Field(max_length=100, description="what it is called in reports and in links' utm_campaign")]
    template: Name
    topic: Topic = "marketing"
    list: Name | None = None
    tag: Name | None = None
    segment: Name | None = None
    people: Annotated[
        bool, Field(description="to people who are named: it stays a draft until POST …/start; name them with …/people")
    ] = False
    at: Annotated[AwareDatetime, AfterValidator(_in_time)] | None = None
    local_at: Annotated[
        Annotated[NaiveDatetime, AfterValidator(_in_time)] | None,
        Field(description="date and time on each person's own clock; who has no time zone has the house's"),
    ] = None
    rate: Annotated[float, Field(gt=0, le=10_000, description="a second at most, over all workers")] | None = None
    delay: Annotated[
        int, Field(ge=0, le=30 * 86400, description="seconds quiet hours and caps may hold a mail back at most")
    ] = 86400
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    test: Annotated[
        ContentTest | None, Field(description="of what it says; without goals, a click in the mail is what counts")
    ] = None

    def plan(self) -> Plan:
        """For the model."""
        return Plan(
            name=self.name,
            template=self.template,
            topic=self.topic,
            whom=Whom(list=self.list, tag=self.tag, segment=self.segment, people=self.people),
            at=self.at,
            local_at=self.local_at,
            rate=self.rate,
            delay=timedelta(seconds=self.delay),
            priority=self.priority,
            content=self.test,
            draft=self.people,
        )


class PeopleSent(BaseModel):
    """Some of those a draft is for."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"people": [{"email": "hanako@example.jp"}, {"user_id": "u-1001"}]}]},
    )

    people: Annotated[list[PersonSent], Field(min_length=1, max_length=MOST_PEOPLE)]


class PeopleAdded(BaseModel):
    """What came of naming them."""

    added: int = Field(description="without those who were on it already")
    unknown: list[PersonSent] = Field(description="nobody is known by these")


class BroadcastList(BaseModel):
    """Latest first."""

    broadcasts: list[BroadcastShown]


class Why(BaseModel):
    """Why it is paused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"reason": "a wrong price in it"}]}
    )

    reason: Reason | None = None


@router.get("", operation_id="listBroadcasts")
async def list_all(parts: PartsDep, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> BroadcastList:
    """All broadcasts, without their progress."""
    async with parts.database.read() as tx:
        return BroadcastList(broadcasts=await list_broadcasts(tx, limit=limit))


@router.get("/{broadcast_id}", operation_id="getBroadcast", responses=responses(404))
async def get(broadcast_id: UUID, parts: PartsDep) -> BroadcastInFull:
    """One broadcast: what was sent, what not and why, what is left and when it will be done."""
    return await _existing(parts, broadcast_id)


@router.post("", operation_id="createBroadcast", status_code=201, responses=_CHANGES)
async def create(sent: BroadcastSent, parts: PartsDep, key: By) -> BroadcastInFull:
    """Make a broadcast. It begins at its time, at once where none is said; one for named people when it is started."""
    _known(parts, sent)
    id = await _broadcasts(parts).create(sent.plan(), by=key.name)
    log.info("broadcast.created", broadcast=str(id), by=key.name)
    return await _existing(parts, id)


@router.post("/preview", operation_id="previewBroadcast", responses=_CHANGES)
async def look_ahead(sent: BroadcastSent, parts: PartsDep) -> Preview:
    """Who would get such a broadcast now, and why the others not. Nothing is made."""
    _known(parts, sent)
    if sent.people:
        raise invalid("people", "name them in a draft first, then GET /v1/broadcasts/{id}/preview")
    house = house_of(parts.settings, parts.topics, parts.catalog)
    return await preview(parts.database, house, _broadcasts(parts).row_of(sent.plan()), parts.clock.now())


@router.get("/{broadcast_id}/preview", operation_id="previewExistingBroadcast", responses=responses(404))
async def look_ahead_again(broadcast_id: UUID, parts: PartsDep) -> Preview:
    """Who would get this one now, and why the others not."""
    row = await _broadcasts(parts).row(broadcast_id)
    if row is None:
        raise _unknown(broadcast_id)
    return await preview(parts.database, house_of(parts.settings, parts.topics, parts.catalog), row, parts.clock.now())


@router.post("/{broadcast_id}/people", operation_id="addToBroadcast", responses=_CHANGES)
async def add(broadcast_id: UUID, sent: PeopleSent, parts: PartsDep, key: By) -> PeopleAdded:
    """Name people a draft is for. May be repeated: nobody is on it twice."""
    await _existing(parts, broadcast_id)
    async with parts.database.read() as tx:
        found = await find_people(tx, [(one.contact_id, one.user_id, one.email) for one in sent.people])
    there = {contact for contact in found if contact is not None}
    added = await _broadcasts(parts).add(broadcast_id, there) if there else 0
    log.info("broadcast.people_added", broadcast=str(broadcast_id), added=added, by=key.name)
    unknown = [one for one, contact in zip(sent.people, found, strict=True) if contact is None]
    return PeopleAdded(added=added, unknown=unknown)


@router.post("/{broadcast_id}/start", operation_id="startBroadcast", responses=_CHANGES)
async def start(broadcast_id: UUID, parts: PartsDep, key: By) -> BroadcastInFull:
    """Let a draft begin at its time."""
    await _existing(parts, broadcast_id)
    await _broadcasts(parts).start(broadcast_id)
    log.info("broadcast.started", broadcast=str(broadcast_id), by=key.name)
    return await _existing(parts, broadcast_id)


@router.post("/{broadcast_id}/pause", operation_id="pauseBroadcast", responses=_CHANGES)
async def pause(broadcast_id: UUID, why: Why, parts: PartsDep, key: By) -> BroadcastInFull:
    """Send no more of it until it is resumed. What is being sent this second goes out."""
    await _existing(parts, broadcast_id)
    await _broadcasts(parts).pause(broadcast_id, by=key.name, reason=why.reason)
    log.info("broadcast.paused", broadcast=str(broadcast_id), by=key.name)
    return await _existing(parts, broadcast_id)


@router.post("/{broadcast_id}/resume", operation_id="resumeBroadcast", responses=_CHANGES)
async def resume(broadcast_id: UUID, parts: PartsDep, key: By) -> BroadcastInFull:
    """Go on where it was."""
    await _existing(parts, broadcast_id)
    await _broadcasts(parts).resume(broadcast_id, by=key.name)
    log.info("broadcast.resumed", broadcast=str(broadcast_id), by=key.name)
    return await _existing(parts, broadcast_id)


@router.post("/{broadcast_id}/cancel", operation_id="cancelBroadcast", responses=_CHANGES)
async def cancel(broadcast_id: UUID, parts: PartsDep, key: By) -> BroadcastInFull:
    """Send no more of it, ever. What has gone out stays out."""
    await _existing(parts, broadcast_id)
    await _broadcasts(parts).cancel(broadcast_id, by=key.name)
    log.info("broadcast.cancelled", broadcast=str(broadcast_id), by=key.name)
    return await _existing(parts, broadcast_id)


def _broadcasts(parts: Parts) -> Broadcasts:
    return Broadcasts(parts.database, parts.clock)


def _known(parts: Parts, sent: BroadcastSent) -> None:
    """Refuse what would fail for everybody."""
    template = f"{sent.template}.html"
    if ".." in sent.template.split("/") or not (parts.settings.templates / "email" / template).is_file():
        raise invalid("template", f"there is no file email/{template} in the templates")


def _unknown(broadcast_id: UUID) -> ApiProblem:
    return ApiProblem(404, "unknown_broadcast", f"no broadcast {broadcast_id}. List them with GET /v1/broadcasts.")


async def _existing(parts: Parts, broadcast_id: UUID) -> BroadcastInFull:
    async with parts.database.read() as tx:
        found = await show_broadcast(tx, broadcast_id)
    if found is None:
        raise _unknown(broadcast_id)
    return found
