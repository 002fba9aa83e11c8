"""Where the links of confirmation mails lead: an address confirms what was asked for in its name (double opt-in).

A GET asks, and changes nothing: programs follow links in mails. A link confirms a request that waits, and nothing
else: once it is answered, with yes or no, the link is used.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from enum import Enum, auto
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from api.consenting import GIVEN, REQUESTED, Proof, noted, proof_of, told
from api.deps import PartsDep
from api.pages import page
from api.parts import Parts
from api.recording import record
from api.unsubscribe import PAGES, broken, later, note, title_of, words_of
from models.consents import decisions_in_force
from models.database import AnyRow
from models.incoming import ConsentGiven, Incoming
from models.reads.consents import requested
from models.reads.contacts import ContactShown, show_contact
from tabiji.channels.email.consent_links import CONFIRMATION_LASTS, Deciding
from tabiji.domain.consent_words import ConsentWords
from tabiji.errors import Unavailable, UnknownContact

router = APIRouter(tags=["links in mails"])


class _State(Enum):
    WAITS = auto()
    CONFIRMED = auto()
    USED = auto()
    EXPIRED = auto()


class _Asked(NamedTuple):
    """What a link is about now. `request` is the row of what was asked for."""

    state: _State
    link: Deciding
    contact: ContactShown | None = None
    request: AnyRow | None = None


@router.get("/confirm/{token}", operation_id="confirmPage", response_class=HTMLResponse, responses=PAGES)
async def confirm_page(token: str, request: Request, parts: PartsDep) -> HTMLResponse:
    """Ask whether they want what was asked for. Nothing changes."""
    link = parts.links.read_confirm(token)
    if link is None:
        return broken(request)
    try:
        asked = await _asked(parts, link)
    except Unavailable:
        return later(request)
    if asked.state is not _State.WAITS:
        return _over(parts, request, asked, token)
    words = _words(request, asked)
    topic = parts.topics.get(link.topic)
    return page(
        "confirm.html",
        title=words.confirm,
        lang=words.lang,
        words=words,
        topic=title_of(parts, link.topic, words),
        purpose=topic.purpose_in(words.lang) if topic is not None else "",
    )


@router.post("/confirm/{token}", operation_id="confirm", response_class=HTMLResponse, responses=PAGES)
async def confirm(token: str, request: Request, parts: PartsDep) -> HTMLResponse:
    """Record `Consent Given`: from now on mails on this topic may go to them, and journeys start."""
    link = parts.links.read_confirm(token)
    if link is None:
        return broken(request)
    try:
        asked = await _asked(parts, link)
        if asked.state is not _State.WAITS or asked.contact is None or asked.request is None:
            return _over(parts, request, asked, token)
        words = _words(request, asked)
        await record(parts, [_given(parts, asked.contact, asked.request, proof_of(parts, request), words.lang)])
    except UnknownContact:
        return broken(request)
    except Unavailable:
        return later(request)
    said = words.confirmed_words.format(topic=title_of(parts, link.topic, words))
    return note(words, words.confirmed, said, onward=_choices(parts, asked, words))


@router.post("/confirm/{token}/again", operation_id="confirmAgain", response_class=HTMLResponse, responses=PAGES)
async def again(token: str, request: Request, parts: PartsDep) -> HTMLResponse:
    """Ask for a new link, to the address we have. The answer is the same whether or not there is one."""
    link = parts.links.read_confirm(token)
    if link is None:
        return broken(request)
    words = words_of(request, None)
    if parts.form_posts.take(parts.limits.address(request.scope)) is not None:
        return note(words, words.try_again, words.slow_down, status=429, headers={"Retry-After": "60"})
    try:
        asked = await _asked(parts, link)
        if asked.state is _State.EXPIRED and asked.contact is not None and asked.request is not None:
            await record(parts, [_once_more(parts, asked.contact, asked.request, proof_of(parts, request))])
    except UnknownContact:
        pass  # erased: it is not said
    except Unavailable:
        return later(request)
    return note(words, words.on_its_way, words.on_its_way_words)


async def _asked(parts: Parts, link: Deciding) -> _Asked:
    async with parts.database.read() as tx:
        contact = await show_contact(tx, link.contact_id)
        if contact is None or not parts.links.was_sent_to(link, contact.email):
            return _Asked(_State.EXPIRED, link)
        decided = await decisions_in_force(tx, [contact.id], [link.topic])
        row = await requested(tx, contact.id, link.topic)
    agreed = decided[contact.id].of(link.topic) if contact.id in decided else None
    if agreed is None or row is None or not agreed.given:
        return _Asked(_State.USED, link, contact)
    if agreed.confirmed:
        return _Asked(_State.CONFIRMED, link, contact)
    fresh = parts.clock.wall() - link.at <= CONFIRMATION_LASTS
    return _Asked(_State.WAITS if fresh else _State.EXPIRED, link, contact, row)


def _over(parts: Parts, request: Request, asked: _Asked, token: str) -> HTMLResponse:
    words = _words(request, asked)
    topic = title_of(parts, asked.link.topic, words)
    onward = _choices(parts, asked, words)
    match asked.state:
        case _State.CONFIRMED:
            return note(words, words.already, words.already_words.format(topic=topic), onward=onward)
        case _State.USED:
            return note(words, words.used, words.used_words.format(topic=topic), onward=onward)
        case _:
            return page("expired.html", title=words.expired, lang=words.lang, words=words, action=f"{token}/again")


def _words(request: Request, asked: _Asked) -> ConsentWords:
    return words_of(request, asked.contact.locale if asked.contact is not None else None)


def _choices(parts: Parts, asked: _Asked, words: ConsentWords) -> tuple[str, str] | None:
    if asked.contact is None or asked.contact.email is None:
        return None
    return parts.links.preferences(asked.contact.id, asked.contact.email, at=asked.link.at), words.back


def _given(parts: Parts, contact: ContactShown, asked: AnyRow, proof: Proof, lang: str) -> Incoming:
    consent = ConsentGiven(
        topic=asked.topic,
        source=f"confirmation-link, {asked.source}"[:200],
        wording=asked.wording,
        version=asked.version,
        network=proof.network,
        user_agent=proof.user_agent,
        address=contact.email,
    )
    return Incoming(
        kind="mail",
        name=GIVEN,
        message_id=f"confirmed/{asked.id}",  # pressed twice, it counts once
        at=parts.clock.now(),
        properties={"topic": asked.topic, "source": asked.source, "confirmed": True},
        contact_id=contact.id,
        consent=noted(parts.topics, consent, certain=True, lang=lang),
    )


def _once_more(parts: Parts, contact: ContactShown, asked: AnyRow, proof: Proof) -> Incoming:
    consent = ConsentGiven(
        topic=asked.topic,
        source=asked.source,
        wording=asked.wording,
        version=asked.version,
        network=proof.network,
        user_agent=proof.user_agent,
        confirmed=False,
    )
    consent = replace(consent, purpose=asked.purpose, purpose_version=asked.purpose_version)
    return Incoming(
        kind="mail",
        name=REQUESTED,
        message_id=f"requested/{uuid.uuid4()}",
        at=parts.clock.now(),
        properties=told(consent),
        contact_id=contact.id,
        consent=consent,
    )
