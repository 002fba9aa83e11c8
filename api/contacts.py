"""Contacts: who they are, what happened, what they agreed to."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from api.bodies import StrictRoute
from api.consenting import name_of, noted, told
from api.deps import Identifier, Name, PartsDep, Text, Topic
from api.errors import ApiProblem, invalid, responses
from api.keys import Guarded
from api.recording import record
from api.values import address
from models.incoming import ConsentGiven, Incoming
from models.reads.consents import ConsentShown, decided, now_in_force
from models.reads.contacts import ContactShown, find_contact, show_contact
from models.reads.timeline import Entry, timeline
from tabiji.domain.topics import EVERYTHING
from tabiji.errors import UnknownContact

router = APIRouter(
    prefix="/v1/contacts",
    tags=["contacts"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 404, 422, 503),
)

SKEW = timedelta(minutes=5)
"""Between a caller's clock and ours."""

Limit = Annotated[int, Query(ge=1, le=200, description="entries of the timeline on a page")]
Before = Annotated[Identifier | None, Query(description="`next` of the page before", max_length=1000)]


class ContactWithTimeline(ContactShown):
    """A contact and a page of their history, newest first."""

    timeline: list[Entry]
    next: str | None = Field(description="give it as `before` for the next page; null: there is none")


class ConsentSent(BaseModel):
    """A decision a contact took elsewhere: on paper, by telephone, in another system."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "topic": "marketing",
                    "given": True,
                    "source": "trade fair, paper form",
                    "wording": "新製品の案内を受け取ります",
                }
            ]
        },
    )

    topic: Topic = Field(description="`*` with given false: no more mail about any topic")
    given: bool = Field(strict=True)
    confirmed: bool = Field(
        default=True,
        strict=True,
        description="false: asked for by who may not own the address; of a topic with double opt-in it counts once "
        "the address has confirmed it",
    )
    source: Name
    wording: Annotated[Text, Field(max_length=5000)] | None = None
    version: Annotated[Text, Field(max_length=40)] | None = Field(default=None, description="of the wording")
    at: AwareDatetime | None = Field(default=None, description="when they decided; absent: now")
    messageId: Identifier | None = Field(default=None, description="makes sending it again harmless")


class ConsentRecorded(BaseModel):
    """The decision is kept. The latest about a topic is in force."""

    contact_id: UUID
    topic: str
    given: bool
    confirmed: bool = Field(description="false: it gives no right to mail before the address has confirmed it")
    duplicate: bool


class Consents(BaseModel):
    """What a contact has decided."""

    in_force: list[ConsentShown] = Field(description="by topic, what counts now; a no to everything is one of each")
    history: list[ConsentShown] = Field(description="every decision with its proof, the latest first")


@router.get("", operation_id="findContact")
async def find(
    parts: PartsDep,
    *,
    email: Annotated[str | None, Query(max_length=320)] = None,
    user_id: Annotated[Identifier | None, Query()] = None,
    anonymous_id: Annotated[Identifier | None, Query()] = None,
    before: Before = None,
    limit: Limit = 50,
) -> ContactWithTimeline:
    """Find a contact by exactly one of their identities."""
    kind, value = one_identity(email=email, user_id=user_id, anonymous_id=anonymous_id)
    async with parts.database.read() as tx:
        contact_id = await find_contact(tx, kind, value)
        if contact_id is None:
            raise unknown_identity()
        return await _show(tx, contact_id, before, limit)


@router.get("/{contact_id}", operation_id="getContact")
async def get(contact_id: UUID, parts: PartsDep, before: Before = None, limit: Limit = 50) -> ContactWithTimeline:
    """One contact with their history, newest first. Of one that was merged away, the one it was merged into."""
    async with parts.database.read() as tx:
        return await _show(tx, contact_id, before, limit)


@router.post(
    "/{contact_id}/consents",
    operation_id="recordConsent",
    status_code=201,
    responses=responses(400, 408, 413, 415),
)
async def consent(contact_id: UUID, decision: ConsentSent, parts: PartsDep) -> ConsentRecorded:
    """Record that a contact gave or took back their consent to a topic. The wording is the proof.

    You are believed: what you record as confirmed counts at once, also where the topic asks for double opt-in. With
    `confirmed` false such a consent is only asked for, and the address is sent a mail to confirm it.
    """
    now = parts.clock.now()
    if decision.topic == EVERYTHING and decision.given:
        raise invalid("topic", "nobody can agree to everything: name the topic")
    if decision.at is not None and decision.at > now + SKEW:
        raise invalid("at", "is in the future")
    consent = noted(
        parts.topics,
        ConsentGiven(
            topic=decision.topic,
            given=decision.given,
            source=decision.source,
            wording=decision.wording,
            version=decision.version,
        ),
        certain=decision.confirmed,
    )
    incoming = Incoming(
        kind="manual",
        name=name_of(consent),
        message_id=decision.messageId or str(uuid.uuid4()),
        at=min(decision.at or now, now),
        properties=told(consent),
        contact_id=contact_id,
        consent=consent,
    )
    (recorded,) = await record(parts, [incoming])
    return ConsentRecorded(
        contact_id=recorded.contact_id,
        topic=decision.topic,
        given=decision.given,
        confirmed=consent.confirmed,
        duplicate=recorded.duplicate,
    )


@router.get("/{contact_id}/consents", operation_id="getConsents")
async def consents(contact_id: UUID, parts: PartsDep) -> Consents:
    """All a contact has decided about what they are sent, with the proof of each."""
    async with parts.database.read() as tx:
        contact = await show_contact(tx, contact_id)
        if contact is None:
            raise UnknownContact(contact_id)
        history = await decided(tx, contact.id)
    return Consents(in_force=now_in_force(history), history=history[::-1])


def one_identity(*, email: str | None, user_id: str | None, anonymous_id: str | None = None) -> tuple[str, str]:
    """Kind and value of the one identity that was given.

    Raises:
        ApiProblem: 422 when there is none, or more than one.
    """
    given = [
        (kind, field, value)
        for kind, field, value in (
            ("email", "email", email),
            ("user", "user_id", user_id),
            ("anonymous", "anonymous_id", anonymous_id),
        )
        if value is not None
    ]
    if len(given) != 1:
        raise invalid("email", "name the contact by exactly one identity")
    kind, field, value = given[0]
    if kind == "email":
        try:
            return kind, address(value)
        except ValueError as error:
            raise invalid(field, str(error)) from None
    return kind, value


def unknown_identity() -> ApiProblem:
    """No contact has that identity."""
    return ApiProblem(404, UnknownContact.code, "no contact has that identity; POST /v1/identify makes one")


async def _show(tx: AsyncConnection, contact_id: UUID, before: str | None, limit: int) -> ContactWithTimeline:
    contact = await show_contact(tx, contact_id)
    if contact is None:
        raise UnknownContact(contact_id)
    entries, more = await timeline(tx, contact.id, before=before, limit=limit)
    return ContactWithTimeline(**dict(contact), timeline=entries, next=more)
