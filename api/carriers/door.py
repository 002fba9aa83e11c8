"""`POST /v1/carriers/{name}`: what a mail provider tells of our mails. Its signature is the proof.

The answer is 200 once all of it is stored; with anything else the provider brings it again, which changes nothing.
What we do not know is answered, counted and left alone: who gets refusals stops sending.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field, JsonValue

from api.carriers import ses
from api.carriers.mailgun import Mailgun
from api.carriers.mailjet import Mailjet
from api.carriers.postmark import Postmark
from api.carriers.said import Provider, Said, obj
from api.carriers.sendgrid import SendGrid
from api.deps import PartsDep
from api.errors import ApiProblem, responses
from api.parts import Parts
from api.touches import Told, touched
from models.reads.messages import find_message
from models.returns import Returns, Rules
from models.touches import note_delivered
from tabiji.channels.email.tracking import is_web_address
from tabiji.domain.machines import Judgement, Verdict, What
from tabiji.domain.machines import Request as Seen

log = structlog.stdlib.get_logger(__name__)

router = APIRouter(prefix="/v1/carriers", tags=["webhooks"])

SIGNING: tuple[Provider, ...] = (SendGrid(), Mailgun(), Postmark(), Mailjet())
PROVIDERS = {one.name: one for one in SIGNING}
NAMES = (*PROVIDERS, ses.NAME)
MOST_EVENTS = 10_000
AT_ONCE = 16
"""Events of one request that are stored side by side."""
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {},
                "examples": {"events": {"summary": "As the provider writes it", "value": [{"event": "processed"}]}},
            }
        },
    }
}


class Taken(BaseModel):
    """What became of a request."""

    stored: int = Field(default=0, description="events that were taken, new or again")
    unknown: int = Field(default=0, description="events about mails and addresses that are none of ours")
    ignored: str | None = Field(default=None, description="why nothing of it was kept")


@router.post(
    "/{name}", operation_id="receiveFromCarrier", responses=responses(401, 404, 408, 413, 429, 503), openapi_extra=_BODY
)
async def receive(name: Annotated[str, Path(examples=["sendgrid"])], request: Request, parts: PartsDep) -> Taken:
    """Take bounces, complaints, withdrawals, opens and clicks that a mail provider tells of."""
    if name not in NAMES:
        raise ApiProblem(404, "not_found", f"no such provider; there are {', '.join(NAMES)}")
    secrets = [one.get_secret_value() for one in parts.settings.carrier_secrets.get(name, ())]
    raw = await request.body()
    if name == ses.NAME:
        return await _from_sns(parts, request, _read(raw), secrets)
    provider = PROVIDERS[name]
    if not provider.proves(dict(request.headers), raw, secrets=secrets, now=parts.clock.wall()):
        await _refuse(parts, name, request)
    payload = _read(raw)
    return await _take(parts, name, () if payload is None else provider.read(payload))


async def _from_sns(parts: Parts, request: Request, payload: JsonValue, arns: Sequence[str]) -> Taken:
    message = obj(payload)
    if not await parts.sns.proves(message, frozenset(arns), now=parts.clock.wall()):
        await _refuse(parts, ses.NAME, request)
    match message.get("Type"):
        case "SubscriptionConfirmation":
            confirmed = await parts.sns.confirm(message)
            log.info("carrier.subscribed", confirmed=confirmed)
            return Taken(ignored="the subscription is confirmed" if confirmed else "its address is none of Amazon's")
        case "Notification":
            return await _take(parts, ses.NAME, ses.read(message))
        case _:
            return Taken(ignored="this is nothing to keep")


async def _refuse(parts: Parts, name: str, request: Request) -> None:
    """Say nothing of why: only we are to know. Whoever goes on trying is slowed down."""
    parts.metrics.hooks.labels(name, "refused").inc()
    log.warning("carrier.refused", carrier=name, problem="not signed as it must be, too old, or there is no secret")
    await parts.limits.admit_page(parts.limits.address(request.scope))
    raise ApiProblem(401, "unauthorized", "this is not signed as it must be")


async def _take(parts: Parts, name: str, events: Iterable[Said]) -> Taken:
    said = [one for one, _ in zip(events, range(MOST_EVENTS), strict=False)]
    if not said:
        parts.metrics.hooks.labels(name, "ignored").inc()
        return Taken(ignored="it says nothing we keep")
    seats = asyncio.Semaphore(AT_ONCE)

    async def one(event: Said) -> bool:
        async with seats:
            return await _note(parts, name, event)

    noted = await asyncio.gather(*map(one, said), return_exceptions=True)
    for problem in noted:
        if isinstance(problem, BaseException):
            raise problem  # what is stored stays so, and all of it comes again
    stored = sum(known is True for known in noted)
    parts.metrics.hooks.labels(name, "recorded").inc()
    return Taken(stored=stored, unknown=len(said) - stored)


async def _note(parts: Parts, name: str, said: Said) -> bool:
    """Returns whether it is about a mail, or an address, of ours."""
    at, about = _journey_time(parts, said.at), await _about(parts, said)
    returns = Returns(parts.database, parts.recorder, Rules.of(parts.settings, parts.topics))
    match said.what:
        case "bounce" if about is not None:
            await returns.bounced(
                about, said.kind, permanent=said.permanent, evidence=said.evidence, source=name, at=at
            )
        case "complaint" if about is not None:
            await returns.complained(about, source=name, at=at)
        case "unsubscribe" if about is not None and "@" not in about:
            return await returns.left(about, key=f"{name}/{said.key or about}", source=name, at=at)
        case "delivered" if about is not None and "@" not in about:
            await parts.database.transact(lambda tx: note_delivered(tx, about, at))
        case "open" | "click" if about is not None and "@" not in about:
            return await _touch(parts, name, said, about, at)
        case _:
            return False
    return True


async def _about(parts: Parts, said: Said) -> str | None:
    """Our name of the message where it is one of ours; else the address, which says enough of some things."""
    if said.message is not None:
        async with parts.database.read() as tx:
            if await find_message(tx, said.message) is not None:
                return said.message
    return said.address if said.address and "@" in said.address else None


async def _touch(parts: Parts, name: str, said: Said, message: str, at: datetime) -> bool:
    what: What = "click" if said.what == "click" else "open"
    if what == "click" and (said.url is None or not is_web_address(said.url)):
        return False
    sure = Judgement(Verdict.MACHINE, f"told by {name}") if said.machine else None
    if sure is None and not said.agent:
        sure = Judgement(Verdict.PERSON)
    # A provider tells of no headers: that some are missing says nothing.
    seen = Seen({"user-agent": said.agent, "accept-language": "-"}, said.ip)
    url = said.url if what == "click" else None
    key = f"{name}/{said.key}"[:120] if said.key else None
    told = Told(message, what, url, source=name, at=at, sure=sure, key=key)
    return await touched(parts, told, seen) is not None


def _journey_time(parts: Parts, at: datetime | None) -> datetime:
    """Never in the future, and as long ago as it is by the wall's clock."""
    ago = parts.clock.wall() - at if at is not None else timedelta(0)
    return parts.clock.now() - max(ago, timedelta(0))


def _read(raw: bytes) -> JsonValue:
    try:
        payload: JsonValue = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return payload
