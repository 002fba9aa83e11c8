"""Mail that came in: what it was taken for, and what belongs to no message of ours."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.bodies import StrictRoute
from api.deps import Identifier, PartsDep, Text
from api.errors import ApiProblem, responses
from api.keys import Guarded
from models.reads.inbound import InboundContent, InboundShown, list_inbound, show_inbound

router = APIRouter(
    prefix="/v1/inbound",
    tags=["suppressions"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 422, 503),
)


class InboundPage(BaseModel):
    """Latest first."""

    mails: list[InboundShown]
    next: str | None = Field(description="give it as `after` for the next page; null: there is none")


@router.get("", operation_id="listInbound")
async def listed(
    parts: PartsDep,
    *,
    matched: Annotated[bool | None, Query(description="false: only what belongs to no message of ours")] = None,
    sort: Annotated[Text | None, Query(max_length=16)] = None,
    after: Annotated[Identifier | None, Query(description="`next` of the page before", max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> InboundPage:
    """What came in, and what it was taken for."""
    async with parts.database.read() as tx:
        page, more = await list_inbound(tx, matched=matched, sort=sort, after=after, limit=limit)
    return InboundPage(mails=page, next=more)


@router.get("/{mail_id}", operation_id="getInbound", responses=responses(404))
async def one(mail_id: UUID, parts: PartsDep) -> InboundContent:
    """One mail, with its beginning where it belongs to no message of ours."""
    async with parts.database.read() as tx:
        found = await show_inbound(tx, mail_id)
    if found is None:
        raise ApiProblem(404, "not_found", "no mail of that id has come in")
    return found
