"""Calls to outside systems."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.attempts import span
from models.control import pass_gate
from models.database import Database, lock_contacts
from models.effect import answered, keep
from models.ledger import public_id
from tabiji.channels.webhook import NotAllowed, TryLater, WebhookPost
from tabiji.domain.changes import Called, CallWebhook
from tabiji.errors import ChannelDown

log = structlog.stdlib.get_logger(__name__)

PATIENCE = timedelta(days=1)
"""How long a server that is away is called again."""
LONGEST_CALL = timedelta(seconds=30)
RESERVE = timedelta(seconds=5)
"""Of an attempt's time, what is kept for writing down how it ended."""


class Webhooks:
    """Posts to addresses authors name."""

    def __init__(self, database: Database, post: WebhookPost) -> None:
        self._database = database
        self._post = post

    @property
    def all(self) -> list[Callable[..., Any]]:
        """To be registered."""
        return [self.call_webhook]

    @activity.defn(name="call_webhook")
    async def call_webhook(self, order: CallWebhook) -> Called:
        """Post JSON, and return what the other side said.

        A worker that dies between the answer and our note of it calls again; `webhook-id` is the same then. A refusal
        is a result. A server that is away is called again for a day, and then that is the result.

        Raises:
            UnknownContact: The contact is gone. Not retried.
            Paused: Not now. Nothing was done.
            ChannelDown: Nobody answers, or the answer says to come again.
        """
        async with self._database.read() as tx:
            if (done := await answered(tx, order, Called)) is not None:
                return done
        await pass_gate(self._database, order)
        called = await self._call(order)

        async def write_down(tx: AsyncConnection) -> None:
            contact = (await lock_contacts(tx, [UUID(order.contact_id)]))[UUID(order.contact_id)]
            await keep(tx, order, called, contact_id=contact.id, recorded_at=await self._database.now(tx))

        await self._database.transact(write_down)
        log.info("webhook.called", contact_id=order.contact_id, step=order.step, status=called.status, ok=called.ok)
        return called

    async def _call(self, order: CallWebhook) -> Called:
        if order.test and not self._post.is_ours(order.url):
            return Called(ok=False, status=0, reason="a rehearsal calls only hosts named in TABIJI_WEBHOOK_HOSTS")
        within = min(span() - RESERVE, LONGEST_CALL)
        try:
            said = await self._post.post(
                order.url, order.data, id=public_id(order.key), at=datetime.now(UTC), test=order.test, within=within
            )
        except NotAllowed as no:
            return Called(ok=False, status=0, reason=str(no))
        except TryLater as later:
            info = activity.info()
            if info.started_time - info.scheduled_time < PATIENCE:
                raise ChannelDown(f"the webhook was not taken: {later}", retry_after=later.retry_after) from None
            return Called(ok=False, status=later.status, reason=f"given up after a day: {later}")
        return Called(ok=said.ok, status=said.status, reason=None if said.ok else f"answered {said.status}")
