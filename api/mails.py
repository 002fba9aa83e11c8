"""Where the links of mails lead: open pixel and click. No key: the link's signature is the proof."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse
from pydantic import JsonValue

from api.deps import PartsDep
from api.pages import not_found
from api.parts import Parts
from api.recording import record
from models.incoming import Incoming
from models.reads.messages import find_message
from tabiji.channels.email.links import Clicked

log = structlog.stdlib.get_logger(__name__)

router = APIRouter(tags=["links in mails"])

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
NEVER_CACHED = {"Cache-Control": "no-store, no-cache, must-revalidate, private", "Pragma": "no-cache", "Expires": "0"}
PATIENCE = 2.0
"""Seconds a reader waits at most for our bookkeeping."""

_unfinished: set[asyncio.Task[None]] = set()
_PAGE: dict[int | str, dict[str, Any]] = {
    200: {"description": "A page", "content": {"text/html": {"schema": {"type": "string"}}}},
    404: {"description": "A page that says so", "content": {"text/html": {"schema": {"type": "string"}}}},
}
_GIF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One transparent pixel, whether or not the token is good",
        "content": {"image/gif": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/o/{token}.gif", operation_id="openPixel", response_class=Response, responses=_GIF)
async def opened(token: str, parts: PartsDep) -> Response:
    """Show one transparent pixel, and record `Email Opened`."""
    link = parts.links.read_open(token)
    if link is not None:
        await _in_passing(_happened(parts, link.message, "Email Opened"))
    return _pixel()


@router.head("/o/{token}.gif", include_in_schema=False)
async def asked_for_pixel(token: str) -> Response:
    """Who only asks has not opened anything."""
    return _pixel()


@router.get(
    "/c/{token}",
    operation_id="followLink",
    status_code=302,
    response_class=RedirectResponse,
    responses={302: {"description": "On to the page the mail linked to"}, 404: _PAGE[404]},
)
async def clicked(token: str, parts: PartsDep) -> Response:
    """Lead on to the page a mail linked to, and record `Email Link Clicked`."""
    link = parts.links.read_click(token)
    if link is None:
        return not_found("This link is broken. Mail programs sometimes cut long links in two.")
    await _in_passing(_happened(parts, link.message, "Email Link Clicked", url=link.url))
    return RedirectResponse(_told_who_comes(parts, link), 302)


@router.head("/c/{token}", include_in_schema=False)
async def asked_where_it_leads(token: str, parts: PartsDep) -> Response:
    """Programs that check links are told where they lead; nobody has clicked."""
    link = parts.links.read_click(token)
    return not_found("") if link is None else RedirectResponse(link.url, 302)


def _told_who_comes(parts: Parts, link: Clicked) -> str:
    """Where a link leads; a site or form of our own hears by which mail they come, and nobody else."""
    site, sites = urlsplit(link.url), parts.settings.sites
    forms = tuple(f"{parts.settings.public_url}/{page}/" for page in ("f", "p"))
    if site.hostname in sites or site.netloc.lower() in sites or link.url.startswith(forms):
        return parts.links.visit(link.message, link.url, at=parts.clock.wall())
    return link.url


async def _happened(parts: Parts, public_id: str, name: str, **more: JsonValue) -> None:
    async with parts.database.read() as tx:
        message = await find_message(tx, public_id)
    if message is None:
        return
    properties: dict[str, JsonValue] = {"template": message.template, "message": public_id, **more}
    incoming = Incoming(
        kind="mail",
        name=name,
        message_id=_once_a_minute(parts, public_id, name, more),
        at=parts.clock.now(),
        properties=properties,
        contact_id=message.contact_id,
    )
    await record(parts, [incoming])


def _once_a_minute(parts: Parts, public_id: str, name: str, more: dict[str, JsonValue]) -> str:
    """Mail programs fetch pixels over and over; and nobody may fill a database with one link."""
    minute = int(parts.clock.wall().timestamp() // 60)
    what = hashlib.sha256(f"{name}\n{more}".encode()).hexdigest()[:16]
    return f"mail/{public_id}/{what}/{minute}"


async def _in_passing(work: Coroutine[Any, Any, None]) -> None:
    """Do it now, but make nobody wait for it long, and let nobody see that it failed."""
    task = asyncio.create_task(_quietly(work))
    _unfinished.add(task)
    task.add_done_callback(_unfinished.discard)
    await asyncio.wait({task}, timeout=PATIENCE)


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception as error:
        log.warning("mail.event_lost", problem=type(error).__name__)


def _pixel() -> Response:
    return Response(PIXEL, media_type="image/gif", headers=NEVER_CACHED)
