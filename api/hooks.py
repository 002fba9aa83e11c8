"""Webhooks that come in: `POST /v1/hooks/{source}`. The signature is the proof, so no key is asked for.

Whatever is well signed and cannot be used is answered with 200 and counted: who gets refusals stops sending. What we
cannot keep now, because the database is away or a mapping is broken, is answered so that it is sent again.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field, JsonValue

from api.consenting import REQUESTED, noted
from api.deps import PartsDep
from api.errors import ApiProblem, responses
from api.parts import Parts
from api.recording import record
from api.values import address, locale, zone
from models.hooks import has_decided_since, keys_of, last_of
from models.incoming import ConsentGiven, Incoming
from models.record import Recorded
from tabiji.domain.hooks import IDENTIFIED, LONGEST_ID, Agreed, Call, HookEvent, Source, Who, kept
from tabiji.errors import InvalidEvent

log = structlog.stdlib.get_logger(__name__)

router = APIRouter(prefix="/v1/hooks", tags=["webhooks"])

HALF = timedelta(microseconds=500)
"""Of the millisecond that times are kept to."""
MOST_EVENTS = 100
"""One request stands for."""
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "examples": {
                    "order": {
                        "summary": "As the other system writes it",
                        "value": {"id": 17, "email": "hanako@example.com", "total_price": "4900", "currency": "JPY"},
                    }
                },
            }
        },
    }
}


class Received(BaseModel):
    """What became of a request."""

    recorded: int = Field(default=0, description="events that are new")
    repeated: int = Field(default=0, description="events that were there already")
    ignored: str | None = Field(default=None, description="why nothing of it was kept")


@router.post(
    "/{source}", operation_id="receiveHook", responses=responses(401, 404, 408, 413, 429, 500, 503), openapi_extra=_BODY
)
async def receive(source: Annotated[str, Path(examples=["shopify"])], request: Request, parts: PartsDep) -> Received:
    """Take what another system tells, as `hooks/` maps it to events.

    What is sent again changes nothing. A topic that nobody maps is answered, counted and left alone.
    """
    found = parts.sources.get(source)
    if found is None:
        raise ApiProblem(404, "not_found", "no such source; they are declared in hooks/")
    raw, headers = await request.body(), dict(request.headers)
    if not _is_signed(parts, found, headers, raw):
        await _refuse(parts, found, request, "the signature does not fit, is too old, or there is no secret")
    payload = _read(raw)
    if payload is None:
        return _leave(parts, found, "unreadable", "the body is no JSON object")
    call = found.call(headers, payload, raw)
    if not _is_welcome(parts, found, call):
        await _refuse(parts, found, request, "the sender is not named in TABIJI_HOOK_SENDERS")
    events = _events(parts, found, call)
    if events is None:
        return _leave(parts, found, "unmapped", "nobody maps this topic")
    batch = await _batch(parts, found, call, events)
    if not batch:
        return _leave(parts, found, "nobody", "it names nobody")
    recorded = await _record(parts, batch)
    repeated = sum(one.duplicate for one in recorded)
    _count(parts, found, "repeated" if repeated == len(recorded) else "recorded")
    return Received(recorded=len(recorded) - repeated, repeated=repeated)


def _is_signed(parts: Parts, source: Source, headers: Mapping[str, str], raw: bytes) -> bool:
    now = parts.clock.wall()
    secrets = [secret.get_secret_value() for secret in parts.settings.hook_secrets.get(source.name, ())]
    return any(secret and source.signed.proves(headers, raw, secret=secret, now=now) for secret in secrets)


def _is_welcome(parts: Parts, source: Source, call: Call) -> bool:
    senders = parts.settings.hook_senders.get(source.name)
    return senders is None or source.sender(call).lower() in {sender.lower() for sender in senders}


async def _refuse(parts: Parts, source: Source, request: Request, why: str) -> None:
    """Say nothing of why: only we are to know. Whoever goes on trying is slowed down."""
    _count(parts, source, "refused")
    log.warning("hook.refused", source=source.name, problem=why)
    await parts.limits.admit_page(parts.limits.address(request.scope))
    raise ApiProblem(401, "unauthorized", "this is not signed as it must be")


def _leave(parts: Parts, source: Source, outcome: str, why: str) -> Received:
    _count(parts, source, outcome)
    return Received(ignored=why)


def _count(parts: Parts, source: Source, outcome: str) -> None:
    parts.metrics.hooks.labels(source.name, outcome).inc()


def _read(raw: bytes) -> dict[str, JsonValue] | None:
    try:
        document = kept(json.loads(raw.decode("utf-8")))
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _events(parts: Parts, source: Source, call: Call) -> list[HookEvent] | None:
    try:
        return source.events(call)
    except Exception as error:
        _count(parts, source, "failed")
        log.exception("hook.failed", source=source.name, topic=call.topic, problem=type(error).__name__)
        words = f"the mapping of {source.name!r} cannot read this; our log says where. Send it again later."
        raise ApiProblem(500, "mapping_failed", words) from None


async def _batch(parts: Parts, source: Source, call: Call, events: Sequence[HookEvent]) -> list[Incoming]:
    batch: list[Incoming] = []
    for place, event in enumerate(events[:MOST_EVENTS]):
        cleaned = replace(event, who=_clean(event.who))
        if cleaned.who.is_anybody:
            item = _incoming(parts, source, call, cleaned, place)
            batch += [one async for one in _items(parts, item, cleaned)]
    return batch


async def _items(parts: Parts, item: Incoming, event: HookEvent) -> AsyncIterator[Incoming]:
    """An event, without a decision that a later one has overtaken, and with what has turned by it."""
    keys = keys_of(item)
    if item.consent is not None:
        async with parts.database.read() as tx:
            if await has_decided_since(tx, keys, item.consent.topic, item.at):
                return
    yield item
    if event.turned is not None:
        async with parts.database.read() as tx:
            before = await last_of(tx, keys, event.name)
        if before is not None and event.turned.was(before):
            yield replace(item, name=event.turned.name, message_id=f"{item.message_id}/turned"[:LONGEST_ID])


def _incoming(parts: Parts, source: Source, call: Call, event: HookEvent, place: int) -> Incoming:
    who = event.who
    consent = _decision(parts, who.agreed) if who.agreed is not None else None
    context: dict[str, JsonValue] = {"source": source.name, "topic": call.topic[:200]}
    if sender := source.sender(call):
        context["sender"] = sender[:200]
    return Incoming(
        kind="identify" if event.name == IDENTIFIED else "webhook",
        name=REQUESTED if consent is not None and not consent.confirmed else event.name[:200],
        message_id=source.message_id(call, event, place),
        at=_journey_time(parts, event.at),
        properties=event.properties,
        context=context,
        user_id=who.user_id,
        email=who.email,
        anonymous_id=who.anonymous_id,
        traits=dict(_traits(who.traits)),
        consent=consent,
    )


def _decision(parts: Parts, agreed: Agreed) -> ConsentGiven:
    said = ConsentGiven(agreed.topic[:64], agreed.given, agreed.source[:200], agreed.wording)
    return noted(parts.topics, said, certain=agreed.confirmed)


def _journey_time(parts: Parts, at: datetime | None) -> datetime:
    """Never in the future, and as long ago as it is by the wall's clock."""
    now = parts.clock.now()
    ago = parts.clock.wall() - at if at is not None else timedelta(0)
    if ago <= timedelta(0):
        return now
    # The two clocks are not read at the same moment: what is left of it goes.
    then = now - ago + HALF
    return then.replace(microsecond=then.microsecond // 1000 * 1000)


def _clean(who: Who) -> Who:
    def id(value: str | None) -> str | None:
        return value if value and len(value) <= LONGEST_ID else None

    try:
        email = address(who.email) if who.email else None
    except ValueError:
        email = None
    return replace(who, user_id=id(who.user_id), anonymous_id=id(who.anonymous_id), email=email)


def _traits(traits: Mapping[str, JsonValue]) -> Iterator[tuple[str, JsonValue]]:
    """Without a zone or a language that is none: a shop cannot mend it, and the rest is good."""
    checks = {"timezone": zone, "locale": locale}
    for name, value in traits.items():
        check = checks.get(name)
        try:
            yield name, check(value) if check is not None and isinstance(value, str) else value
        except ValueError:
            continue


async def _record(parts: Parts, batch: Sequence[Incoming]) -> list[Recorded]:
    try:
        return await record(parts, batch)
    except InvalidEvent as problem:
        # Somebody has all the attributes one may have. What happened counts all the same.
        log.warning("hook.without_traits", problem=problem.problem)
        return await record(parts, [replace(item, traits={}) for item in batch])
