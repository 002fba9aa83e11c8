"""Where the unsubscribe links of mails lead. No key: the link's signature is the proof.

A GET changes nothing: programs follow links in mails. A POST needs no cookie, no login and no redirect, so that mail
programs can do it for their reader (RFC 8058).
"""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import parse_qsl

import structlog
from fastapi import APIRouter, Request
from pydantic import JsonValue
from starlette.responses import HTMLResponse

from api.consenting import proof_of, withdrawal
from api.deps import PartsDep
from api.pages import page
from api.parts import Parts
from api.recording import record
from models.incoming import Incoming
from models.reads.leaving import Leaving, has_left, leaving
from tabiji.channels.email.consent_links import Unsubscribing
from tabiji.domain.consent_words import ConsentWords, words_in
from tabiji.domain.topics import EVERYTHING, TRANSACTIONAL
from tabiji.errors import Unavailable, UnknownContact

log = structlog.stdlib.get_logger(__name__)

router = APIRouter(tags=["links in mails"])

MOST_FIELDS = 200
_HTML = {"text/html": {"schema": {"type": "string"}}}
PAGES: dict[int | str, dict[str, Any]] = {
    200: {"description": "A page", "content": _HTML},
    404: {"description": "A page that says so", "content": _HTML},
}
_WHAT = {"type": "string", "description": "`all`: no more mail about any topic; else about this mail's"}
_FIELDS = {"type": "object", "properties": {"what": _WHAT, "List-Unsubscribe": {"type": "string"}}}
_BODY = {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": _FIELDS}}}}


@router.get("/u/{token}", operation_id="unsubscribePage", response_class=HTMLResponse, responses=PAGES)
async def unsubscribe_page(token: str, request: Request, parts: PartsDep) -> HTMLResponse:
    """Ask whether they mean it: these mails, all of them, or a choice. Nothing changes."""
    link = parts.links.read_unsubscribe(token)
    if link is None:
        return broken(request)
    try:
        who = await _leaving(parts, link)
    except Unavailable:
        who = Leaving(())
    words = words_of(request, who.locale)
    return page(
        "unsubscribe.html",
        title=words.leave,
        lang=words.lang,
        words=words,
        topic=title_of(parts, link.topic, words),
        preferences=choices(parts, who),
    )


@router.post(
    "/u/{token}", operation_id="unsubscribe", response_class=HTMLResponse, responses=PAGES, openapi_extra=_BODY
)
async def unsubscribe(token: str, request: Request, parts: PartsDep) -> HTMLResponse:
    """Take back the consent to the mail's topic, or to all: `Unsubscribed`. Also for one click (RFC 8058)."""
    link = parts.links.read_unsubscribe(token)
    if link is None:
        return broken(request)
    topic = EVERYTHING if ("what", "all") in await fields_of(request) else link.topic
    try:
        who = await _leaving(parts, link)
        await _withdraw(parts, request, link, who, topic)
    except Unavailable:
        return later(request)
    words = words_of(request, who.locale)
    said = words.left_all_words
    if topic != EVERYTHING:
        said = words.left_words.format(topic=title_of(parts, topic, words))
    onward = choices(parts, who)
    return note(words, words.left, said, onward=(onward, words.back) if onward else None)


async def fields_of(request: Request) -> list[tuple[str, str]]:
    """What a form has sent. Whatever else a mail program sends is no reason not to let somebody go."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return parse_qsl(body, max_num_fields=MOST_FIELDS)
    except ValueError:
        return []


def words_of(request: Request, locale: str | None) -> ConsentWords:
    """In the person's language, else their browser's."""
    return words_in(locale, request.headers.get("accept-language", ""))


def note(
    words: ConsentWords,
    heading: str,
    said: str,
    *,
    status: int = 200,
    onward: tuple[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> HTMLResponse:
    """A plain page; `onward` is where they may go on, and how that is called."""
    return page(
        "decided.html",
        status=status,
        headers=headers,
        title=heading,
        lang=words.lang,
        heading=heading,
        said=said,
        onward=onward,
    )


def broken(request: Request) -> HTMLResponse:
    """A link that we did not sign."""
    words = words_of(request, None)
    return note(words, words.broken, words.broken_words, status=404)


def later(request: Request) -> HTMLResponse:
    """A moment when nothing can be kept."""
    words = words_of(request, None)
    return note(words, words.try_again, words.try_again_words, status=503, headers={"Retry-After": "10"})


def title_of(parts: Parts, topic: str, words: ConsentWords) -> str:
    """What a topic is called."""
    declared = parts.topics.get(topic)
    return declared.title_in(words.lang) if declared is not None else topic


def choices(parts: Parts, who: Leaving) -> str | None:
    """The page with their choices, good for as long as if it had been in the mail they come from."""
    if not who.contacts or who.address is None or who.sent_at is None:
        return None
    return parts.links.preferences(who.contacts[0], who.address, at=who.sent_at)


async def _leaving(parts: Parts, link: Unsubscribing) -> Leaving:
    async with parts.database.read() as tx:
        return await leaving(tx, link.contact_id, link.message)


async def _withdraw(parts: Parts, request: Request, link: Unsubscribing, who: Leaving, topic: str) -> None:
    if topic == TRANSACTIONAL:
        return
    properties: dict[str, JsonValue] = {"message": link.message, "topic": topic}
    if who.template is not None:
        properties["template"] = who.template
    consent = withdrawal(topic, "unsubscribe-link", who.address, proof_of(parts, request))
    at = parts.clock.now()
    for contact in who.contacts:
        # No key made from the link: who agrees again may use the same link to leave again.
        incoming = Incoming(
            kind="mail",
            name="Unsubscribed",
            message_id=f"unsubscribe/{uuid.uuid4()}",
            at=at,
            properties=properties,
            contact_id=contact,
            consent=consent,
        )
        try:
            await record(parts, [incoming])
        except UnknownContact:
            log.info("unsubscribe.contact_gone")  # erased: there is nobody left to write to
    await parts.database.transact(lambda tx: has_left(tx, link.message, at))
