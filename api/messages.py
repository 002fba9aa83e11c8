"""Messages: what was decided about each and why, what became of it, and whether somebody would get one now."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from api.bodies import StrictRoute
from api.deps import Identifier, Name, PartsDep, Topic
from api.errors import ApiProblem, responses
from api.keys import Guarded
from api.tasks import After, Limit
from models.house import house_of
from models.reads.mails import MailShown, MailWithEvents, Objection, Tally, list_mails, show_mail, tally, why_not

router = APIRouter(
    tags=["messages"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 422, 503),
)

State = Literal["claimed", "on_wire", "sent", "retry", "deferred", "refused", "failed", "unknown", "dropped"]


class MailPage(BaseModel):
    """By the latest decision, latest first."""

    messages: list[MailShown]
    next: str | None = Field(description="give it as `after` for the next page; null: there is none")


class Tallies(BaseModel):
    """Most first."""

    reasons: list[Tally]


class Permission(BaseModel):
    """Whether a mail about a topic would go to a contact now."""

    contact_id: UUID
    topic: str
    at: datetime
    now: bool = Field(description="it would be sent now")
    ever: bool = Field(description="it would be sent now or later, if nothing changes")
    objections: list[Objection] = Field(description="all that stands against it, not only the first")


@router.get("/v1/messages", operation_id="listMessages")
async def messages(
    parts: PartsDep,
    *,
    contact: UUID | None = None,
    template: Annotated[Name | None, Query()] = None,
    state: Annotated[State | None, Query()] = None,
    reason: Annotated[Name | None, Query(description="exactly")] = None,
    enrollment: Annotated[Name | None, Query()] = None,
    broadcast: UUID | None = None,
    after: After = None,
    limit: Limit = 50,
) -> MailPage:
    """Messages with the decision about each. For sales and teams too: `audience` says so."""
    async with parts.database.read() as tx:
        page, more = await list_mails(
            tx,
            after=after,
            limit=limit,
            contact_id=contact,
            template=template,
            state=state,
            reason=reason,
            enrollment_id=enrollment,
            broadcast_id=broadcast,
        )
    return MailPage(messages=page, next=more)


@router.get("/v1/messages/reasons", operation_id="countReasons")
async def reasons(
    parts: PartsDep,
    *,
    since: Annotated[AwareDatetime | None, Query(description="journey time of the decision")] = None,
    template: Annotated[Name | None, Query()] = None,
    topic: Annotated[Topic | None, Query()] = None,
    broadcast: UUID | None = None,
) -> Tallies:
    """How many messages to contacts are in each state, by reason. Test contacts do not count."""
    async with parts.database.read() as tx:
        found = await tally(tx, since=since, template=template, topic=topic, broadcast_id=broadcast)
    return Tallies(reasons=found)


@router.get("/v1/messages/{message_id}", operation_id="getMessage", responses=responses(404))
async def message(message_id: Identifier, parts: PartsDep) -> MailWithEvents:
    """One message, by the id in its links, its Message-ID and the events it leads to."""
    async with parts.database.read() as tx:
        found = await show_mail(tx, message_id)
    if found is None:
        raise ApiProblem(404, "unknown_message", "there is no message of this id")
    return found


@router.get("/v1/contacts/{contact_id}/permission", operation_id="mayMail", responses=responses(404))
async def permission(
    contact_id: UUID, parts: PartsDep, topic: Annotated[Topic, Query(description="what the mail would be about")]
) -> Permission:
    """Whether a mail about a topic would go to a contact now, and all that stands against it. Nothing is sent."""
    at = parts.clock.now()
    house = house_of(parts.settings, parts.topics, parts.catalog)
    async with parts.database.read() as tx:
        found = await why_not(tx, contact_id, house, topic=topic, at=at)
    if found is None:
        raise ApiProblem(404, "unknown_contact", "there is no contact of this id")
    ever = all(one.until is not None for one in found)
    return Permission(contact_id=contact_id, topic=topic, at=at, now=not found, ever=ever, objections=found)
