"""The pages of forms, and what becomes of a filled-in one. No key: they are for visitors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from math import ceil
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import HTMLResponse, RedirectResponse

from api.consenting import proof_of
from api.deps import PartsDep
from api.forms.given import Given, from_body, from_query
from api.forms.incoming import batch
from api.forms.showing import Place, View, form_page, thanks_page, view
from api.forms.tokens import Opened, Tokens
from api.forms.visitors import Visitor, visitor_of
from api.keys import Action, key_of, require
from api.pages import not_found
from api.parts import Parts
from api.recording import record
from models.form_answers import remember
from models.incoming import Incoming
from models.record import Recorded
from tabiji.domain.forms import Filled, Form, read
from tabiji.errors import Unavailable, UnknownContact

router = APIRouter(tags=["forms"])

TRAP = "website"
"""A field no person sees. Who fills it in is a program: thanked, and forgotten."""
AGREED, WITHOUT_CONSENT = "1", "2"
"""Which thanks are shown."""
Show = Callable[[View, int, dict[str, str]], Response]
"""Answers with a form that must be looked over."""

_HTML = {"text/html": {"schema": {"type": "string"}}}
PAGES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The form, or its thanks", "content": _HTML},
    404: {"description": "There is no such form", "content": _HTML},
}
_FIELDS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "email": {"type": "string", "examples": ["hanako@example.com"]},
        "first_name": {"type": "string", "examples": ["花子"]},
        "company": {"type": "string"},
        "consent": {"type": "string", "description": "yes, on, true or 1: agreed; anything else is a no"},
        "anonymous_id": {"type": "string", "description": "the visitor's, so that their past comes along"},
        "timezone": {"type": "string", "examples": ["Asia/Tokyo"]},
        "utm_source": {"type": "string", "description": "and its like: kept with the event"},
    },
    "required": ["email"],
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": _FIELDS} for kind in ("application/x-www-form-urlencoded", "multipart/form-data")},
    }
}
SENT: dict[int | str, dict[str, Any]] = {
    303: {"description": "Stored; on to the thanks"},
    404: PAGES[404],
    422: {"description": "The form, with what is wrong said at each field. Nothing was stored.", "content": _HTML},
    429: {"description": "Too many were sent from there. Nothing was stored.", "content": _HTML},
}
Done = Annotated[str, Query(description="shows the thanks; 2: to who did not agree to be mailed")]
File = Annotated[str, Query(description="leave to download the form's file")]


@router.get("/f/{form}", operation_id="formPage", response_class=HTMLResponse, responses=PAGES)
async def show(
    form: str,
    request: Request,
    parts: PartsDep,
    *,
    anonymous_id: Annotated[str, Query(description="the visitor's; read with the other fields below")] = "",
    timezone: Annotated[str, Query(description="IANA name")] = "",
    done: Done = "",
    file: File = "",
) -> Response:
    """A form. Works without JavaScript."""
    return await _shown(parts, request, form, Place.ALONE, done=done, file=file)


@router.get("/f/{form}/embed", operation_id="formInside", response_class=HTMLResponse, responses=PAGES)
async def show_inside(form: str, request: Request, parts: PartsDep, *, done: Done = "", file: File = "") -> Response:
    """The same for a frame in another site; only those the form names may show it."""
    return await _shown(parts, request, form, Place.INSIDE, done=done, file=file)


@router.post(
    "/f/{form}",
    operation_id="submitForm",
    status_code=303,
    response_class=RedirectResponse,
    responses=SENT,
    openapi_extra=BODY,
)
async def submit_form(form: str, request: Request, parts: PartsDep) -> Response:
    """Take a filled-in form: who they are, what they agreed to and `Form Submitted`, all of it or nothing.

    From a program with a key of scope write, no time between opening and sending is asked, and no limit counts.
    """
    return await _sent(parts, request, form, Place.ALONE)


@router.post(
    "/f/{form}/embed",
    operation_id="submitFormInside",
    status_code=303,
    response_class=RedirectResponse,
    responses=SENT,
    openapi_extra=BODY,
)
async def submit_inside(form: str, request: Request, parts: PartsDep) -> Response:
    """The same from a frame in another site."""
    return await _sent(parts, request, form, Place.INSIDE)


async def _shown(parts: Parts, request: Request, name: str, place: Place, *, done: str, file: str) -> Response:
    form = parts.forms.get(name)
    if form is None:
        return not_found("There is no such form.")
    if done:
        tokens, now = Tokens(parts.settings.signing_secret), parts.clock.wall()
        may = form.file is not None and tokens.read_file(name, file, now=now, lasts=form.file.lasts) is not None
        link = f"{'file' if place is Place.INSIDE else f'{name}/file'}/{file}" if may else None
        return thanks_page(form, place, agreed=done != WITHOUT_CONSENT, file=link)
    given = from_query(request)
    visitor = await visitor_of(parts, Tokens(parts.settings.signing_secret), given)
    return form_page(view(parts, form, given, visitor), place)


async def _sent(parts: Parts, request: Request, name: str, place: Place) -> Response:
    form = parts.forms.get(name)
    if form is None:
        return not_found("There is no such form.")

    def again(shown: View, status: int, headers: dict[str, str]) -> Response:
        return form_page(shown, place, status=status, headers=headers)

    here = "embed" if place is Place.INSIDE else name
    return await submit(parts, request, form, await from_body(request), again, place=place, thanks=here)


async def submit(
    parts: Parts,
    request: Request,
    form: Form,
    given: Given,
    again: Show,
    *,
    place: Place,
    thanks: str,
    more: Mapping[str, str] | None = None,
) -> Response:
    """Take a filled-in form, or show it again with what is wrong.

    Args:
        parts: Of the application.
        request: It came with.
        form: Which it is.
        given: What was sent.
        again: Shows it.
        place: Where it was filled in.
        thanks: Address of the page with the thanks, from here.
        more: Hidden fields of the page it was on.
    """
    program = await _is_program_of_ours(parts, request)
    tokens = Tokens(parts.settings.signing_secret)
    opened = tokens.read_opened(form.name, given.last("nonce"), now=parts.clock.wall())
    visitor = await visitor_of(parts, tokens, given)
    asked = opened.asked if opened is not None else None
    filled = read(form, given.fields, asked)

    def refused(status: int, notice: str = "", headers: dict[str, str] | None = None) -> Response:
        shown = view(parts, form, given, visitor, asked=asked, errors=filled.errors, notice=notice, more=more)
        return again(shown, status, headers or {})

    if filled.errors:
        return refused(422)
    if given.last(TRAP):
        return _thanked(form, place, thanks, filled, None)
    if not program:
        if _too_quick(parts, opened):
            return refused(422, form.says.once_more)
        if (wait := parts.form_posts.take(parts.limits.address(request.scope))) is not None:
            return refused(429, form.says.slow_down, {"Retry-After": str(ceil(wait))})
    # An address a visitor types in is not proved theirs: it takes nothing from whom it leads to, their devices neither.
    items = batch(
        form,
        given,
        filled,
        at=parts.clock.now(),
        contact_id=visitor.contact_id,
        topics=parts.topics,
        proof=proof_of(parts, request),
        trusted=program,
    )
    try:
        contact_id = await _kept(parts, given, filled, items)
    except Unavailable:
        return refused(503, form.says.try_again, {"Retry-After": "10"})
    except UnknownContact:
        visitor, asked = Visitor(), None  # erased meanwhile: they are asked like everybody
        return refused(422, form.says.once_more)
    leave = tokens.file(form.name, contact_id, at=parts.clock.wall()) if form.file is not None else None
    return _thanked(form, place, thanks, filled, leave)


async def _kept(parts: Parts, given: Given, filled: Filled, items: list[Incoming]) -> UUID:
    stored: list[Recorded] = await record(parts, items)
    if filled.agreed and (anonymous_id := given.along.get("anonymous_id")):
        with suppress(Unavailable):  # then it is asked once more
            await remember(parts.database, anonymous_id, filled.answers)
    return stored[-1].contact_id


def _thanked(form: Form, place: Place, thanks: str, filled: Filled, leave: str | None) -> Response:
    if form.redirect is not None and place is not Place.INSIDE:
        return RedirectResponse(form.redirect, 303)
    done = AGREED if filled.agreed or not form.consents else WITHOUT_CONSENT
    return RedirectResponse(f"{thanks}?done={done}{f'&file={leave}' if leave else ''}", 303)


async def _is_program_of_ours(parts: Parts, request: Request) -> bool:
    if "authorization" not in request.headers:
        return False
    require(await key_of(parts, request.scope, request.headers), Action.WRITE, "sending a form")
    return True


def _too_quick(parts: Parts, opened: Opened | None) -> bool:
    least = parts.settings.least_fill_time
    if least <= timedelta(0):
        return False
    return opened is None or parts.clock.wall() - opened.at < least
