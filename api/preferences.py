"""The page on which people say what they want to hear about. No login: the link in their mails is the key.

It expires, and is good for the address it was sent to alone. As nothing but the link lets anybody in, no other site
can send this form for them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from api.consenting import GIVEN, Proof, noted, proof_of, told, withdrawal
from api.deps import PartsDep
from api.pages import page
from api.parts import Parts
from api.recording import record
from api.unsubscribe import PAGES, broken, fields_of, later, note, words_of
from models.consents import decisions_in_force
from models.incoming import ConsentGiven, Incoming
from models.reads.contacts import ContactShown, show_contact
from tabiji.channels.email.consent_links import PREFERENCES_LAST, Deciding
from tabiji.domain.consent_words import ConsentWords
from tabiji.domain.consents import InForce
from tabiji.domain.topics import EVERYTHING, Topic
from tabiji.errors import Unavailable, UnknownContact

router = APIRouter(tags=["links in mails"])

SOURCE = "preference-page"
ASKED = "Preferences Requested"
_TOPICS = {"type": "array", "items": {"type": "string"}}
_FIELDS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "shown": _TOPICS | {"description": "topics the page had a box for"},
        "topic": _TOPICS | {"description": "of those, the ones that are ticked"},
        "stop": {"type": "string", "description": "`all`: no more mail about any topic"},
    },
}
_BODY = {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": _FIELDS}}}}


class _Person(NamedTuple):
    contact: ContactShown
    decided: InForce


class _Box(NamedTuple):
    """One topic on the page."""

    name: str
    title: str
    purpose: str
    ticked: bool
    waits: bool


@router.get("/preferences/{token}", operation_id="preferencesPage", response_class=HTMLResponse, responses=PAGES)
async def preferences_page(token: str, request: Request, parts: PartsDep) -> HTMLResponse:
    """All they may hear about, with what they have agreed to."""
    link = parts.links.read_preferences(token)
    if link is None:
        return broken(request)
    try:
        person = await _person(parts, link)
    except Unavailable:
        return later(request)
    return _shown(parts, request, person, token, "") if person is not None else _expired(request, token)


@router.post(
    "/preferences/{token}",
    operation_id="savePreferences",
    response_class=HTMLResponse,
    responses=PAGES,
    openapi_extra=_BODY,
)
async def save(token: str, request: Request, parts: PartsDep) -> HTMLResponse:
    """Take what they have ticked and what not: each change is a decision with its proof."""
    link = parts.links.read_preferences(token)
    if link is None:
        return broken(request)
    sent = await fields_of(request)
    try:
        person = await _person(parts, link)
        if person is None:
            return _expired(request, token)
        words = words_of(request, person.contact.locale)
        saving = _Saving(parts, person, proof_of(parts, request), parts.clock.now(), words)
        changes = list(saving.changes(sent))
        if changes:
            await record(parts, changes)
        person = await _person(parts, link) or person
    except UnknownContact:
        return broken(request)
    except Unavailable:
        return later(request)
    stopped = any(one.consent is not None and one.consent.topic == EVERYTHING for one in changes)
    said = words.stopped_all if stopped else words.saved if changes else words.nothing_new
    return _shown(parts, request, person, token, said)


@router.post("/preferences/{token}/link", operation_id="preferencesLink", response_class=HTMLResponse, responses=PAGES)
async def new_link(token: str, request: Request, parts: PartsDep) -> HTMLResponse:
    """Have a new link sent to the address we have. The answer is the same whether or not there is one."""
    link = parts.links.read_preferences(token)
    if link is None:
        return broken(request)
    words = words_of(request, None)
    if parts.form_posts.take(parts.limits.address(request.scope)) is not None:
        return note(words, words.try_again, words.slow_down, status=429, headers={"Retry-After": "60"})
    asked = Incoming(
        kind="mail",
        name=ASKED,
        message_id=f"preferences/{uuid.uuid4()}",
        at=parts.clock.now(),
        contact_id=link.contact_id,
    )
    try:
        await record(parts, [asked])
    except UnknownContact:
        pass  # erased: it is not said
    except Unavailable:
        return later(request)
    return note(words, words.on_its_way, words.on_its_way_words)


async def _person(parts: Parts, link: Deciding) -> _Person | None:
    """Whose page it is; None where the link says so no more."""
    if parts.clock.wall() - link.at > PREFERENCES_LAST:
        return None
    async with parts.database.read() as tx:
        contact = await show_contact(tx, link.contact_id)
        if contact is None or not parts.links.was_sent_to(link, contact.email):
            return None
        decided = await decisions_in_force(tx, [contact.id])
    return _Person(contact, decided.get(contact.id, InForce()))


def _shown(parts: Parts, request: Request, person: _Person, token: str, said: str) -> HTMLResponse:
    words = words_of(request, person.contact.locale)
    boxes = [_box(parts, topic, person.decided, words) for topic in parts.topics.refusable]
    return page(
        "preferences.html",
        title=words.choose,
        lang=words.lang,
        words=words,
        boxes=boxes,
        said=said,
        address=person.contact.email,
        action=token,
    )


def _box(parts: Parts, topic: Topic, decided: InForce, words: ConsentWords) -> _Box:
    agreed = decided.of(topic.name)
    waits = agreed is not None and agreed.given and not agreed.confirmed
    return _Box(
        topic.name,
        topic.title_in(words.lang),
        topic.purpose_in(words.lang),
        _gets(parts, topic.name, decided),
        waits,
    )


def _gets(parts: Parts, topic: str, decided: InForce) -> bool:
    agreed = decided.of(topic)
    if agreed is None:
        return not parts.topics.needs_a_yes(topic)
    return agreed.given and agreed.confirmed


class _Saving(NamedTuple):
    """One press of the button."""

    parts: Parts
    person: _Person
    proof: Proof
    at: datetime
    words: ConsentWords

    def changes(self, sent: list[tuple[str, str]]) -> Iterator[Incoming]:
        """What is otherwise than it was, of the topics that were on the page: what nobody has seen stays as it is."""
        if ("stop", "all") in sent:
            yield self._left(EVERYTHING)
            return
        for topic in self.parts.topics.refusable:
            if ("shown", topic.name) not in sent:
                continue
            wants, gets = ("topic", topic.name) in sent, _gets(self.parts, topic.name, self.person.decided)
            if wants and not gets:
                yield self._agreed(topic)
            elif gets and not wants:
                yield self._left(topic.name)

    def _agreed(self, topic: Topic) -> Incoming:
        lang = self.words.lang
        consent = ConsentGiven(
            topic=topic.name,
            source=SOURCE,
            wording=f"{topic.title_in(lang)}: {topic.purpose_in(lang)}",
            version=topic.version,
            network=self.proof.network,
            user_agent=self.proof.user_agent,
            address=self.person.contact.email,
        )
        # The link went to the address: who holds it is its owner, so nothing need be confirmed.
        return self._incoming(GIVEN, noted(self.parts.topics, consent, certain=True, lang=lang))

    def _left(self, topic: str) -> Incoming:
        return self._incoming("Unsubscribed", withdrawal(topic, SOURCE, self.person.contact.email, self.proof))

    def _incoming(self, name: str, consent: ConsentGiven) -> Incoming:
        return Incoming(
            kind="mail",
            name=name,
            message_id=f"preferences/{uuid.uuid4()}",
            at=self.at,
            properties=told(consent),
            contact_id=self.person.contact.id,
            consent=consent,
        )


def _expired(request: Request, token: str) -> HTMLResponse:
    words = words_of(request, None)
    return page("expired.html", title=words.expired, lang=words.lang, words=words, action=f"{token}/link")
