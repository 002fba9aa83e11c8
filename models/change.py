"""A contact that is being changed: locked, in one transaction with the events that tell of it.

async def work(change: Change) -> bool:
    ...                                     # write what is to be written through `change.tx`
    change.tell(Fact.TAG_ADDED, tag="vip")  # and say so: triggers, goals and waits need nothing else
    return True

await recorder.change(contact_id, work, source=order.key)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contact import Contact
from models.database import AnyRow, table
from models.incoming import Incoming
from tabiji.domain.facts import KIND, Fact

LONGEST_ID = 256
"""Of a message id."""


@dataclass(frozen=True)
class Moment:
    """When something is changed, in journey time and by the clock the workflows run by, and whether in a rehearsal."""

    at: datetime
    wall: datetime
    tempo: float | None = None
    test: bool = False


@dataclass(frozen=True)
class Told:
    """One thing that was changed, as it will be recorded. `only`: the one enrollment that is to hear of it."""

    fact: Fact
    message_id: str
    properties: dict[str, JsonValue]
    only: str | None = None


@dataclass
class Change:
    """The contact, as they are in this transaction, and what has been told of them in it."""

    tx: AsyncConnection
    contact: AnyRow
    at: datetime
    recorded_at: datetime
    source: str
    told: list[Told] = field(default_factory=list[Told])

    def tell(
        self, fact: Fact, properties: Mapping[str, JsonValue], *, about: str = "", only: str | None = None
    ) -> None:
        """Have an event recorded at the end of the transaction.

        Args:
            fact: What happened.
            properties: Of the event.
            about: Tells several of one kind apart.
            only: The one enrollment that is to hear of it; every one that waits for it, where not given.
        """
        self.told.append(Told(fact, change_id(self.source, fact, about), dict(properties), only))

    async def write(self, **values: Any) -> None:
        """Write columns of the contact."""
        contacts = table(Contact)
        written = await self.tx.execute(
            update(contacts).where(contacts.c.id == self.contact.id).values(**values).returning(*contacts.c)
        )
        self.contact = written.one()


def as_incoming(told: Told, contact: UUID, at: datetime) -> Incoming:
    """A change as it is recorded."""
    return Incoming(
        kind=KIND,
        name=told.fact.value,
        message_id=told.message_id,
        at=at,
        properties=told.properties,
        contact_id=contact,
        enrollment_id=told.only,
    )


def change_id(source: str, fact: Fact, about: str = "") -> str:
    """The message id of a change: the same whenever the same thing makes it again."""
    plain = ":".join(_parts(source, fact, about))
    return plain if len(plain) <= LONGEST_ID else f"change:{hashlib.sha256(plain.encode()).hexdigest()}:{fact}"


def _parts(source: str, fact: Fact, about: str) -> Iterator[str]:
    yield from ("change", source, fact.value)
    if about:
        yield about
