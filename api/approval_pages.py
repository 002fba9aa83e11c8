"""The page a question is answered on, behind the link in its mail. No key: the link's signature is the proof.

A GET changes nothing: programs that look into mails follow links.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.responses import HTMLResponse

from api.approval_words import WORDS, Words
from api.bodies import text_problem
from api.deps import PartsDep
from api.forms.given import from_body
from api.pages import not_found, page, unavailable
from api.parts import Parts
from models.approvals import LONGEST_NAME, LONGEST_NOTE, answer, find_approval
from models.database import AnyRow
from models.reads.contacts import ContactShown, show_contact
from tabiji.errors import Unavailable, UnknownApproval

router = APIRouter(tags=["approvals"])

_HTML = {"text/html": {"schema": {"type": "string"}}}
_GONE: dict[int | str, dict[str, Any]] = {404: {"description": "A page that says so", "content": _HTML}}
_FIELDS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "answer": {"type": "string", "enum": ["approve", "decline"]},
        "by": {"type": "string", "examples": ["佐藤"], "maxLength": LONGEST_NAME},
        "note": {"type": "string", "maxLength": LONGEST_NOTE},
    },
    "required": ["answer", "by"],
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": _FIELDS} for kind in ("application/x-www-form-urlencoded", "multipart/form-data")},
    }
}


@router.get(
    "/a/{token}",
    operation_id="approvalPage",
    response_class=HTMLResponse,
    responses={200: {"description": "The question, or its answer", "content": _HTML}, **_GONE},
)
async def show(token: str, request: Request, parts: PartsDep) -> HTMLResponse:
    """Show a question with two buttons, or the answer it has got. Works without JavaScript."""
    words = _words(request)
    found = await _found(token, parts)
    return _gone(words) if found is None else _page(parts, words, *found)


@router.post(
    "/a/{token}",
    operation_id="answerOnPage",
    status_code=303,
    response_class=RedirectResponse,
    responses={
        303: {"description": "Answered; on to the page that says so"},
        409: {"description": "Somebody was first, or the time is up: a page that says who", "content": _HTML},
        422: {"description": "The question, with what is missing. Nothing was stored.", "content": _HTML},
        **_GONE,
    },
    openapi_extra=_BODY,
)
async def answered(token: str, request: Request, parts: PartsDep) -> Response:
    """Take an answer. The first one counts."""
    words = _words(request)
    found = await _found(token, parts)
    if found is None:
        return _gone(words)
    sent = await from_body(request)
    given = {name: sent.last(name) for name in sent.fields}
    errors = _errors(words, given)
    if errors and found[0].state == "open":
        return _page(parts, words, *found, given=given, errors=errors, status=422)
    try:
        result = await answer(
            parts.database,
            parts.recorder,
            found[0].id,
            approved=given.get("answer") == "approve",
            by=given.get("by", "").strip(),
            note=given.get("note", "").strip() or None,
            wall=parts.clock.wall(),
        )
    except Unavailable:
        return unavailable()
    if not result.counted:
        return _page(parts, words, result.approval, found[1], status=409)
    return RedirectResponse(token, 303)


def _errors(words: Words, given: dict[str, str]) -> dict[str, str]:
    errors: dict[str, str] = {}
    by, note = given.get("by", "").strip(), given.get("note", "").strip()
    if not by or len(by) > LONGEST_NAME or text_problem(by):
        errors["by"] = words.who_are_you
    if len(note) > LONGEST_NOTE or text_problem(note):
        errors["note"] = words.note_too_long
    if given.get("answer") not in ("approve", "decline"):
        errors["approve"] = words.choose
    return errors


async def _found(token: str, parts: Parts) -> tuple[AnyRow, ContactShown] | None:
    approval_id: UUID | None = parts.links.read_approval(token)
    if approval_id is None:
        return None
    async with parts.database.read() as tx:
        try:
            approval = await find_approval(tx, approval_id)
        except UnknownApproval:
            return None
        contact = await show_contact(tx, approval.contact_id)
    return None if contact is None else (approval, contact)


def _page(
    parts: Parts,
    words: Words,
    approval: AnyRow,
    contact: ContactShown,
    *,
    given: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    settings = parts.settings
    named = contact.attributes.get("name") or contact.attributes.get("first_name") or contact.email
    enrollment = quote(approval.enrollment_id, safe="")
    return page(
        "approval.html",
        status=status,
        title=words.title,
        lang=words.lang,
        words=words,
        approval=approval,
        until=approval.until.astimezone(settings.zone),
        answered_at=approval.answered_at and approval.answered_at.astimezone(settings.zone),
        who=str(named or words.somebody),
        link=f"{settings.temporal_ui}/namespaces/{quote(settings.temporal_namespace, safe='')}/workflows/{enrollment}",
        given={name: value for name, value in (given or {}).items() if text_problem(value) is None},
        errors=errors or {},
    )


def _gone(words: Words) -> HTMLResponse:
    return not_found(words.gone, lang=words.lang, title=words.gone_title)


def _words(request: Request) -> Words:
    """In Japanese, unless the browser asks for English first."""
    wanted = request.headers.get("accept-language", "").partition(",")[0].strip().lower()
    return WORDS["en" if wanted.startswith("en") else "ja"]
