"""Writes events, many in one statement. A message that is there already is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.bulk import Rows, among
from models.database import table
from models.event import Event
from models.incoming import Incoming

_EVENTS = Rows(
    Event,
    (
        "contact_id",
        "kind",
        "name",
        "properties",
        "context",
        "message_id",
        "identity",
        "enrollment_id",
        "at",
        "recorded_at",
    ),
    unless="message_id",
)


class Said(NamedTuple):
    """An item, the contact it is of, and the identity it came under, as `kind:value`."""

    item: Incoming
    contact: UUID
    identity: str | None = None


async def store(tx: AsyncConnection, batch: Iterable[Said], *, recorded_at: datetime) -> dict[str, int]:
    """Write events in their order; the contacts are locked by this transaction.

    Returns:
        The place in the database's order of each message that was new.
    """
    # Where one message comes twice in a batch, the first is it: what comes second finds it there.
    rows: list[tuple[Any, ...]] = [
        (
            contact,
            item.kind,
            item.name,
            item.properties,
            item.context,
            item.message_id,
            identity,
            item.enrollment_id,
            item.at,
            recorded_at,
        )
        for item, contact, identity in batch
    ]
    return {message_id: seq for seq, message_id in await _EVENTS.numbered(tx, rows, "message_id")}


async def seqs_of(tx: AsyncConnection, messages: Sequence[str]) -> dict[str, int]:
    """The places of messages that are there."""
    if not messages:
        return {}
    events = table(Event)
    query = select(events.c.message_id, events.c.seq).where(among(tx, events.c.message_id, messages))
    return {row.message_id: row.seq for row in await tx.execute(query)}
