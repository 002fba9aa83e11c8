"""The pages of forms, and what becomes of a filled-in one. No key: they are for visitors."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query, Request, Response
from pydantic import JsonValue
from starlette.responses import HTMLResponse, RedirectResponse

from api.bodies import text_problem
from api.deps import PartsDep
from api.errors import ApiProblem
from api.forms import FORMS, Form, check
from api.pages import not_found, page, unavailable
from api.parts import Parts
from api.recording import record
from api.values import zone
from models.incoming import ConsentGiven, Incoming
from tabiji.errors import Unavailable

router = APIRouter(tags=["forms"])

MOST_FIELDS = 100
YES = frozenset({"yes", "on", "true", "1"})
TRAP = "website"
"""A field no person sees. Who fills it in is a program: thanked, and forgotten."""
AGREED, WITHOUT_CONSENT = "1", "2"
"""Which thanks are shown."""
_HTML = {"text/html": {"schema": {"type": "string"}}}
_PAGES: dict[int | str, dict[str, Any]] = {
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
    },
    "required": ["email"],
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": _FIELDS} for kind in ("application/x-www-form-urlencoded", "multipart/form-data")},
    }
}


@router.get("/f/{form}", operation_id="formPage", response_class=HTMLResponse, responses=_PAGES)
async def show(
    form: str,
    anonymous_id: Annotated[str, Query()] = "",
    timezone: Annotated[str, Query()] = "",
    done: Annotated[str, Query(description="shows the thanks; 2: to who did not agree to be mailed")] = "",
) -> HTMLResponse:
    """A form. Works without JavaScript."""
    found = FORMS.get(form)
    if found is None:
        return not_found("There is no such form.")
    if done:
        words = found.thanks_without_consent if done == WITHOUT_CONSENT else found.thanks_words
        return page("note.html", title=found.thanks, heading=found.thanks, words=words, lang=found.lang)
    return _form(found, {"anonymous_id": anonymous_id, "timezone": timezone})


@router.post(
    "/f/{form}",
    operation_id="submitForm",
    status_code=303,
    response_class=RedirectResponse,
    responses={
        303: {"description": "Stored; on to the thanks"},
        404: _PAGES[404],
        422: {"description": "The form, with what is wrong said at each field. Nothing was stored.", "content": _HTML},
    },
    openapi_extra=_BODY,
)
async def submit(form: str, request: Request, parts: PartsDep) -> Response:
    """Take a filled-in form: who they are, what they agreed to and `Form Submitted`, all of it or nothing."""
    found = FORMS.get(form)
    if found is None:
        return not_found("There is no such form.")
    given = await given_fields(request)
    traits, errors = check(found, given)
    if errors:
        return _form(found, given, errors=errors)
    if not given.get(TRAP):
        try:
            await record(parts, _batch(found, given, traits, parts))
        except Unavailable:
            return unavailable()
    return RedirectResponse(f"{found.name}?done={AGREED if _agrees(given) else WITHOUT_CONSENT}", 303)


async def given_fields(request: Request) -> dict[str, str]:
    """The fields as sent; of one that is there twice the last."""
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        # Starlette reads bytes that are not percent-encoded as Latin-1. Browsers encode, curl -d sends UTF-8 as it is.
        body = (await request.body()).decode("utf-8", "replace")
        try:
            return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS))
        except ValueError:
            raise ApiProblem(400, "too_many_fields", f"a form has at most {MOST_FIELDS} fields") from None
    async with request.form(max_files=0, max_fields=MOST_FIELDS, max_part_size=16 * 1024) as sent:
        return {name: value for name, value in sent.items() if isinstance(value, str)}


def _form(form: Form, given: Mapping[str, str], *, errors: Mapping[str, str] | None = None) -> HTMLResponse:
    shown = {name: value for name, value in given.items() if text_problem(value) is None}
    return page(
        "form.html",
        status=422 if errors else 200,
        title=form.title,
        form=form,
        values=shown,
        errors=errors or {},
        hidden={**_along(given), "nonce": _nonce(given) or secrets.token_urlsafe(16)},
        lang=form.lang,
    )


def _batch(form: Form, given: Mapping[str, str], traits: Mapping[str, str], parts: Parts) -> list[Incoming]:
    """One after the other: consent stands before the event that may start a journey."""
    along = _along(given)
    email = traits.get("email")
    known: dict[str, JsonValue] = {name: value for name, value in traits.items() if name != "email"}
    if "timezone" in along:
        known["timezone"] = along["timezone"]
    source = f"form:{form.name}"
    agreed = ConsentGiven(topic=form.topic, given=True, source=source, wording=form.wording)
    key, at = _key(form, given), parts.clock.now()
    # Without an e-mail or a visitor's id they are at least somebody.
    anonymous_id = along.get("anonymous_id") or (None if email else f"form/{key}")
    return [
        Incoming(
            kind="identify",
            name="Identified",
            message_id=f"form/{key}/identify",
            at=at,
            email=email,
            anonymous_id=anonymous_id,
            traits=known,
            consent=agreed if _agrees(given) else None,
        ),
        Incoming(
            kind="form",
            name="Form Submitted",
            message_id=f"form/{key}",
            at=at,
            properties={"form": form.name},
            email=email,
            anonymous_id=anonymous_id,
        ),
    ]


def _agrees(given: Mapping[str, str]) -> bool:
    """Only a plain yes is one: a program that says `consent=no` means no."""
    return given.get("consent", "").strip().lower() in YES


def _along(given: Mapping[str, str]) -> dict[str, str]:
    """What comes along unseen. A visitor cannot mend it, so what is wrong with it is left out."""
    along: dict[str, str] = {}
    anonymous_id = given.get("anonymous_id", "").strip()
    if 0 < len(anonymous_id) <= 256 and text_problem(anonymous_id) is None:
        along["anonymous_id"] = anonymous_id
    with suppress(ValueError):
        along["timezone"] = zone(given.get("timezone", ""))
    return along


def _nonce(given: Mapping[str, str]) -> str | None:
    nonce = given.get("nonce", "")
    return nonce if 0 < len(nonce) <= 64 and nonce.isascii() and nonce.isprintable() else None


def _key(form: Form, given: Mapping[str, str]) -> str:
    """The same page sent twice with the same words, by a double click, counts once."""
    nonce = _nonce(given)
    if nonce is None:
        return uuid.uuid4().hex
    said = json.dumps([form.name, nonce, sorted(given.items())])
    return hashlib.sha256(said.encode()).hexdigest()[:40]
