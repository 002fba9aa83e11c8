"""Deliveries: leased by whoever sends, marked with what became of them, looked at and sent again when dead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contact import Contact, Identity
from models.database import AnyRow, database_time, table
from models.event import Event
from models.webhook import Webhook, WebhookDelivery
from models.webhooks import disable, lock
from tabiji.domain.webhooks import FAILING_FOR, GONE, next_pause

TOLD_EVERY = timedelta(minutes=1)
"""How exactly it is kept when a receiver took something last: each write of it is one more statement."""
KEPT = timedelta(days=30)
"""How long what has arrived can be looked at."""


@dataclass(frozen=True)
class Tried:
    """What became of one try. `status` is None where there was no answer."""

    ok: bool
    status: int | None = None
    problem: str | None = None
    asked: timedelta | None = None


async def webhooks_due(tx: AsyncConnection, *, now: datetime) -> list[UUID]:
    """Enabled subscriptions for which something is to be sent now."""
    webhooks, rows = table(Webhook), table(WebhookDelivery)
    due = select(rows.c.id).where(rows.c.webhook_id == webhooks.c.id, *_due(now)).exists()
    found = await tx.execute(select(webhooks.c.id).where(webhooks.c.state == "enabled", due))
    return [row.id for row in found]


async def take(tx: AsyncConnection, webhook: UUID, *, most: int, lease: timedelta) -> list[AnyRow]:
    """Lease what is due for a subscription; each is tried once more then. Oldest first."""
    rows = table(WebhookDelivery)
    now = await database_time(tx)
    due = select(rows.c.id).where(rows.c.webhook_id == webhook, *_due(now)).order_by(rows.c.due_at).limit(most)
    leased = await tx.execute(
        update(rows)
        .where(rows.c.id.in_(due.with_for_update(skip_locked=True).scalar_subquery()))
        .values(lease_until=now + lease, tries=rows.c.tries + 1)
        .returning(rows)
    )
    return sorted(leased.all(), key=lambda row: (row.due_at, row.id))


def _due(now: datetime) -> Sequence[ColumnElement[bool]]:
    rows = table(WebhookDelivery)
    free = or_(rows.c.lease_until.is_(None), rows.c.lease_until < now)
    return rows.c.state == "pending", rows.c.due_at <= now, free


@dataclass(frozen=True)
class Said:
    """What a delivery is about, read when it is sent."""

    webhook: AnyRow
    event: AnyRow
    contact: AnyRow
    user_ids: list[str]


async def read(tx: AsyncConnection, delivery: AnyRow) -> Said | None:
    """What a delivery is about; None where the event or the contact was erased meanwhile."""
    webhooks, events, contacts, identities = table(Webhook), table(Event), table(Contact), table(Identity)
    event = (await tx.execute(select(events).where(events.c.seq == delivery.event_seq))).one_or_none()
    if event is None:
        return None
    contact = (await tx.execute(select(contacts).where(contacts.c.id == event.contact_id))).one_or_none()
    if contact is None:
        return None
    ids = await tx.execute(
        select(identities.c.value)
        .where(identities.c.contact_id == contact.id, identities.c.kind == "user")
        .order_by(identities.c.value)
    )
    webhook = (await tx.execute(select(webhooks).where(webhooks.c.id == delivery.webhook_id))).one()
    return Said(webhook, event, contact, list(ids.scalars()))


async def mark(tx: AsyncConnection, delivery: AnyRow, tried: Tried, *, chance: float) -> str | None:
    """Write down what became of a try.

    Returns:
        The new state; None where somebody else has taken over since, and nothing was changed.
    """
    webhook = await lock(tx, delivery.webhook_id)
    now = await database_time(tx)
    pause = None if tried.ok else next_pause(delivery.tries, asked=tried.asked, chance=chance)
    values: dict[str, Any] = {
        "lease_until": None,
        "status": tried.status,
        "problem": tried.problem and tried.problem[:200],
    }
    if tried.ok:
        values |= {"state": "delivered", "finished_at": now}
    elif pause is None:
        values |= {"state": "dead", "finished_at": now}
    else:
        values |= {"due_at": now + pause}
    rows = table(WebhookDelivery)
    mine = (rows.c.id == delivery.id, rows.c.state == "pending", rows.c.tries == delivery.tries)
    if not (await tx.execute(update(rows).where(*mine).values(**values))).rowcount:
        return None
    await _note(tx, webhook, tried, now)
    return str(values.get("state", "pending"))


async def _note(tx: AsyncConnection, webhook: AnyRow, tried: Tried, now: datetime) -> None:
    """How the receiver does; who wants no more, or has taken nothing for days, is told nothing more."""
    rows = table(Webhook)
    this = update(rows).where(rows.c.id == webhook.id)
    if tried.ok:
        if webhook.failing_since or webhook.succeeded_at is None or webhook.succeeded_at < now - TOLD_EVERY:
            await tx.execute(this.values(failing_since=None, succeeded_at=now))
        return
    since = webhook.failing_since or now
    if webhook.failing_since is None:
        await tx.execute(this.values(failing_since=now))
    if webhook.state != "enabled":
        return
    if tried.status == GONE:
        await disable(tx, webhook.id, f"the receiver wants no more: it answered {GONE}", by_itself=True, now=now)
    elif since < now - FAILING_FOR:
        reason = f"nothing has arrived for {FAILING_FOR.days} days: {tried.problem}"
        await disable(tx, webhook.id, reason, by_itself=True, now=now)


async def leave_out(tx: AsyncConnection, delivery: AnyRow, why: str) -> None:
    """Send it never, for a reason that is no failure."""
    rows = table(WebhookDelivery)
    await tx.execute(
        update(rows)
        .where(rows.c.id == delivery.id, rows.c.state == "pending")
        .values(state="left_out", problem=why, lease_until=None, finished_at=await database_time(tx))
    )


async def forget(tx: AsyncConnection, *, most: int) -> int:
    """Delete what arrived long ago. Returns how many."""
    rows = table(WebhookDelivery)
    old = (
        select(rows.c.id)
        .where(rows.c.state.in_(("delivered", "left_out")), rows.c.recorded_at < await database_time(tx) - KEPT)
        .limit(most)
    )
    return (await tx.execute(delete(rows).where(rows.c.id.in_(old.scalar_subquery())))).rowcount


async def deliveries(
    tx: AsyncConnection, *, state: str | None, webhook: UUID | None, before: UUID | None, limit: int
) -> Sequence[AnyRow]:
    """The newest first."""
    rows, webhooks = table(WebhookDelivery), table(Webhook)
    query = select(rows, webhooks.c.name.label("webhook")).join(webhooks, webhooks.c.id == rows.c.webhook_id)
    if state is not None:
        query = query.where(rows.c.state == state)
    if webhook is not None:
        query = query.where(rows.c.webhook_id == webhook)
    if before is not None:
        query = query.where(rows.c.id < before)
    return (await tx.execute(query.order_by(rows.c.id.desc()).limit(limit))).all()


async def one_delivery(tx: AsyncConnection, id: UUID) -> AnyRow | None:
    """One of them."""
    rows, webhooks = table(WebhookDelivery), table(Webhook)
    query = select(rows, webhooks.c.name.label("webhook")).join(webhooks, webhooks.c.id == rows.c.webhook_id)
    return (await tx.execute(query.where(rows.c.id == id))).one_or_none()


async def resend(tx: AsyncConnection, *, id: UUID | None = None, webhook: UUID | None = None, most: int = 1000) -> int:
    """Send dead letters again, from the first try on and under their ids: one, those of a subscription, or all.

    Only of enabled subscriptions. Returns how many; there are more where it is `most`.
    """
    rows, webhooks = table(WebhookDelivery), table(Webhook)
    enabled = select(webhooks.c.id).where(webhooks.c.state == "enabled")
    dead = select(rows.c.id).where(rows.c.state == "dead", rows.c.webhook_id.in_(enabled))
    if id is not None:
        dead = dead.where(rows.c.id == id)
    if webhook is not None:
        dead = dead.where(rows.c.webhook_id == webhook)
    again = await tx.execute(
        update(rows)
        .where(rows.c.id.in_(dead.order_by(rows.c.id).limit(most).scalar_subquery()))
        .values(state="pending", tries=0, due_at=await database_time(tx), lease_until=None, finished_at=None)
    )
    return again.rowcount
