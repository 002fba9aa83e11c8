"""Where the links of mails lead: open pixel and click. No key: the link's signature is the proof."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from api.deps import PartsDep
from api.pages import not_found
from api.parts import Parts
from api.touches import Told, touched
from tabiji.channels.email.links import Clicked
from tabiji.domain.machines import SEEN, Verdict
from tabiji.domain.machines import Request as Seen
from tabiji.errors import Unavailable

log = structlog.stdlib.get_logger(__name__)

router = APIRouter(tags=["links in mails"])

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
NEVER_CACHED = {"Cache-Control": "no-store, no-cache, must-revalidate, private", "Pragma": "no-cache", "Expires": "0"}
PATIENCE = 2.0
"""Seconds a reader waits at most for our bookkeeping."""
PAUSES = (0.5, 1, 2, 4, 8, 15, 30)
"""Seconds between attempts to record what happened while the database is away."""
MOST_WAITING = 2_000

_unfinished: set[asyncio.Task[Verdict | None]] = set()
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
async def opened(token: str, request: Request, parts: PartsDep) -> Response:
    """Show one transparent pixel, and record `Email Opened`: with `machine` where a program fetched it."""
    link = parts.links.read_open(token)
    if link is not None:
        await _in_passing(parts, Told(link.message, "open"), request)
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
async def clicked(token: str, request: Request, parts: PartsDep) -> Response:
    """Lead on to the page a mail linked to, and record `Email Link Clicked`: with `machine` where a program did it.

    Whoever it is, and whatever becomes of the record, the link leads on.
    """
    link = parts.links.read_click(token)
    if link is None:
        return not_found("This link is broken. Mail programs sometimes cut long links in two.")
    who = await _in_passing(parts, Told(link.message, "click", link.url, link.place), request)
    # A program must not use up what tells a site of ours who comes.
    return _leading_to(link.url if who is Verdict.MACHINE else _told_who_comes(parts, link))


@router.head("/c/{token}", include_in_schema=False)
async def asked_where_it_leads(token: str, parts: PartsDep) -> Response:
    """Programs that check links are told where they lead; nobody has clicked."""
    link = parts.links.read_click(token)
    return not_found("") if link is None else _leading_to(link.url)


def _leading_to(url: str) -> Response:
    """A host is told in the letters every reader of a header knows."""
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna").decode("ascii")
    if parts.netloc.isascii():
        return RedirectResponse(url, 302)
    return RedirectResponse(urlunsplit(parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host)), 302)


def _told_who_comes(parts: Parts, link: Clicked) -> str:
    """Where a link leads; a site or form of our own hears by which mail they come, and nobody else."""
    site, sites = urlsplit(link.url), parts.settings.sites
    forms = tuple(f"{parts.settings.public_url}/{page}/" for page in ("f", "p"))
    if site.hostname in sites or site.netloc.lower() in sites or link.url.startswith(forms):
        return parts.links.visit(link.message, link.url, at=parts.clock.wall())
    return link.url


async def _in_passing(parts: Parts, told: Told, request: Request) -> Verdict | None:
    """Do it now, but make nobody wait for it long, and let nobody see that it failed."""
    seen = Seen(
        {name: value for name in SEEN if (value := request.headers.get(name)) is not None},
        parts.limits.address(request.scope),
        secure=parts.settings.public_url.startswith("https:"),
    )
    task = asyncio.create_task(_patiently(parts, told, seen))
    _unfinished.add(task)
    task.add_done_callback(_unfinished.discard)
    done, _ = await asyncio.wait({task}, timeout=PATIENCE)
    return task.result() if done else None


async def _patiently(parts: Parts, told: Told, seen: Seen) -> Verdict | None:
    """The reader has gone on: while the database is away for a moment we try again, as long as not too many wait."""
    told = replace(told, at=parts.clock.now())
    for pause in (*PAUSES, None):
        try:
            return await touched(parts, told, seen)
        except Unavailable as error:
            if pause is None or len(_unfinished) > MOST_WAITING:
                log.warning("mail.event_lost", problem=type(error).__name__)
                return None
            await asyncio.sleep(pause)
        except Exception as error:
            log.warning("mail.event_lost", problem=type(error).__name__)
            return None
    return None


def _pixel() -> Response:
    return Response(PIXEL, media_type="image/gif", headers=NEVER_CACHED)
