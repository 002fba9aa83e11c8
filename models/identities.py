"""Finds the contact an identity leads to, or makes one.

An anonymous visitor who says who they are becomes that contact, unless this contact is somebody else already:
two people on one device never become one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import new_id
from models.change import Told
from models.contact import Contact, Identity
from models.database import AnyRow, insert, table
from models.enroll import Pending

Key = tuple[str, str]
"""Kind and value of an identity."""

DISTINGUISHING = ("user", "email")
"""Kinds of which a contact has one: another value is another person."""


class Claims(Protocol):
    """What a caller says about who somebody is."""

    @property
    def contact_id(self) -> UUID | None: ...  # noqa: D102 # a field of `Incoming`
    @property
    def user_id(self) -> str | None: ...  # noqa: D102
    @property
    def email(self) -> str | None: ...  # noqa: D102
    @property
    def anonymous_id(self) -> str | None: ...  # noqa: D102


class LostRace(Exception):
    """Another transaction gave one of these identities to a contact first. Start again: it is visible now."""


@dataclass
class _Known:
    """Identities by key and by contact, with what this batch adds."""

    contact_of: dict[Key, UUID]
    keys_of: dict[UUID, set[Key]]
    added: dict[Key, UUID]
    made: list[UUID]

    def give(self, key: Key, contact: UUID) -> None:
        self.contact_of[key] = self.added[key] = contact
        self.keys_of.setdefault(contact, set()).add(key)


@dataclass
class Resolved:
    """The contact of each item of a batch, in its order, and what was believed when they were chosen."""

    contacts: list[UUID]
    to_lock: set[UUID]
    """All that must be locked before `settle`: those, and whoever else the batch may change."""
    addresses: list[str | None]
    """What each item says the address is, where that address leads to its contact and to nobody else."""
    enlarged: dict[UUID, set[Key]]
    """Contacts that were there before and got an identity, with all they should have now."""


async def contacts_for(
    tx: AsyncConnection, batch: Sequence[Claims], *, now: datetime, recorded_at: datetime
) -> Resolved:
    """Find the contacts of a batch. New identities and contacts are written.

    Lock the contacts next, and then `check_still_true`.

    Raises:
        LostRace: See there.
    """
    keys = sorted({key for item in batch for key in keys_of(item)})
    known = await _known(tx, keys, {item.contact_id for item in batch if item.contact_id is not None})
    found = [_resolve(item, known) for item in batch]
    if known.added:
        await _write_identities(tx, known.added)
    if known.made:
        made: list[dict[str, Any]] = [
            {"id": contact, "attributes": {}, "score": 0, "created_at": now, "recorded_at": recorded_at}
            for contact in sorted(known.made)
        ]
        await tx.execute(insert(tx, Contact), made)
    addresses = [
        item.email if item.email and known.contact_of.get(("email", item.email)) == contact else None
        for item, contact in zip(batch, found, strict=True)
    ]
    enlarged = {contact: known.keys_of[contact] for contact in {*known.added.values()}.difference(known.made)}
    return Resolved(found, set(found), addresses, enlarged)


@dataclass
class Settled:
    """The contact of each item under the lock, and what became of those that were merged or parted."""

    contacts: list[UUID]
    """Of each item, in the order of the batch. Rows of these are in `rows`."""
    identities: list[str | None]
    """Of each item: the identity it came under, for `event.identity` and `consent.identity`."""
    rows: dict[UUID, AnyRow]
    """Contacts by id, as they are now."""
    pending: list[Pending] = field(default_factory=list[Pending])
    """What must reach Temporal: journeys woken by what was moved to their contact, and ended ones."""
    told: list[tuple[UUID, Told]] = field(default_factory=list[tuple[UUID, Told]])
    """Facts of these contacts, to be recorded after the batch."""


async def settle(tx: AsyncConnection, resolved: Resolved, locked: dict[UUID, AnyRow]) -> Settled:
    """Do what needs the lock: make sure that what was resolved still holds, merge and part contacts.

    Args:
        tx: Where `resolved.to_lock` are locked.
        resolved: What `contacts_for` found.
        locked: What `lock_contacts` returned for `resolved.to_lock`.

    Raises:
        LostRace: It does not hold any more. Start the transaction again.
    """
    await check_still_true(tx, resolved)
    contacts = [locked[contact].id for contact in resolved.contacts]
    rows = {row.id: row for row in locked.values()}
    return Settled(contacts, [None for _ in contacts], rows)


async def check_still_true(tx: AsyncConnection, resolved: Resolved) -> None:
    """Read again, under the lock, the identities of contacts that got one more.

    Two people who say at the same moment who they are, both on one device, were each seen to fit the device's
    anonymous visitor. The second to get the lock finds here that it no longer does.

    Raises:
        LostRace: A contact has an identity that was not there when the batch was resolved.
    """
    enlarged = resolved.enlarged
    if not enlarged:
        return
    identities = table(Identity)
    rows = await tx.execute(
        select(identities.c.kind, identities.c.value, identities.c.contact_id).where(
            identities.c.contact_id.in_(sorted(enlarged))
        )
    )
    if any((row.kind, row.value) not in enlarged[row.contact_id] for row in rows):
        raise LostRace


def keys_of(item: Claims) -> list[Key]:
    """Identities an item names, the most telling first."""
    named = (("user", item.user_id), ("email", item.email), ("anonymous", item.anonymous_id))
    return [(kind, value) for kind, value in named if value]


async def _known(tx: AsyncConnection, keys: Sequence[Key], named: set[UUID]) -> _Known:
    identities = table(Identity)
    columns = select(identities.c.kind, identities.c.value, identities.c.contact_id)
    known = _Known({}, {}, {}, [])
    if not keys:
        return known
    rows = (await tx.execute(columns.where(tuple_(identities.c.kind, identities.c.value).in_(keys)))).all()
    contacts = {row.contact_id for row in rows} | named
    if contacts:
        rows = (await tx.execute(columns.where(identities.c.contact_id.in_(contacts)))).all()
    for row in rows:
        known.contact_of[(row.kind, row.value)] = row.contact_id
        known.keys_of.setdefault(row.contact_id, set()).add((row.kind, row.value))
    return known


def _resolve(item: Claims, known: _Known) -> UUID:
    keys = keys_of(item)
    if item.contact_id is not None:
        if item.email and ("email", item.email) not in known.contact_of:
            known.give(("email", item.email), item.contact_id)
        return item.contact_id
    contact = next((known.contact_of[key] for key in keys if key in known.contact_of and _fits(known, key, keys)), None)
    if contact is None:
        contact = new_id()
        known.made.append(contact)
    for key in keys:
        if key not in known.contact_of:
            known.give(key, contact)
    return contact


def _fits(known: _Known, found_by: Key, keys: Sequence[Key]) -> bool:
    """Whether the contact an identity leads to can be the one the more telling identities name."""
    theirs = known.keys_of.get(known.contact_of[found_by], set())
    for kind, value in keys:
        if (kind, value) == found_by:
            return True
        if kind in DISTINGUISHING and any(k == kind and v != value for k, v in theirs):
            return False
    return True


async def _write_identities(tx: AsyncConnection, added: dict[Key, UUID]) -> None:
    rows: list[dict[str, Any]] = [
        {"kind": kind, "value": value, "contact_id": contact, "first_user_doubted": False}
        for (kind, value), contact in sorted(added.items())
    ]
    await tx.execute(insert(tx, Identity).on_conflict_do_nothing(), rows)
    identities = table(Identity)
    now_there = await tx.execute(
        select(identities.c.kind, identities.c.value, identities.c.contact_id).where(
            tuple_(identities.c.kind, identities.c.value).in_(sorted(added))
        )
    )
    if any(added[(row.kind, row.value)] != row.contact_id for row in now_there):
        raise LostRace
