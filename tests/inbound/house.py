"""A house that sent mails, and the door they come back to: real SMTP over TCP, a real database."""

from __future__ import annotations

import asyncio
import hashlib
import smtplib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from models.base import new_id
from models.contact import Contact
from models.database import AnyRow, Database, insert, table
from models.enroll import Pending
from models.event import Event
from models.inbound_mail import InboundMail
from models.message import Message
from models.reception import Reception
from models.record import Recorder
from models.returns import Returns, Rules
from models.suppression import Suppression
from models.task import Task
from tabiji.channels.email import addresses
from tabiji.channels.email.inbound.door import Door, Limits
from tabiji.domain.journeys import Catalog

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DOMAIN = "returns.shop.example"
OURS = addresses.Returns("a secret of at least thirty-two characters", DOMAIN)


class Nowhere:
    """No journey waits here."""

    def offer(self, pending: Sequence[Pending]) -> None:
        assert not pending


@dataclass
class Stopped:
    """A clock a test sets."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def wall(self) -> datetime:
        return self.at


@dataclass
class House:
    """What a test looks at."""

    database: Database
    rules: Rules = field(default_factory=Rules)
    clock: Stopped = field(default_factory=Stopped)
    port: int = 0
    door: Door | None = None

    @property
    def recorder(self) -> Recorder:
        return Recorder(self.database, Catalog(()), self.clock, Nowhere())

    @property
    def returns(self) -> Returns:
        return Returns(self.database, self.recorder, self.rules)

    @property
    def reception(self) -> Reception:
        return Reception(self.database, self.returns, self.clock, OURS)

    async def contact(self, email: str | None, **more: Any) -> UUID:
        """Somebody."""
        id = new_id()
        row: dict[str, Any] = {"id": id, "email": email, "attributes": {}, "score": 0}
        row |= {"created_at": NOW, "recorded_at": NOW}
        async with self.database.write() as tx:
            await tx.execute(insert(tx, Contact).values(**(row | more)))
        return id

    async def sent(self, contact: UUID, recipient: str | None, key: str = "", **more: Any) -> str:
        """A message that has gone out. Returns its public id."""
        key = key or f"journey/{contact}/1/step/{new_id()}"
        public_id = hashlib.sha256(key.encode()).hexdigest()[:32]
        row: dict[str, Any] = {
            "key": key, "public_id": public_id, "contact_id": contact, "step": "mail", "visit": 1,
            "audience": "contact", "channel": "email", "recipient": recipient, "template": "demo/invitation",
            "topic": "marketing", "state": "sent", "token": "t", "run_id": "r", "activity_id": "a", "attempt": 1,
            "lease_until": NOW,
            "priority": 0, "asked_at": NOW, "deferrals": 0, "maybe_twice": 0, "test": False,
            "at": NOW - timedelta(hours=1), "recorded_at": NOW, "sent_at": NOW,
        }  # fmt: skip # one row
        async with self.database.write() as tx:
            await tx.execute(insert(tx, Message).values(**(row | more)))
        return public_id

    async def mailed(self, recipient: str, **more: Any) -> str:
        """A message to somebody new. Returns its public id."""
        return await self.sent(await self.contact(recipient), recipient, **more)

    async def deliver(self, content: bytes, to: str | Sequence[str], *, sender: str = "") -> tuple[int, bytes]:
        """Hand a mail over by SMTP, as another server would. Returns the last answer."""
        recipients = [to] if isinstance(to, str) else list(to)
        return await asyncio.to_thread(self._talk, content, recipients, sender)

    def _talk(self, content: bytes, recipients: Sequence[str], sender: str) -> tuple[int, bytes]:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
            client.ehlo("mx.example.org")
            for code, said in (client.mail(sender), *(client.rcpt(one) for one in recipients)):
                if code >= 400:
                    return code, said
            return client.data(content)

    async def forget(self) -> None:
        """Begin anew, for one test of many mails."""
        async with self.database.write() as tx:
            for model in (Suppression, InboundMail, Task, Event, Message, Contact):
                await tx.execute(delete(table(model)))

    async def rows(self, model: Any, **wanted: Any) -> Sequence[AnyRow]:
        """Rows of a table, in their order."""
        columns = table(model).c
        query = select(table(model))
        for name, value in wanted.items():
            query = query.where(columns[name] == value)
        async with self.database.read() as tx:
            return (await tx.execute(query)).all()

    async def suppressed(self) -> dict[str, str]:
        """What is on the list, and why."""
        return {row.value: row.reason for row in await self.rows(Suppression) if row.lifted_at is None}

    async def events(self) -> list[str]:
        """Names of what was recorded."""
        return [row.name for row in await self.rows(Event)]

    async def message(self, public_id: str) -> AnyRow:
        """A message as it is now."""
        [row] = await self.rows(Message, public_id=public_id)
        return row

    async def tasks(self) -> Sequence[AnyRow]:
        """What people have to do."""
        return await self.rows(Task)

    async def kept(self) -> Sequence[AnyRow]:
        """What came in."""
        return await self.rows(InboundMail)


@asynccontextmanager
async def open_house(
    database: Database, rules: Rules | None = None, limits: Limits | None = None, **door: Any
) -> AsyncGenerator[House]:
    """A house with its door open."""
    house = House(database, rules or Rules())

    async def take(content: bytes, sender: str, recipients: Sequence[str]) -> object:
        return await house.reception.take(content, sender=sender, recipients=recipients)

    house.door = Door(OURS, take, limits=limits, **door)
    house.port = await house.door.listen("127.0.0.1", 0)
    try:
        yield house
    finally:
        await house.door.close()
