"""Systems that are told: servers that answer as they should not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from standardwebhooks import Webhook as Verifier

from activities.webhook_delivery import Deliverer
from models.database import AnyRow, Database, table
from models.webhook import Webhook, WebhookDelivery
from models.webhooks import Wanted, create
from tabiji.channels.webhook import WebhookPost
from tabiji.domain.webhooks import signing_secret

ROOT = "a secret that is only fit for tests"
FOREVER = "forever"
"""An answer that never ends: its head comes byte by byte."""


@dataclass
class Receiver:
    """Answers as it is told, then 200; keeps what it got."""

    port: int = 0
    answers: list[str] = field(default_factory=list[str])
    always: str = "200 OK"
    got: list[tuple[dict[str, str], str]] = field(default_factory=list[tuple[dict[str, str], str]])
    told: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/hook"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]

    def verify(self, secret: str) -> None:
        """Every message is signed so that the standard's own library takes it."""
        for headers, body in self.got:
            Verifier(secret).verify(body, headers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = (line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            headers = {name.lower(): value for name, value in lines}
            body = await reader.readexactly(int(headers["content-length"]))
            self.got.append((headers, body.decode()))
            self.told()
            answer = self.answers.pop(0) if self.answers else self.always
            if answer == FOREVER:
                for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.05)
            writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 2\r\n\r\nok".encode())
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiver() -> AsyncGenerator[Receiver]:
    one = Receiver()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()


@dataclass
class House:
    """What tells: a database and one worker's deliverer."""

    database: Database
    deliverer: Deliverer

    async def subscribe(self, to: Receiver | str, *events: str, **more: Any) -> AnyRow:
        url = to if isinstance(to, str) else to.url
        wanted = Wanted(more.pop("name", "crm"), url, events or ("Order Completed",), **more)

        async def work(tx: Any) -> AnyRow:
            return await create(tx, wanted, made_by="ops", recorded_at=await self.database.now(tx))

        return await self.database.transact(work)

    async def tell(self) -> None:
        """Everything that is due now."""
        while await self.deliverer.round():
            await self.deliverer.settle()

    async def rows(self) -> list[AnyRow]:
        rows = table(WebhookDelivery)
        async with self.database.read() as tx:
            return list((await tx.execute(select(rows).order_by(rows.c.id))).all())

    async def webhook(self) -> AnyRow:
        async with self.database.read() as tx:
            return (await tx.execute(select(table(Webhook)))).one()

    async def make_due(self) -> None:
        """As if the pause were over: the database's clock cannot be moved, so what is due is."""
        await self._set(WebhookDelivery, due_at=await self._now())

    async def failing_for(self, span: timedelta) -> None:
        await self._set(Webhook, failing_since=await self._now() - span)

    async def pause(self) -> timedelta:
        """Until the one delivery is tried again."""
        (row,) = await self.rows()
        left: timedelta = row.due_at - await self._now()
        return left

    async def _now(self) -> datetime:
        async with self.database.read() as tx:
            return await self.database.now(tx)

    async def _set(self, model: Any, **values: Any) -> None:
        async with self.database.write() as tx:
            await tx.execute(update(table(model)).values(**values))


@asynccontextmanager
async def house(
    database: Database, *, hosts: tuple[str, ...] = ("localhost",), within: float = 5, lease: float = 60
) -> AsyncGenerator[House]:
    post = WebhookPost(hosts=hosts)
    deliverer = Deliverer(
        database,
        post,
        root=ROOT,
        within=timedelta(seconds=within),
        lease=timedelta(seconds=lease),
        chance=lambda: 0.5,
    )
    try:
        yield House(database, deliverer)
    finally:
        await deliverer.close()
        await post.close()


def secret(webhook: AnyRow, generation: int = 1) -> str:
    return signing_secret(ROOT, webhook.id, generation)
