"""What a group of items says about the people they are of: consents, and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from models.change import as_incoming
from models.contact import Consent
from models.database import AnyRow, insert
from models.incoming import IMPORTED, NOBODY, ConsentGiven, Incoming
from models.profiles import Saying, learn
from models.store import Said
from tabiji.domain.identities import EMAIL, written


class New(NamedTuple):
    """An item that was not there before. `address` is its e-mail address where that leads to this contact."""

    item: Incoming
    contact: UUID
    seq: int
    address: str | None
    identity: str | None


async def note_consents(tx: AsyncConnection, new: Sequence[New], *, recorded_at: datetime) -> None:
    """Keep each decision with its proof."""
    consents = [_row(one, one.item.consent, recorded_at) for one in new if one.item.consent is not None]
    if consents:
        await tx.execute(insert(tx, Consent), consents)


def _row(one: New, consent: ConsentGiven, recorded_at: datetime) -> dict[str, Any]:
    row = asdict(consent)
    address = row.pop("address")
    by_link = written((EMAIL, address)) if address else None
    return {
        "contact_id": one.contact,
        **row,
        "identity": by_link or one.identity,
        "at": one.item.at,
        "recorded_at": recorded_at,
    }


def says_something(one: New) -> bool:
    """Whether there may be something to learn from an item."""
    return bool(one.item.traits) or one.item.tempo is not None or one.address is not None


async def learn_all(tx: AsyncConnection, new: Sequence[New], contacts: dict[UUID, AnyRow]) -> list[Said]:
    """Learn from what is new: a request that comes again late must not undo what was said after it.

    Args:
        tx: Holds the contacts' locks.
        new: What was not there before.
        contacts: The rows of those of whom something is said; those that change are replaced.

    Returns:
        What has changed, to be recorded after what said so.
    """
    items: dict[str, Incoming] = {}
    sayings: list[Saying] = []
    for one in new:
        if says_something(one):
            item, contact, _, address, identity = one
            items[item.message_id] = item
            traits, source = item.traits, item.message_id
            told = item.kind != IMPORTED or item.enrollment_id != NOBODY
            sayings.append(Saying(contact, identity, item.at, traits, source, address or None, item.tempo, told))
    changes: list[Said] = []
    for saying, fresh in await learn(tx, sayings, contacts):
        fact = as_incoming(fresh, saying.contact, saying.at)
        if items[saying.source].enrollment_id == NOBODY:
            fact = replace(fact, enrollment_id=NOBODY)
        changes.append(Said(fact, saying.contact))
    return changes
