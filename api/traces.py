"""Did it arrive, and what did it do? Events with what became of them, as they come; and what was refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import FileResponse, HTMLResponse

from api.deps import Identifier, PartsDep
from api.errors import responses
from api.keys import ReadKey
from api.pages import page
from api.parts import Parts
from models.reads.contacts import find_contact
from models.reads.shapes import Shown
from models.reads.traces import Trace, Wanted, traces
from models.rejection import Rejection, rejections

router = APIRouter(tags=["events"])

LOOKED_EVERY = 0.25
"""Seconds between two looks for somebody who waits."""
MOST_PATIENCE = 8


SCRIPT = Path(__file__).parent / "assets" / "debug.js"
_HTML: dict[int | str, dict[str, Any]] = {
    200: {"description": "A page", "content": {"text/html": {"schema": {"type": "string"}}}}
}


class Refusal(Shown):
    """A call, or an item of a batch, that was not stored."""

    id: int
    key: str | None = Field(description="its name; null: unknown, or none was shown")
    call: str
    status: int
    field: str
    problem: str
    recorded_at: str


class Traced(BaseModel):
    """In the order of their arrival. Ask again with `after` and `refused_after` as they are here."""

    events: list[Trace]
    refused: list[Refusal]
    after: int
    refused_after: int


@router.get(
    "/v1/events/trace", operation_id="traceEvents", dependencies=[ReadKey], responses=responses(401, 403, 404, 422, 503)
)
async def trace(
    parts: PartsDep,
    *,
    after: Annotated[int | None, Query(ge=0, lt=2**63, description="only later ones; absent: the latest")] = None,
    refused_after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    wait: Annotated[float, Query(ge=0, le=MOST_PATIENCE, description="seconds to wait for the first")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    name: Annotated[str | None, Query(max_length=200)] = None,
    who: Annotated[
        Identifier | None, Query(description="of one person: their e-mail address, user id or anonymous id")
    ] = None,
) -> Traced:
    """Show what came in and what became of it: who was meant, what it started and woke, or why nothing.

    With `wait` the answer comes as soon as there is something new. A person nobody knows yet may be asked for too.
    """
    patience = asyncio.get_running_loop().time() + wait
    while True:
        found = await _look(parts, who, Wanted(limit, after, None, name), refused_after)
        if found.events or found.refused or asyncio.get_running_loop().time() >= patience:
            return found
        await asyncio.sleep(LOOKED_EVERY)


@router.get("/debug", operation_id="debugPage", response_class=HTMLResponse, responses=_HTML)
async def debug_page() -> HTMLResponse:
    """Show them as they come. The page asks its reader for a key of scope read, and keeps it in its tab."""
    policy = {"script-src": "'self'", "connect-src": "'self'"}
    return page("debug.html", policy=policy, title="What came in, and what it did", lang="en")


@router.get("/debug.js", include_in_schema=False)
async def debug_script() -> FileResponse:
    """Its script."""
    return FileResponse(SCRIPT, media_type="text/javascript")


async def _look(parts: Parts, who: str | None, wanted: Wanted, refused_after: int) -> Traced:
    await parts.rejections.write(parts.database)
    async with parts.database.read() as tx:
        contact = await _person(tx, who) if who is not None else None
        events: list[Trace] = []
        if who is None or contact is not None:
            events = await traces(tx, parts.catalog, parts.events, replace(wanted, contact_id=contact))
        refused = await rejections(tx, after=refused_after, limit=wanted.limit)
    return Traced(
        events=events,
        refused=[_refusal(one) for one in refused],
        after=max((one.seq for one in events), default=wanted.after or 0),
        refused_after=max((one.id or 0 for one in refused), default=refused_after),
    )


async def _person(tx: AsyncConnection, who: str) -> UUID | None:
    for kind, value in (("user", who), ("email", who.strip().lower()), ("anonymous", who)):
        if (found := await find_contact(tx, kind, value)) is not None:
            return found
    return None


def _refusal(one: Rejection) -> Refusal:
    return Refusal(
        id=one.id or 0,
        key=one.key,
        call=one.call,
        status=one.status,
        field=one.field,
        problem=one.problem,
        recorded_at=one.recorded_at.isoformat(),
    )
