"""Questions journeys have put to people, for consoles and scripts. The page people answer on is in `approval_pages`."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.bodies import StrictRoute
from api.deps import Name, PartsDep, Text
from api.errors import ApiProblem, responses
from api.keys import Guarded
from api.tasks import After, Limit
from models.approvals import LONGEST_NOTE, answer
from models.reads.approvals import ApprovalShown, list_approvals

router = APIRouter(
    prefix="/v1/approvals",
    tags=["approvals"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 422, 503),
)


class ApprovalPage(BaseModel):
    """Latest first."""

    approvals: list[ApprovalShown]
    next: str | None = Field(description="give it as `after` for the next page; null: there is none")


class AnswerSent(BaseModel):
    """Yes or no, and who says so."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"examples": [{"approved": True, "by": "Sato", "note": "discount up to 10 %"}]},
    )

    approved: bool = Field(strict=True)
    by: Name
    note: Annotated[Text, Field(max_length=LONGEST_NOTE)] | None = None


@router.get("", operation_id="listApprovals")
async def approvals(
    parts: PartsDep,
    *,
    state: Annotated[Literal["open", "approved", "declined", "expired"] | None, Query()] = None,
    who: Annotated[Name | None, Query(description="the team that was asked")] = None,
    contact: UUID | None = None,
    after: After = None,
    limit: Limit = 50,
) -> ApprovalPage:
    """Questions, latest first."""
    async with parts.database.read() as tx:
        page, more = await list_approvals(tx, state=state, who=who, contact_id=contact, after=after, limit=limit)
    return ApprovalPage(approvals=page, next=more)


@router.post("/{approval_id}", operation_id="answerApproval", responses=responses(400, 404, 408, 409, 413, 415))
async def answered(approval_id: UUID, body: AnswerSent, parts: PartsDep) -> ApprovalShown:
    """Answer a question. The first answer counts: the journey that asked goes on with it."""
    result = await answer(
        parts.database,
        parts.recorder,
        approval_id,
        approved=body.approved,
        by=body.by,
        note=body.note,
        wall=parts.clock.wall(),
    )
    shown = ApprovalShown.model_validate(result.approval, from_attributes=True)
    if not result.counted and shown.state == "expired":
        raise ApiProblem(409, "expired", "the journey no longer waits for an answer")
    if not result.counted:
        raise ApiProblem(409, "already_answered", f"{shown.answered_by} was first, and has {shown.state} it")
    return shown
