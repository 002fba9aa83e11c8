"""Turns calls into what is recorded."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from api.ingest.calls import KINDS, Call, Fields
from api.ingest.checks import WHO, Problems, check_fields, inner, instant, place, profile, tempo
from api.ingest.decisions import DECISIONS, decision
from models.incoming import NOBODY, GroupSaid, Incoming
from tabiji.domain.events import UTM
from tabiji.domain.topics import Topics

LONGEST_MESSAGE_ID = 256
_NOW = timedelta(0)
_OURS = frozenset({"ip", "traits", "tabiji", "timezone", "locale"})
"""Of a context, what is not kept as it came. A device's address is not kept at all."""
_PAGE = ("path", "url", "title", "referrer", "search")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What all calls of a request have in common.

    Attributes:
        now: Journey time.
        wall: The machine's.
        public: They came with a key that stands in pages: anybody may have sent them.
        trusts: Whether a user hash proves that the caller speaks for a user; asked for what is public.
        historical: They are an import: stored, and nobody is started or woken.
        context: Of the batch.
        sent_at: Of the batch, not read yet.
        topics: Those that are declared.
    """

    now: datetime
    wall: datetime
    public: bool
    trusts: Callable[[str | None, object], bool]
    historical: bool = False
    context: Fields | None = None
    sent_at: str | None = None
    topics: Topics = field(default_factory=Topics)


def incoming(kind: str, call: Call, arrival: Arrival, problems: Problems) -> Incoming | None:
    """A call as it is recorded; None where something is wrong with it, which `problems` then has."""
    check_fields(kind, call, problems)
    context = call.context or {}
    if arrival.context:
        context = {**arrival.context, **context}
    ours = inner(problems, context, "tabiji")
    traits = _traits(kind, call, context, problems)
    at = _happened_at(call, arrival, problems)
    speed = tempo(problems, ours)
    kept = _kept(context, problems)
    email = traits.pop("email", None)
    if not (call.userId or call.anonymousId or email) and not problems.found:
        problems.add("userId", WHO)
    if problems.found:
        return None
    properties = _properties(kind, call, context, problems)
    name, consent = KINDS[kind].event or call.event or "", None
    if name in DECISIONS and kind == "track":
        name, consent = decision(name, properties, arrival.topics)
    return Incoming(
        kind=kind,
        name=name,
        message_id=_message_id(call.messageId, public=arrival.public),
        at=at,
        properties=properties,
        context=kept,
        user_id=call.userId,
        anonymous_id=call.anonymousId,
        email=email,
        previous_id=call.previousId if kind == "alias" else None,
        traits=traits,
        group=_group(call) if kind == "group" else None,
        consent=consent,
        enrollment_id=NOBODY if arrival.historical else None,
        tempo=speed,
        trusted=not arrival.public or arrival.trusts(call.userId, ours.get("userHash")),
    )


def _traits(kind: str, call: Call, context: Fields, problems: Problems) -> Fields:
    """What is said of the person, the call's own word first."""
    said = place(problems, context)
    if (more := inner(problems, context, "traits")) != {}:
        said |= profile(problems, more, "context.traits")
    if call.traits and kind == "identify":
        said |= profile(problems, call.traits, "traits")
    return said


def _happened_at(call: Call, arrival: Arrival, problems: Problems) -> datetime:
    """Journey time. Clients' clocks are wrong, but by the same amount when it happened and when it was sent."""
    if call.timestamp is None:
        if arrival.historical:
            problems.add("timestamp", "is missing; history says when it happened")
        return arrival.now
    happened = instant(problems, "timestamp", call.timestamp)
    sent = instant(problems, "sentAt", call.sentAt or arrival.sent_at) or arrival.wall
    return arrival.now - max(sent - happened, _NOW) if happened is not None else arrival.now


def _properties(kind: str, call: Call, context: Fields, problems: Problems) -> Fields:
    if kind == "group":
        return {"group_id": call.groupId, **_present(call.traits)}
    if kind == "alias":
        return {"previous_id": call.previousId}
    properties = _present(call.properties)
    if kind in ("page", "screen"):
        properties |= _present({"name": call.name, "category": call.category})
        if kind == "page":
            page = inner(problems, context, "page")
            properties = {name: page[name] for name in _PAGE if page.get(name) is not None} | properties
    if "campaign" in context:
        campaign = inner(problems, context, "campaign")
        said = {name: campaign.get(short) for name, short in UTM.items()}
        properties = _present(said) | properties
    return properties


def _group(call: Call) -> GroupSaid:
    return GroupSaid(call.groupId or "", _present(call.traits))


def _kept(context: Fields, problems: Problems) -> dict[str, Any]:
    """Of the context, what says something about the event."""
    for name in ("campaign", "page"):
        inner(problems, context, name)
    kept = {name: value for name, value in context.items() if name not in _OURS and value is not None}
    for name in ("timezone", "locale"):
        if (value := context.get(name)) is not None:
            kept[name] = value
    return kept


def _present(fields: Fields | None) -> Fields:
    """Segment's clients send null for what is not there."""
    return {name: value for name, value in fields.items() if value is not None} if fields else {}


def _message_id(given: str | None, *, public: bool) -> str:
    """What makes it count once.

    Ids of public keys have a space of their own: whoever reads a page could otherwise send the id of an order first,
    and the shop's own word of it would be taken for a copy. It is one space for all other keys, because a key that is
    rotated between a request and its repetition must not make two events of one.
    """
    if given is None:
        return str(uuid.uuid4())
    if not public:
        return given
    own = f"web:{given}"
    return own if len(own) <= LONGEST_MESSAGE_ID else f"web:{sha256(given.encode()).hexdigest()}"
