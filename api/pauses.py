"""Pauses: stop the effects of everything, a journey, a contact or an enrollment, and let them go on at a rate."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict

from api.bodies import StrictRoute
from api.deps import PartsDep
from api.enrollments import EnrollmentId
from api.errors import ApiProblem, responses
from api.keys import By, Guarded
from api.parts import Parts
from api.targets import Reason, Target, known_enrollment, scope_of
from models.pause import Scope
from models.pauses import Pauses
from models.reads.pauses import PauseShown, list_pauses, show_pause

log = structlog.stdlib.get_logger(__name__)

router = APIRouter(
    prefix="/v1",
    tags=["control"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 422, 503),
)

_CHANGES = responses(400, 404, 408, 413, 415)


class PauseSent(Target):
    """What to pause, and why."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"everything": True, "reason": "wrong price in the mail"},
                {"journey": "whitepaper-nurture"},
                {"email": "hanako@example.com", "reason": "she called us"},
            ]
        },
    )

    reason: Reason | None = None


class Why(BaseModel):
    """Why, for those who look later."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"reason": "she called us"}]}
    )

    reason: Reason | None = None


class PauseList(BaseModel):
    """Latest first."""

    pauses: list[PauseShown]


@router.get("/pauses", operation_id="listPauses")
async def list_all(
    parts: PartsDep,
    *,
    ended: Annotated[bool, Query(description="also those that are over")] = False,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> PauseList:
    """What is paused now, by whom and why, and how many people it holds."""
    async with parts.database.read() as tx:
        return PauseList(pauses=await list_pauses(tx, ended=ended, limit=limit))


@router.get("/pauses/{pause_id}", operation_id="getPause", responses=responses(404))
async def get(pause_id: UUID, parts: PartsDep) -> PauseShown:
    """One pause. After its end `held` is how many have still to be told."""
    return await _existing(parts, pause_id)


@router.post("/pauses", operation_id="pause", status_code=201, responses=_CHANGES | {200: {"model": PauseShown}})
async def pause(sent: PauseSent, parts: PartsDep, key: By, response: Response) -> PauseShown:
    """Pause from the next effect on: one row, however many people it reaches.

    Waits go on and events count; what has begun is finished. What is paused already answers 200 with that pause.
    """
    scope, target = await scope_of(parts, sent)
    return await _pause(parts, scope, target, by=key.name, reason=sent.reason, response=response)


@router.post("/pauses/{pause_id}/resume", operation_id="resume", responses=_CHANGES)
async def resume(pause_id: UUID, parts: PartsDep, key: By) -> PauseShown:
    """End a pause. Those it holds are told at a rate; ending it again changes nothing."""
    if await Pauses(parts.database, parts.clock).resume(pause_id, by=key.name):
        log.info("pause.ended", pause=str(pause_id), by=key.name)
    return await _existing(parts, pause_id)


@router.post(
    "/enrollments/{enrollment_id:path}/pause",
    operation_id="pauseEnrollment",
    status_code=201,
    responses=_CHANGES | {200: {"model": PauseShown}},
)
async def pause_one(enrollment_id: EnrollmentId, why: Why, parts: PartsDep, key: By, response: Response) -> PauseShown:
    """Pause one contact in one journey."""
    await known_enrollment(parts, enrollment_id)
    return await _pause(parts, Scope.ENROLLMENT, enrollment_id, by=key.name, reason=why.reason, response=response)


@router.post(
    "/enrollments/{enrollment_id:path}/resume", operation_id="resumeEnrollment", responses=_CHANGES | responses(409)
)
async def resume_one(enrollment_id: EnrollmentId, why: Why, parts: PartsDep, key: By) -> PauseShown:
    """End the pause of one contact in one journey. A pause of the journey or of everything still reaches it."""
    await known_enrollment(parts, enrollment_id)
    pauses = Pauses(parts.database, parts.clock)
    ended = await pauses.resume_target(Scope.ENROLLMENT, enrollment_id, by=key.name)
    if ended is None:
        raise ApiProblem(409, "not_paused", "that enrollment has no pause of its own; GET /v1/pauses lists the others")
    log.info("pause.ended", pause=str(ended), by=key.name, reason=why.reason)
    return await _existing(parts, ended)


async def _pause(
    parts: Parts, scope: Scope, target: str, *, by: str, reason: str | None, response: Response
) -> PauseShown:
    id, new = await Pauses(parts.database, parts.clock).pause(scope, target, by=by, reason=reason)
    if new:
        log.warning("pause.begun", pause=str(id), scope=scope.value, by=by)
    else:
        response.status_code = 200
    return await _existing(parts, id)


async def _existing(parts: Parts, pause_id: UUID) -> PauseShown:
    async with parts.database.read() as tx:
        found = await show_pause(tx, pause_id)
    if found is None:
        raise ApiProblem(404, "unknown_pause", f"no pause {pause_id}. List them with GET /v1/pauses.")
    return found
