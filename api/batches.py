"""Skip, cancel and move: told to one enrollment at once, or to many by a batch that the server carries out."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import structlog
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.bodies import StrictRoute
from api.deps import Name, PartsDep
from api.enrollments import EnrollmentId
from api.errors import ApiProblem, responses
from api.keys import By, Guarded
from api.parts import Parts
from api.targets import JourneyName, Reason, Whom, known_enrollment, reach_of
from models.batch import Action
from models.batches import Batches
from models.reach import count_reached
from models.reads.batches import BatchShown, list_batches, show_batch
from models.reads.enrollments import show_enrollment

log = structlog.stdlib.get_logger(__name__)

router = APIRouter(
    prefix="/v1",
    tags=["control"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 422, 503),
)

_CHANGES = responses(400, 404, 408, 409, 413, 415)


class BatchSent(BaseModel):
    """What to tell, and whom."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"action": "skip", "whom": {"journey": "whitepaper-nurture", "waiting_for": "Demo Attended"}},
                {"action": "cancel", "whom": {"journey": "spring-sale"}, "rate": 20, "reason": "the sale is over"},
            ]
        },
    )

    action: Literal["skip", "cancel", "move", "pause", "resume"]
    whom: Whom
    rate: Annotated[float, Field(ge=1, le=1000, description="enrollments a second, at most")] = 50
    reason: Reason | None = None


class BatchList(BaseModel):
    """Latest first."""

    batches: list[BatchShown]


class Reached(BaseModel):
    """How many enrollments are meant."""

    enrollments: int


class Skip(BaseModel):
    """Which wait, where there are several, and why."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"reason": "they asked for it"}]}
    )

    step: Name | None = Field(default=None, description="id of the step that waits; absent: every wait that is open")
    reason: Reason | None = None


class Cancel(BaseModel):
    """Why."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"reason": "entered by mistake"}]}
    )

    reason: Reason | None = None


class Said(BaseModel):
    """It is on its way."""

    enrollment: str
    action: str


@router.get("/reach", operation_id="countReach", responses=responses(404))
async def reach(
    parts: PartsDep,
    *,
    everything: Annotated[bool, Query()] = False,
    journey: Annotated[JourneyName | None, Query()] = None,
    contact: Annotated[UUID | None, Query()] = None,
    email: Annotated[str | None, Query(max_length=320)] = None,
    enrollment: Annotated[Name | None, Query()] = None,
    waiting_for: Annotated[Name | None, Query()] = None,
) -> Reached:
    """How many enrollments a pause or a batch would reach now."""
    whom = Whom(
        everything=everything,
        journey=journey,
        contact=contact,
        email=email,
        enrollment=enrollment,
        waiting_for=waiting_for,
    )
    meant = await reach_of(parts, whom)
    async with parts.database.read() as tx:
        return Reached(enrollments=await count_reached(tx, meant))


@router.get("/batches", operation_id="listBatches")
async def list_all(parts: PartsDep, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> BatchList:
    """What was told to whom, by whom, and how far it is."""
    async with parts.database.read() as tx:
        return BatchList(batches=await list_batches(tx, limit=limit))


@router.get("/batches/{batch_id}", operation_id="getBatch", responses=responses(404))
async def get(batch_id: UUID, parts: PartsDep) -> BatchShown:
    """One batch, for whoever waits for its end."""
    return await _existing(parts, batch_id)


@router.post("/batches", operation_id="orderBatch", status_code=202, responses=_CHANGES)
async def order(sent: BatchSent, parts: PartsDep, key: By) -> BatchShown:
    """Tell many enrollments something, at a rate. The server does it, whether or not the caller stays."""
    meant = await reach_of(parts, sent.whom)
    if sent.action == "resume":
        meant = meant.model_copy(update={"paused": True})
    batches = Batches(parts.database, parts.catalog, parts.clock)
    id = await batches.order(Action(sent.action), meant, by=key.name, reason=sent.reason, rate=sent.rate)
    log.info("batch.ordered", batch=str(id), action=sent.action, by=key.name)
    return await _existing(parts, id)


@router.post("/batches/{batch_id}/stop", operation_id="stopBatch", responses=responses(404))
async def stop(batch_id: UUID, parts: PartsDep, key: By) -> BatchShown:
    """Do no more of a batch. What has been told stays told."""
    if await Batches(parts.database, parts.catalog, parts.clock).stop(batch_id):
        log.info("batch.stopped", batch=str(batch_id), by=key.name)
    return await _existing(parts, batch_id)


@router.post("/enrollments/{enrollment_id:path}/skip", operation_id="skipWait", status_code=202, responses=_CHANGES)
async def skip(enrollment_id: EnrollmentId, sent: Skip, parts: PartsDep, key: By) -> Said:
    """End the wait that is open in one enrollment, as if its time were up. Nothing comes of it where none is open."""
    return await _tell(parts, Action.SKIP, enrollment_id, by=key.name, reason=sent.reason, step=sent.step)


@router.post(
    "/enrollments/{enrollment_id:path}/cancel", operation_id="cancelEnrollment", status_code=202, responses=_CHANGES
)
async def cancel(enrollment_id: EnrollmentId, sent: Cancel, parts: PartsDep, key: By) -> Said:
    """Take one contact out of one journey. What has begun is finished; nothing new begins."""
    return await _tell(parts, Action.CANCEL, enrollment_id, by=key.name, reason=sent.reason)


async def _tell(
    parts: Parts, action: Action, enrollment_id: str, *, by: str, reason: str | None, step: str | None = None
) -> Said:
    await known_enrollment(parts, enrollment_id)
    batches = Batches(parts.database, parts.catalog, parts.clock)
    properties: dict[str, str] = {} if step is None else {"step": step}
    pending = await batches.at_once(action, enrollment_id, by=by, reason=reason, properties=dict(properties))
    if not pending:
        async with parts.database.read() as tx:
            found = await show_enrollment(tx, enrollment_id)
        raise ApiProblem(
            409, "enrollment_ended", f"that enrollment has ended: {found.state if found else 'it is gone'}"
        )
    parts.outbox.offer(pending)
    log.info("enrollment.told", enrollment_id=enrollment_id, action=action.value, by=by)
    return Said(enrollment=enrollment_id, action=action.value)


async def _existing(parts: Parts, batch_id: UUID) -> BatchShown:
    async with parts.database.read() as tx:
        found = await show_batch(tx, batch_id)
    if found is None:
        raise ApiProblem(404, "unknown_batch", f"no batch {batch_id}. List them with GET /v1/batches.")
    return found
