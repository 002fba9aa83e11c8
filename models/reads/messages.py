"""Messages by the name their links carry."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import table
from models.message import Message


@dataclass(frozen=True)
class Sent:
    """What a link of a mail must know of it."""

    public_id: str
    contact_id: UUID
    template: str


async def find_message(tx: AsyncConnection, public_id: str) -> Sent | None:
    """The message, unless it is not there (any more)."""
    messages = table(Message)
    query = select(messages.c.public_id, messages.c.contact_id, messages.c.template)
    row = (await tx.execute(query.where(messages.c.public_id == public_id))).one_or_none()
    return None if row is None else Sent(row.public_id, row.contact_id, row.template)
