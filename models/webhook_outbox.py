"""Writes down, in the transaction that records an event, whom we are to tell of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import new_id
from models.bulk import among
from models.contact import Contact
from models.database import insert, table
from models.evaluate import Stored
from models.incoming import NOBODY
from models.webhook import Webhook, WebhookDelivery
from tabiji.domain.webhooks import EVERYTHING

KNOWN_FOR = 3.0
"""Seconds this process goes by the subscriptions it has read: so long a new one may miss events."""


class WebhookOutbox:
    """One process's memory of who wants to be told of what. Where nobody is told, it costs a look into memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds, from anywhere."""
        self._clock = clock
        self._until = float("-inf")
        self._by_event: dict[str, list[UUID]] = {}

    async def write(self, tx: AsyncConnection, events: Sequence[Stored], *, recorded_at: datetime) -> None:
        """Write a delivery for each event and subscription that belong together. History tells nobody."""
        if not events:
            return
        if self._clock() >= self._until:
            await self._read(tx)
        if not self._by_event:
            return
        wanted = [(webhook, one) for one in events for webhook in self._subscribed(one)]
        if not wanted:
            return
        tests = await _test_contacts(tx, {one.contact for _, one in wanted})
        rows: list[dict[str, Any]] = [
            {
                "id": new_id(),
                "webhook_id": webhook,
                "event_seq": one.seq,
                "event": one.item.name,
                "test": one.contact in tests,
                "state": "pending",
                "tries": 0,
                "due_at": recorded_at,
                "recorded_at": recorded_at,
            }
            for webhook, one in wanted
        ]
        await tx.execute(insert(tx, WebhookDelivery), rows)

    def _subscribed(self, one: Stored) -> list[UUID]:
        if one.item.enrollment_id == NOBODY:
            return []
        return self._by_event.get(one.item.name, []) + self._by_event.get(EVERYTHING, [])

    async def _read(self, tx: AsyncConnection) -> None:
        webhooks = table(Webhook)
        rows = (await tx.execute(select(webhooks.c.id, webhooks.c.events).where(webhooks.c.state == "enabled"))).all()
        by_event: dict[str, list[UUID]] = {}
        for row in rows:
            for event in {EVERYTHING} if EVERYTHING in row.events else set(row.events):
                by_event.setdefault(event, []).append(row.id)
        self._by_event, self._until = by_event, self._clock() + KNOWN_FOR


async def _test_contacts(tx: AsyncConnection, contacts: Iterable[UUID]) -> set[UUID]:
    rows = table(Contact)
    query = select(rows.c.id).where(among(tx, rows.c.id, set(contacts)), rows.c.tempo.is_not(None))
    return {row.id for row in await tx.execute(query)}
