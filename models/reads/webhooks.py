"""Webhooks that do not arrive: subscriptions that fail, and calls of journeys that came to nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import database_time, table
from models.effect import Effect
from models.reads.shapes import Shown
from models.webhook import Webhook, WebhookDelivery

FAILING = timedelta(hours=1)
"""A receiver that is away for less is no alarm."""
NEWS = timedelta(days=1)
"""Dead letters are an alarm for so long; after that they are a list."""


class FailingWebhook(Shown):
    """A receiver that is told nothing, because nothing arrives."""

    name: str
    state: str
    reason: str | None
    failing_since: datetime | None
    dead: int


class FailedCall(Shown):
    """A call of the journey verb `call_webhook` that came to nothing; the journey went on by its own code."""

    step: str
    """Enrollment, step and visit."""
    contact_id: UUID
    status: int | None
    reason: str | None
    recorded_at: datetime


async def failing_webhooks(tx: AsyncConnection) -> list[FailingWebhook]:
    """Those we have disabled ourselves, that fail for an hour, or have fresh dead letters."""
    webhooks, rows = table(Webhook), table(WebhookDelivery)
    now = await database_time(tx)
    theirs = (rows.c.webhook_id == webhooks.c.id, rows.c.state == "dead")
    fresh = select(rows.c.id).where(*theirs, rows.c.finished_at > now - NEWS).exists()
    dead = select(func.count()).where(*theirs).scalar_subquery()
    found = await tx.execute(
        select(
            webhooks.c.name,
            webhooks.c.state,
            webhooks.c.reason,
            webhooks.c.failing_since,
            dead.label("dead"),
        )
        .where(or_(webhooks.c.by_itself, webhooks.c.failing_since < now - FAILING, fresh))
        .order_by(webhooks.c.name)
    )
    return [FailingWebhook.model_validate(row, from_attributes=True) for row in found]


async def failed_calls(tx: AsyncConnection, *, limit: int) -> list[FailedCall]:
    """The newest first."""
    effects = table(Effect)
    refused = effects.c.answer["ok"].as_boolean().is_(False)
    rows = await tx.execute(
        select(effects)
        .where(effects.c.activity == "call_webhook", refused)
        .order_by(effects.c.recorded_at.desc())
        .limit(limit)
    )
    return [_call(row) for row in rows]


def _call(row: Any) -> FailedCall:
    return FailedCall(
        step=row.key,
        contact_id=row.contact_id,
        status=row.answer.get("status"),
        reason=row.answer.get("reason"),
        recorded_at=row.recorded_at,
    )
