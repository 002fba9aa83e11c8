"""Tells subscribed systems what was recorded: at least once, with growing pauses, each receiver at its own pace.

Every worker does it; leases see to it that one of them sends what is due. A worker that dies after a receiver has
taken something and before our note of it sends it once more, under the same `webhook-id`. No order is promised.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from pydantic import JsonValue

from models.control import everything_is_paused
from models.database import AnyRow, Database
from models.sqlite import Lane
from models.webhook_deliveries import Said, Tried, forget, leave_out, mark, read, take, webhooks_due
from tabiji.channels.webhook import NotAllowed, TryLater, WebhookPost
from tabiji.domain.webhooks import message, secrets_in_force
from tabiji.errors import DatabaseDown

log = structlog.stdlib.get_logger(__name__)

EVERY = 1.0
"""Seconds between looks while nothing is due."""
AT_WORK = 0.05
AT_ONCE = 32
"""Sent at the same time by one process."""
AT_ONCE_EACH = 8
"""Of these, to one receiver: one that is slow holds up nobody else."""
WITHIN = timedelta(seconds=15)
"""A receiver has to answer, from the look-up of its name on."""
LEASE = timedelta(seconds=60)
"""Longer than a try takes. What a process that died has leased is sent by another one afterwards."""
FORGET_EVERY = 3600.0
FORGOTTEN = 1000
"""Rows deleted in one transaction."""


@dataclass
class Sent:
    """What this process has done."""

    delivered: int = 0
    failed: int = 0
    dead: int = 0
    left_out: int = 0


class Deliverer:
    """One process's share of the telling."""

    def __init__(
        self,
        database: Database,
        post: WebhookPost,
        *,
        root: str,
        within: timedelta = WITHIN,
        lease: timedelta = LEASE,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Nothing starts yet.

        Args:
            database: Where.
            post: Speaks to receivers, and to nobody it should not.
            root: Our secret: theirs are made from it.
            within: How long a receiver has.
            lease: How long others leave alone what this process has taken.
            wall: The clock messages are signed by.
            chance: From 0 to 1.
        """
        self._database = database
        self._post = post
        self._root = root
        self._within = within
        self._lease = lease
        self._wall = wall
        self._chance = chance
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: Counter[UUID] = Counter()
        self.sent = Sent()

    async def run(self) -> None:
        """Tell until cancelled."""
        loop = asyncio.get_running_loop()
        forgotten = loop.time()
        while True:
            pause = EVERY
            try:
                pause = AT_WORK if await self.round() else EVERY
                if loop.time() > forgotten + FORGET_EVERY and not await self._forget():
                    forgotten = loop.time()
            except DatabaseDown as error:
                log.warning("webhooks.failed", problem=str(error))
            except Exception:
                log.exception("webhooks.failed")
            await asyncio.sleep(pause * (0.8 + 0.4 * self._chance()))

    async def round(self) -> int:
        """Begin to send what is due and finds room. Returns how much that was."""
        async with self._database.read() as tx:
            if await everything_is_paused(tx):
                return 0
            due = await webhooks_due(tx, now=await self._database.now(tx))
        begun = 0
        for webhook in due:
            room = min(AT_ONCE - len(self._tasks), AT_ONCE_EACH - self._busy[webhook])
            if room <= 0:
                continue
            taken = await self._take(webhook, room)
            for delivery in taken:
                self._begin(delivery)
            begun += len(taken)
        return begun

    async def settle(self) -> None:
        """Wait until what has begun is over."""
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Stop. What is under way is sent again by somebody, when its lease is over."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self, webhook: UUID, room: int) -> list[AnyRow]:
        return await self._database.transact(lambda tx: take(tx, webhook, most=room, lease=self._lease), Lane.OUTBOX)

    async def _forget(self) -> int:
        return await self._database.transact(lambda tx: forget(tx, most=FORGOTTEN), Lane.OUTBOX)

    def _begin(self, delivery: AnyRow) -> None:
        self._busy[delivery.webhook_id] += 1
        task = asyncio.create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._over(done, delivery.webhook_id))

    def _over(self, task: asyncio.Task[None], webhook: UUID) -> None:
        self._tasks.discard(task)
        self._busy[webhook] -= 1
        if not self._busy[webhook]:
            del self._busy[webhook]

    async def _deliver(self, delivery: AnyRow) -> None:
        try:
            async with self._database.read() as tx:
                said = await read(tx, delivery)
            why = self._why_not(delivery, said)
            if said is None or why is not None:
                await self._database.transact(lambda tx: leave_out(tx, delivery, why or ""), Lane.OUTBOX)
                self.sent.left_out += 1
                return
            tried = await self._try(delivery, said)
            chance = self._chance()
            state = await self._database.transact(lambda tx: mark(tx, delivery, tried, chance=chance), Lane.OUTBOX)
            self._count(delivery, tried, state)
        except DatabaseDown as error:
            log.warning("webhook.unmarked", delivery=str(delivery.id), problem=str(error))
        except Exception:
            log.exception("webhook.unmarked", delivery=str(delivery.id))

    def _why_not(self, delivery: AnyRow, said: Said | None) -> str | None:
        if said is None:
            return "the event was erased"
        if delivery.test and not self._post.is_ours(said.webhook.url):
            return "of a test contact: only hosts named in TABIJI_WEBHOOK_HOSTS are told"
        return None

    async def _try(self, delivery: AnyRow, said: Said) -> Tried:
        now, webhook = self._wall(), said.webhook
        body = body_of(delivery.id, said)
        secrets = secrets_in_force(self._root, webhook.id, webhook.generation, webhook.rotated_at, now=now)
        try:
            answer = await self._post.post(
                webhook.url,
                body,
                id=message_id(delivery.id),
                at=now,
                test=delivery.test,
                within=self._within,
                secrets=secrets,
            )
        except NotAllowed as no:
            return Tried(ok=False, problem=str(no))
        except TryLater as later:
            return Tried(ok=False, status=later.status or None, problem=str(later), asked=later.retry_after)
        problem = None if answer.ok else f"answered {answer.status}"
        return Tried(ok=answer.ok, status=answer.status, problem=problem)

    def _count(self, delivery: AnyRow, tried: Tried, state: str | None) -> None:
        told = {"delivery": str(delivery.id), "webhook": str(delivery.webhook_id), "tries": delivery.tries}
        match state:
            case "delivered":
                self.sent.delivered += 1
                log.info("webhook.delivered", **told, status=tried.status)
            case "dead":
                self.sent.dead += 1
                log.error("webhook.dead", **told, status=tried.status, problem=tried.problem)
            case "pending":
                self.sent.failed += 1
                log.warning("webhook.retried", **told, status=tried.status, problem=tried.problem)
            case _:
                log.warning("webhook.superseded", **told)


def body_of(delivery: UUID, said: Said) -> dict[str, JsonValue]:
    """What a delivery says now."""
    return message(
        message_id(delivery),
        said.event.name,
        said.event.at,
        contact=said.contact.id,
        user_ids=said.user_ids,
        email=said.contact.email,
        include_email=said.webhook.include_email,
        properties=said.event.properties,
        only=said.webhook.properties,
    )


def message_id(delivery: UUID) -> str:
    """What a receiver recognises a message by, however often it comes."""
    return f"msg_{delivery.hex}"
