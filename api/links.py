"""Links of mails: who followed them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from api.bodies import StrictRoute
from api.deps import Identifier, Name, PartsDep
from api.errors import ApiProblem, responses
from api.keys import Guarded
from models.reads.links import LinkReport, TouchShown, link_report, touches_shown

router = APIRouter(
    tags=["messages"], route_class=StrictRoute, dependencies=[Guarded], responses=responses(401, 403, 404, 422, 503)
)


class Touches(BaseModel):
    """Oldest first."""

    touches: list[TouchShown] = Field(description="at most one a minute of each link by each kind of reader")


@router.get("/v1/links", operation_id="showLinks")
async def links(
    parts: PartsDep,
    template: Annotated[Name, Query(examples=["demo/invitation"])],
    *,
    since: Annotated[AwareDatetime | None, Query(description="journey time of sending")] = None,
    variant: Annotated[Name | None, Query(description="arm of a test of its content")] = None,
    broadcast: UUID | None = None,
) -> LinkReport:
    """What became of the mails of a template, by link: people, clicks, and programs apart from them."""
    async with parts.database.read() as tx:
        found = await link_report(tx, template, since=since, variant=variant, broadcast_id=broadcast)
    if found is None:
        raise ApiProblem(404, "unknown_template", "no mail has been made from this template, or none of those")
    return found


@router.get("/v1/messages/{message_id}/touches", operation_id="listTouches")
async def touches(message_id: Identifier, parts: PartsDep) -> Touches:
    """All that opened a message or followed its links, who that was, and what says so."""
    async with parts.database.read() as tx:
        found = await touches_shown(tx, message_id)
    if found is None:
        raise ApiProblem(404, "unknown_message", "there is no message of this id")
    return Touches(touches=found)
