"""Subscriptions: made, changed, looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import new_id
from models.database import AnyRow, insert, table
from models.webhook import Webhook, WebhookDelivery
from tabiji.errors import Refused, UnknownWebhook

MOST = 100
"""Subscriptions: each is matched in the transaction that records an event."""
DISABLED = "the subscription is disabled"
"""Why what was pending then is a dead letter."""


@dataclass(frozen=True)
class Wanted:
    """What a new subscription is to be."""

    name: str
    url: str
    events: Sequence[str]
    properties: Sequence[str] | None = None
    include_email: bool = False


async def create(tx: AsyncConnection, wanted: Wanted, *, made_by: str, recorded_at: datetime) -> AnyRow:
    """Make a subscription.

    Raises:
        Refused: The name is taken, or there are too many.
    """
    webhooks = table(Webhook)
    if (await tx.scalar(select(func.count()).select_from(webhooks)) or 0) >= MOST:
        raise Refused(f"there are {MOST} webhooks already. One that tells a queue of yours can serve many.")
    row: dict[str, Any] = {
        "id": new_id(),
        "name": wanted.name,
        "url": wanted.url,
        "events": sorted(set(wanted.events)),
        "properties": None if wanted.properties is None else sorted(set(wanted.properties)),
        "include_email": wanted.include_email,
        "generation": 1,
        "state": "enabled",
        "by_itself": False,
        "made_by": made_by,
        "recorded_at": recorded_at,
    }
    made = await tx.execute(insert(tx, Webhook).values(row).on_conflict_do_nothing(index_elements=["name"]))
    if not made.rowcount:
        raise Refused(f"a webhook called {wanted.name!r} is there already. Choose another name, or disable that one.")
    return await find(tx, row["id"])


async def find(tx: AsyncConnection, named: UUID | str) -> AnyRow:
    """A subscription by id or name.

    Raises:
        UnknownWebhook: There is none.
    """
    webhooks = table(Webhook)
    found = await tx.execute(_shown().where(webhooks.c.id == named if isinstance(named, UUID) else _called(named)))
    row: AnyRow | None = found.one_or_none()
    if row is None:
        raise UnknownWebhook(str(named))
    return row


def _called(named: str) -> Any:
    webhooks = table(Webhook)
    try:
        return webhooks.c.id == UUID(named)
    except ValueError:
        return webhooks.c.name == named


async def listed(tx: AsyncConnection) -> Sequence[AnyRow]:
    """All of them, with how much waits for each and how much never arrived."""
    rows: Sequence[AnyRow] = (await tx.execute(_shown().order_by(table(Webhook).c.recorded_at))).all()
    return rows


def _shown() -> Select[Any]:
    webhooks, deliveries = table(Webhook), table(WebhookDelivery)

    def count(state: str) -> Any:
        one = select(func.count()).where(deliveries.c.webhook_id == webhooks.c.id, deliveries.c.state == state)
        return one.scalar_subquery().label(state)

    return select(webhooks, count("pending"), count("dead"))


async def enable(tx: AsyncConnection, webhook: UUID) -> None:
    """Tell it again, from now on. What became a dead letter stays one until somebody sends it again."""
    await _set(tx, webhook, state="enabled", reason=None, by_itself=False, failing_since=None)


async def disable(tx: AsyncConnection, webhook: UUID, reason: str, *, by_itself: bool, now: datetime) -> None:
    """Tell it nothing more; what is pending becomes dead letters."""
    deliveries = table(WebhookDelivery)
    await _set(tx, webhook, state="disabled", reason=reason[:200], by_itself=by_itself)
    await tx.execute(
        update(deliveries)
        .where(deliveries.c.webhook_id == webhook, deliveries.c.state == "pending")
        .values(state="dead", problem=DISABLED, lease_until=None, finished_at=now)
    )


async def rotate(tx: AsyncConnection, webhook: UUID, *, now: datetime) -> None:
    """Sign with a new secret from now on, and with the old one too for a while."""
    webhooks = table(Webhook)
    await _set(tx, webhook, generation=webhooks.c.generation + 1, rotated_at=now)


async def lock(tx: AsyncConnection, webhook: UUID) -> AnyRow:
    """Lock a subscription: before its deliveries, so that no two wait for each other."""
    webhooks = table(Webhook)
    # On SQLite FOR UPDATE is left out: BEGIN IMMEDIATE has locked everything already.
    return (await tx.execute(select(webhooks).where(webhooks.c.id == webhook).with_for_update(key_share=True))).one()


async def _set(tx: AsyncConnection, webhook: UUID, **values: Any) -> None:
    webhooks = table(Webhook)
    await tx.execute(update(webhooks).where(webhooks.c.id == webhook).values(**values))
