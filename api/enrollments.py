"""Enrollments: who is where in which journey; entering people, and telling one enrollment that something happened."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from temporalio.client import WorkflowQueryFailedError
from temporalio.service import RPCError

from api.bodies import StrictRoute
from api.contacts import one_identity, unknown_identity
from api.deps import Identifier, Name, PartsDep, Text
from api.errors import ApiProblem, invalid, responses
from api.keys import Guarded
from api.parts import Parts
from api.recording import record
from api.values import Tempo
from models.incoming import Incoming
from models.reads.contacts import find_contact
from models.reads.enrollments import EnrollmentShown, list_enrollments, show_enrollment
from tabiji.domain.orders import DOING
from tabiji.errors import UnknownEnrollment
from tabiji.settings import Settings

router = APIRouter(
    prefix="/v1",
    tags=["enrollments"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 422, 503),
)

State = Literal["running", "completed", "goal", "exited", "cancelled", "failed", "terminated"]
EnrollmentId = Annotated[
    Text,
    Path(
        max_length=200,
        description="journey/contact/number, e.g. whitepaper-nurture/0190…/1",
        examples=["whitepaper-nurture/01900000-0000-7000-8000-000000000000/1"],
    ),
]


ANSWER_WITHIN = timedelta(seconds=2)
"""How long a journey may take to say what goes on in it."""


class EnrollmentOut(EnrollmentShown):
    """One contact in one journey, with the way to its history."""

    temporal_url: str = Field(description="its workflow in the Temporal UI")
    now: list[str] | None = Field(
        default=None,
        description="what goes on in it at this moment, in its own words; null: it has ended, or could not be asked",
    )


class EnrollmentPage(BaseModel):
    """Latest first."""

    enrollments: list[EnrollmentOut]
    next: str | None = Field(description="give it as `after` for the next page; null: there is none")


class EntrySent(BaseModel):
    """Whom to enter: exactly one of contact, email and user_id."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"examples": [{"email": "hanako@example.com"}, {"user_id": "u-1001", "tempo": 86400}]},
    )

    contact: UUID | None = None
    email: Annotated[str, Field(max_length=320)] | None = None
    user_id: Identifier | None = None
    tempo: Tempo | None = Field(default=None, description="makes it a test enrollment that runs this much faster")
    key: Annotated[Text, Field(max_length=200)] | None = Field(
        default=None, description="re-entry is decided per key, e.g. an order id"
    )


class EventSent(BaseModel):
    """Something that is to count for one enrollment alone."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"examples": [{"event": "Demo Attended", "properties": {"room": "2"}}]}
    )

    event: Name
    properties: dict[str, JsonValue] | None = None
    messageId: Identifier | None = Field(default=None, description="makes sending it again harmless")


class EventRecorded(BaseModel):
    """It is kept: counted for the wait that is open, or for a later one."""

    seq: int
    duplicate: bool


@router.get("/enrollments", operation_id="listEnrollments")
async def list_all(
    parts: PartsDep,
    *,
    contact: Annotated[UUID | None, Query()] = None,
    journey: Annotated[Text | None, Query(max_length=100)] = None,
    state: Annotated[State | None, Query()] = None,
    after: Annotated[Text | None, Query(max_length=1000, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> EnrollmentPage:
    """Who is in which journey, latest first. With `contact`, running journeys are asked what goes on in them."""
    async with parts.database.read() as tx:
        page, more = await list_enrollments(
            tx, contact_id=contact, journey=journey, state=state, after=after, limit=limit
        )
    found = [_out(one, parts.settings) for one in page]
    if contact is not None:
        found = list(await asyncio.gather(*(_asked(one, parts) for one in found)))
    return EnrollmentPage(enrollments=found, next=more)


@router.get("/enrollments/{enrollment_id:path}", operation_id="getEnrollment", responses=responses(404))
async def get(enrollment_id: EnrollmentId, parts: PartsDep) -> EnrollmentOut:
    """One enrollment: its state, what it waits for, the way it took."""
    return await _asked(_out(await _existing(parts, enrollment_id), parts.settings), parts)


@router.post(
    "/journeys/{name}/enrollments",
    operation_id="enroll",
    status_code=201,
    responses=responses(400, 404, 408, 409, 413, 415),
)
async def enroll(
    name: Annotated[Text, Path(max_length=100, examples=["whitepaper-nurture"])], entry: EntrySent, parts: PartsDep
) -> EnrollmentOut:
    """Enter a contact into a journey. Its re-entry rule decides whether they get in: 409 says why not."""
    parts.catalog.get(name)
    contact_id = await _contact_of(parts, entry)
    entered = await parts.recorder.enroll(name, contact_id, tempo=entry.tempo, entry_key=entry.key or "")
    if entered.enrollment_id is None:
        raise ApiProblem(409, "entry_refused", f"the contact did not enter {name}: {entered.refused}")
    return _out(await _existing(parts, entered.enrollment_id), parts.settings)


@router.post(
    "/enrollments/{enrollment_id:path}/events",
    operation_id="tellEnrollment",
    status_code=201,
    responses=responses(400, 404, 408, 409, 413, 415),
)
async def tell(enrollment_id: EnrollmentId, event: EventSent, parts: PartsDep) -> EventRecorded:
    """Let an event happen for one enrollment only. The contact's other journeys do not hear of it."""
    enrollment = await _existing(parts, enrollment_id)
    if enrollment.state != "running":
        raise ApiProblem(409, "enrollment_ended", f"that enrollment has ended: {enrollment.state}")
    incoming = Incoming(
        kind="manual",
        name=event.event,
        message_id=event.messageId or str(uuid.uuid4()),
        at=parts.clock.now(),
        properties={name: value for name, value in (event.properties or {}).items() if value is not None},
        contact_id=enrollment.contact_id,
        enrollment_id=enrollment.id,
    )
    (recorded,) = await record(parts, [incoming])
    return EventRecorded(seq=recorded.seq, duplicate=recorded.duplicate)


async def _contact_of(parts: Parts, entry: EntrySent) -> UUID:
    if entry.contact is not None:
        if entry.email is not None or entry.user_id is not None:
            raise invalid("contact", "name the contact by exactly one of contact, email and user_id")
        return entry.contact
    kind, value = one_identity(email=entry.email, user_id=entry.user_id)
    async with parts.database.read() as tx:
        found = await find_contact(tx, kind, value)
    if found is None:
        raise unknown_identity()
    return found


async def _existing(parts: Parts, enrollment_id: str) -> EnrollmentShown:
    async with parts.database.read() as tx:
        found = await show_enrollment(tx, enrollment_id)
    if found is None:
        raise UnknownEnrollment(enrollment_id)
    return found


async def _asked(enrollment: EnrollmentOut, parts: Parts) -> EnrollmentOut:
    """Ask a running journey itself. A worker must be there to answer; without one the rest is still worth showing."""
    if enrollment.state != "running":
        return enrollment
    handle = parts.client.get_workflow_handle(enrollment.id)
    try:
        # Around all of it: the client connects at its first call, which has a patience of its own.
        async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
            now = await handle.query(DOING, result_type=list[str], rpc_timeout=ANSWER_WITHIN)
    except (RPCError, WorkflowQueryFailedError, RuntimeError, TimeoutError):
        return enrollment
    return enrollment.model_copy(update={"now": now})


def _out(shown: EnrollmentShown, settings: Settings) -> EnrollmentOut:
    place = f"{settings.temporal_ui}/namespaces/{quote(settings.temporal_namespace, safe='')}/workflows"
    return EnrollmentOut(**dict(shown), temporal_url=f"{place}/{quote(shown.id, safe='')}")
