"""A hall full of people, a real relay, and a broadcast's turns taken one by one as its workflow would."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import select
from temporalio.testing import ActivityEnvironment

from activities.broadcasts import Broadcasts as Turns
from activities.post import Post
from models.base import new_id
from models.broadcasts import Broadcasts, Plan, Whom
from models.bulk import Rows
from models.contact import Consent, Contact
from models.database import AnyRow, Database, insert, table
from models.message import Message
from models.reads.broadcasts import BroadcastInFull, show_broadcast
from models.roster import ContactList, ListMember
from tabiji.channels.email.smtp import SmtpRelay
from tabiji.domain.broadcasts import BroadcastOrder, Turn
from tabiji.settings import Settings
from tests.mail.relays import Relay, relay

SECRET = "s" * 32
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIST = "newsletter"

_CONTACTS = Rows(Contact, ("id", "email", "timezone", "attributes", "score", "created_at", "recorded_at"))
_CONSENTS = Rows(Consent, ("contact_id", "topic", "given", "confirmed", "source", "at", "recorded_at"))
_MEMBERS = Rows(ListMember, ("contact_id", "list", "at", "recorded_at"))


@dataclass
class Told:
    """A clock that stands until it is told to go on."""

    at: datetime = NOON

    def now(self) -> datetime:
        """See `Clock`."""
        return self.at

    def wall(self) -> datetime:
        """See `Clock`."""
        return self.at


async def crowd(
    database: Database, addresses: Sequence[str | None], *, zone: str | None = None, consent: bool = True, **facts: Any
) -> list[UUID]:
    """People on the list, in the order of their addresses."""
    people = [new_id() for _ in addresses]
    async with database.write() as tx:
        named = insert(tx, ContactList).values(name=LIST, recorded_at=NOON)
        await tx.execute(named.on_conflict_do_nothing())
        contacts = [(id, address, zone, facts, 0, NOON, NOON) for id, address in zip(people, addresses, strict=True)]
        await _CONTACTS.write(tx, contacts)
        await _CONSENTS.write(tx, [(id, "marketing", consent, True, "test", NOON, NOON) for id in people])
        await _MEMBERS.write(tx, [(id, LIST, NOON, NOON) for id in people])
    return people


def addresses(number: int) -> list[str]:
    return [f"p{n}@example.jp" for n in range(number)]


@dataclass
class Hall:
    """The parts of a worker that send broadcasts."""

    database: Database
    relay: Relay
    clock: Told
    turns: Turns
    desk: Broadcasts
    orders: dict[UUID, BroadcastOrder] = field(default_factory=dict[UUID, BroadcastOrder])

    async def create(self, **plan: Any) -> UUID:
        given: dict[str, Any] = {
            "name": "sale",
            "template": "whitepaper/welcome",
            "topic": "marketing",
            "whom": Whom(list=LIST),
        }
        return await self.desk.create(Plan(**(given | plan)), by="test")

    async def turn(self, id: UUID, *, attempt: int = 1) -> Turn:
        """One turn. The next goes on from it."""
        environment = ActivityEnvironment()
        environment.info = replace(
            environment.info,
            attempt=attempt,
            activity_id=str(len(self.orders)),
            start_to_close_timeout=timedelta(minutes=3),
        )
        turn = await environment.run(self.turns.turn, self.orders.get(id, BroadcastOrder(broadcast_id=str(id))))
        self.orders[id] = turn.order
        return turn

    async def run(self, id: UUID) -> Turn:
        """Turns until it is over or waits."""
        while True:
            turn = await self.turn(id)
            if turn.over or turn.wait:
                return turn

    async def finish(self, id: UUID) -> None:
        """Turns to its end; the clock goes on to whatever it waits for."""
        for _ in range(50):
            turn = await self.run(id)
            if turn.over:
                return
            self.clock.at += turn.wait
        raise AssertionError("it is not over")

    async def show(self, id: UUID) -> BroadcastInFull:
        async with self.database.read() as tx:
            found = await show_broadcast(tx, id)
        assert found is not None
        return found

    async def messages(self, id: UUID) -> list[AnyRow]:
        messages = table(Message)
        async with self.database.read() as tx:
            return list((await tx.execute(select(messages).where(messages.c.broadcast_id == id))).all())

    def got(self) -> Counter[str]:
        """How many mails have reached each address."""
        return Counter(self.relay.recipients)


@asynccontextmanager
async def hall(database: Database, templates: Path | None = None, **more: Any) -> AsyncGenerator[Hall]:
    """Open until the end of the block."""
    given: dict[str, Any] = {"secret": SecretStr(SECRET), "timezone": "UTC", "quiet_hours": None} | more
    if templates is not None:
        given["templates"] = templates
    settings = Settings(_env_file=None, **given)  # type: ignore[call-arg, unused-ignore] # pydantic-settings' own
    clock = Told()
    async with relay() as server:
        carrier = SmtpRelay("127.0.0.1", server.port)
        post = Post.of(settings, database, carrier, secret=SECRET)
        turns = Turns(database, post, clock, zone=settings.zone, connections=4)
        yield Hall(database, server, clock, turns, Broadcasts(database, clock))
        await carrier.close()
