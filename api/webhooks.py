"""Webhooks that go out: subscriptions, what each is sent, and what never arrived."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.registry import webhook_post
from activities.webhook_delivery import WITHIN, body_of
from api.bodies import StrictRoute
from api.deps import Name, PartsDep, Text
from api.errors import ApiProblem, invalid, responses
from api.keys import By, Guarded
from api.parts import Parts
from models.database import AnyRow
from models.reads.webhooks import FailedCall, failed_calls
from models.webhook_deliveries import deliveries, one_delivery, read, resend
from models.webhooks import Wanted, create, disable, enable, find, listed, rotate
from tabiji.channels.webhook import NotAllowed, TryLater
from tabiji.domain.webhooks import EVERYTHING, TEST_EVENT, fields_sent, secrets_in_force, signing_secret

router = APIRouter(
    prefix="/v1/webhooks",
    tags=["webhooks"],
    route_class=StrictRoute,
    dependencies=[Guarded],
    responses=responses(401, 403, 503),
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")
RESERVED = frozenset({"deliveries", "calls", "resend"})
Change = Callable[[AsyncConnection, AnyRow, datetime], Coroutine[Any, Any, None]]
Named = Annotated[Text, Path(max_length=100, description="name or id", examples=["crm"])]
State = Literal["pending", "delivered", "dead", "left_out"]
_CHANGES = responses(400, 404, 408, 413, 415, 422)


class WebhookOut(BaseModel):
    """A subscription, with what it is sent: the register of who is told what."""

    id: UUID
    name: str
    url: str
    events: list[str] = Field(description='names; ["*"]: everything that is recorded')
    sent: list[str] = Field(description="fields of each message")
    state: Literal["enabled", "disabled"]
    reason: str | None = Field(description="why it is disabled")
    failing_since: datetime | None = Field(description="nothing has arrived since")
    succeeded_at: datetime | None = Field(description="about when something arrived last")
    secret_replaced_at: datetime | None = Field(description="for a day after that the one before signs too")
    pending: int
    dead: int = Field(description="never arrived; kept until sent again")
    made_by: str
    recorded_at: datetime


class WebhookList(BaseModel):
    """The oldest first."""

    webhooks: list[WebhookOut]


class WebhookSent(BaseModel):
    """A new subscription."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [{"url": "https://crm.example.com/hooks/tabiji", "events": ["Order Completed"], "name": "crm"}]
        },
    )

    url: Text = Field(max_length=2000)
    events: list[Name] = Field(min_length=1, max_length=100, description='exact names; ["*"]: everything')
    name: Name | None = Field(default=None, max_length=100, description="the host, where not given")
    properties: list[Name] | None = Field(default=None, max_length=100, description="only these; absent: all")
    include: list[Literal["email"]] = Field(default_factory=list[Literal["email"]], description="also the address")


class WebhookMade(BaseModel):
    """A subscription and its secret, which is not shown again."""

    webhook: WebhookOut
    secret: str


class DeliveryOut(BaseModel):
    """One event for one subscription."""

    id: UUID
    webhook: str
    event: str
    event_seq: int
    state: State
    tries: int
    status: int | None = Field(description="the last answer; null: none came")
    problem: str | None
    due_at: datetime
    recorded_at: datetime
    finished_at: datetime | None


class DeliveryList(BaseModel):
    """The newest first."""

    deliveries: list[DeliveryOut]
    next: UUID | None = Field(description="give it as `before` for the next page; null: there is none")


class DeliveryShown(BaseModel):
    """A delivery and what it says."""

    delivery: DeliveryOut
    message: dict[str, JsonValue] | None = Field(description="null: the event was erased")


class CallList(BaseModel):
    """The newest first."""

    calls: list[FailedCall]


class Resent(BaseModel):
    """How many dead letters are sent again."""

    resent: int
    more: bool = Field(description="there are more: ask again")


class Tested(BaseModel):
    """What the receiver said."""

    ok: bool
    status: int | None
    problem: str | None


class ResendSent(BaseModel):
    """Whose dead letters."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"webhook": "crm"}]})

    webhook: Name | None = Field(default=None, description="absent: of all")


@router.get("", operation_id="listWebhooks")
async def list_all(parts: PartsDep) -> WebhookList:
    """Who is told what, and how well it arrives."""
    async with parts.database.read() as tx:
        return WebhookList(webhooks=[_out(row) for row in await listed(tx)])


@router.post("", operation_id="addWebhook", status_code=201, responses=responses(400, 408, 409, 413, 415, 422))
async def add(sent: WebhookSent, parts: PartsDep, key: By) -> WebhookMade:
    """Tell a system of events from now on. Every process does so within seconds."""
    wanted = await _wanted(parts, sent)

    async def work(tx: AsyncConnection) -> AnyRow:
        return await create(tx, wanted, made_by=key.name, recorded_at=await parts.database.now(tx))

    row = await parts.database.transact(work)
    return WebhookMade(webhook=_out(row), secret=_secret(parts, row))


@router.get("/deliveries", operation_id="listWebhookDeliveries", responses=responses(404, 422))
async def list_deliveries(
    parts: PartsDep,
    state: State | None = None,
    webhook: Annotated[Text | None, Query(max_length=100)] = None,
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeliveryList:
    """What became of what was to be told; with `state=dead`, the dead letters."""
    async with parts.database.read() as tx:
        of = (await find(tx, webhook)).id if webhook is not None else None
        rows = await deliveries(tx, state=state, webhook=of, before=before, limit=limit + 1)
    page = [DeliveryOut.model_validate(row, from_attributes=True) for row in rows[:limit]]
    return DeliveryList(deliveries=page, next=page[-1].id if len(rows) > limit else None)


@router.get("/deliveries/{id}", operation_id="getWebhookDelivery", responses=responses(404, 422))
async def get_delivery(id: UUID, parts: PartsDep) -> DeliveryShown:
    """One of them, with what it says: made now, as it would be sent now."""
    async with parts.database.read() as tx:
        row = await one_delivery(tx, id)
        if row is None:
            raise _no_delivery()
        said = await read(tx, row)
    message = None if said is None else body_of(row.id, said)
    return DeliveryShown(delivery=DeliveryOut.model_validate(row, from_attributes=True), message=message)


@router.post("/deliveries/{id}/resend", operation_id="resendWebhookDelivery", responses=responses(404, 409, 422))
async def resend_one(id: UUID, parts: PartsDep) -> Resent:
    """Send a dead letter again, under its id."""

    async def work(tx: AsyncConnection) -> int:
        return await resend(tx, id=id) if await one_delivery(tx, id) is not None else -1

    done = await parts.database.transact(work)
    if done < 0:
        raise _no_delivery()
    if not done:
        raise ApiProblem(409, "not_dead", "it is no dead letter, or its webhook is disabled: enable that first")
    return Resent(resent=done, more=False)


@router.get("/calls", operation_id="listFailedCalls", responses=responses(422))
async def list_calls(parts: PartsDep, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> CallList:
    """Calls that journeys made themselves and that came to nothing."""
    async with parts.database.read() as tx:
        return CallList(calls=await failed_calls(tx, limit=limit))


@router.post("/resend", operation_id="resendWebhookDeliveries", responses=_CHANGES)
async def resend_all(sent: ResendSent, parts: PartsDep) -> Resent:
    """Send dead letters again, a thousand at most, the oldest first."""

    async def work(tx: AsyncConnection) -> int:
        of = (await find(tx, sent.webhook)).id if sent.webhook is not None else None
        return await resend(tx, webhook=of, most=1000)

    done = await parts.database.transact(work)
    return Resent(resent=done, more=done == 1000)


@router.get("/{named}", operation_id="getWebhook", responses=responses(404, 422))
async def get(named: Named, parts: PartsDep) -> WebhookOut:
    """One subscription."""
    async with parts.database.read() as tx:
        return _out(await find(tx, named))


@router.post("/{named}/enable", operation_id="enableWebhook", responses=responses(404, 422))
async def enable_it(named: Named, parts: PartsDep) -> WebhookOut:
    """Tell it again, from now on; its dead letters stay until they are sent again."""
    return await _change(parts, named, lambda tx, row, _: enable(tx, row.id))


@router.post("/{named}/disable", operation_id="disableWebhook", responses=responses(404, 422))
async def disable_it(named: Named, parts: PartsDep, key: By) -> WebhookOut:
    """Tell it nothing more; what is pending becomes dead letters."""
    reason = f"by {key.name}"
    return await _change(parts, named, lambda tx, row, now: disable(tx, row.id, reason, by_itself=False, now=now))


@router.post("/{named}/rotate", operation_id="rotateWebhookSecret", responses=responses(404, 422))
async def rotate_it(named: Named, parts: PartsDep) -> WebhookMade:
    """Give it a new secret. For a day messages are signed with the one before too."""
    await _change(parts, named, lambda tx, row, now: rotate(tx, row.id, now=now))
    async with parts.database.read() as tx:
        row = await find(tx, named)
    return WebhookMade(webhook=_out(row), secret=_secret(parts, row))


@router.post("/{named}/test", operation_id="testWebhook", responses=responses(404, 422))
async def test(named: Named, parts: PartsDep) -> Tested:
    """Send it a message that says nothing, now, and say how it was taken."""
    async with parts.database.read() as tx:
        row = await find(tx, named)
    now, id = datetime.now(UTC), f"msg_{uuid4().hex}"
    root = parts.settings.signing_secret
    secrets = secrets_in_force(root, row.id, row.generation, row.rotated_at, now=now)
    body: dict[str, JsonValue] = {"id": id, "type": TEST_EVENT, "timestamp": now.isoformat(), "data": {}}
    post = webhook_post(parts.settings)
    try:
        said = await post.post(row.url, body, id=id, at=now, test=True, within=WITHIN, secrets=secrets)
    except NotAllowed as no:
        return Tested(ok=False, status=None, problem=str(no))
    except TryLater as later:
        return Tested(ok=False, status=later.status or None, problem=str(later))
    finally:
        await post.close()
    return Tested(ok=said.ok, status=said.status, problem=None if said.ok else f"answered {said.status}")


async def _wanted(parts: Parts, sent: WebhookSent) -> Wanted:
    post = webhook_post(parts.settings)
    try:
        host = post.check(sent.url)
    except NotAllowed as no:
        raise invalid("url", str(no)) from None
    finally:
        await post.close()
    name = (sent.name or host).strip()
    if not _NAME.fullmatch(name) or name in RESERVED:
        raise invalid("name", "must be of letters, digits, blanks, dots, hyphens and underscores")
    if EVERYTHING in sent.events and len(sent.events) > 1:
        raise invalid("events", f"{EVERYTHING!r} is everything already")
    return Wanted(name, sent.url, sent.events, sent.properties, "email" in sent.include)


async def _change(parts: Parts, named: str, change: Change) -> WebhookOut:
    async def work(tx: AsyncConnection) -> AnyRow:
        row = await find(tx, named)
        await change(tx, row, await parts.database.now(tx))
        return await find(tx, row.id)

    return _out(await parts.database.transact(work))


def _secret(parts: Parts, row: AnyRow) -> str:
    return signing_secret(parts.settings.signing_secret, row.id, row.generation)


def _out(row: AnyRow) -> WebhookOut:
    return WebhookOut(
        id=row.id,
        name=row.name,
        url=row.url,
        events=row.events,
        sent=fields_sent(include_email=row.include_email, only=row.properties),
        state=row.state,
        reason=row.reason,
        failing_since=row.failing_since,
        succeeded_at=row.succeeded_at,
        secret_replaced_at=row.rotated_at,
        pending=row.pending,
        dead=row.dead,
        made_by=row.made_by,
        recorded_at=row.recorded_at,
    )


def _no_delivery() -> ApiProblem:
    return ApiProblem(404, "not_found", "no such delivery. `tabiji webhook dead` shows those that never arrived.")
