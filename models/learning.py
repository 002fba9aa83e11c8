"""What a group of items says about the people they are of: consents, and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from models.change import Change, as_incoming
from models.contact import Consent
from models.database import AnyRow, insert
from models.incoming import NOBODY, Incoming
from models.profiles import learn
from models.store import Said


class New(NamedTuple):
    """An item that was not there before. `address` is its e-mail address where that leads to this contact."""

    item: Incoming
    contact: UUID
    seq: int
    address: str | None
    identity: str | None


async def note_consents(tx: AsyncConnection, new: Sequence[New], *, recorded_at: datetime) -> None:
    """Keep each decision with its proof."""
    consents: list[dict[str, Any]] = [
        {
            "contact_id": one.contact,
            **asdict(one.item.consent),
            "identity": one.identity,
            "at": one.item.at,
            "recorded_at": recorded_at,
        }
        for one in new
        if one.item.consent is not None
    ]
    if consents:
        await tx.execute(insert(tx, Consent), consents)


async def learn_all(
    tx: AsyncConnection, new: Sequence[New], contacts: dict[UUID, AnyRow], *, recorded_at: datetime
) -> list[Said]:
    """Learn from what is new: a request that comes again late must not undo what was said after it.

    Args:
        tx: Holds the contacts' locks.
        new: What was not there before.
        contacts: Their rows; those that change are replaced.
        recorded_at: Database time.

    Returns:
        What has changed, to be recorded after what said so.
    """
    changes: list[Said] = []
    for item, contact, _, address, _ in new:
        if not item.traits and item.tempo is None and address is None:
            continue
        change = Change(tx, contacts[contact], item.at, recorded_at, item.message_id)
        columns: dict[str, Any] = {} if item.tempo is None else {"tempo": item.tempo}
        # Who may be written to changes by the word of somebody known, not by a form that anybody can send.
        if address is not None and (change.contact.email is None or item.user_id):
            columns["email"] = address
        await learn(change, item.traits, **columns)
        contacts[contact] = change.contact
        facts = [as_incoming(told, contact, item.at) for told in change.told]
        if item.enrollment_id == NOBODY:
            facts = [replace(fact, enrollment_id=NOBODY) for fact in facts]
        changes += [Said(fact, contact) for fact in facts]
    return changes
