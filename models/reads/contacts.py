"""Contacts as the API shows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.account import AccountMember
from models.bulk import among
from models.contact import Contact, ContactTag, Identity
from models.database import table
from models.reads.consents import ConsentShown, decided, now_in_force
from models.reads.shapes import Shown
from models.roster import ListMember


class IdentityShown(Shown):
    """A user id, anonymous id or e-mail that leads here."""

    kind: str
    value: str


class ContactShown(Shown):
    """A contact, with what is in force now."""

    id: UUID
    email: str | None
    timezone: str | None
    locale: str | None
    attributes: dict[str, Any]
    score: int
    stage: str | None = Field(description="of life; null before the first")
    test: bool
    tempo: float | None
    created_at: datetime
    identities: list[IdentityShown]
    tags: list[str]
    lists: list[str]
    accounts: list[str]
    consents: list[ConsentShown] = Field(description="by topic, the decision in force")


async def find_contact(tx: AsyncConnection, kind: str, value: str) -> UUID | None:
    """The contact an identity (kind user, email or anonymous) leads to."""
    identities = table(Identity)
    found = await tx.scalar(
        select(identities.c.contact_id).where(identities.c.kind == kind, identities.c.value == value)
    )
    return None if found is None else await _standing(tx, found)


async def show_contact(tx: AsyncConnection, contact_id: UUID) -> ContactShown | None:
    """One contact; of one that was merged away, the one it was merged into."""
    standing = await _standing(tx, contact_id)
    contacts = table(Contact)
    row = (await tx.execute(select(contacts).where(contacts.c.id == standing))).one_or_none()
    return None if row is None else await _shown(tx, row)


async def whom_to_write(tx: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, ContactShown]:
    """Many contacts with what a letter may say of them: without identities, accounts and decisions.

    Returns:
        Those there are, in a fixed number of statements; who was merged away is not among them.
    """
    contacts = table(Contact)
    query = select(contacts).where(among(tx, contacts.c.id, ids), contacts.c.merged_into.is_(None))
    rows = (await tx.execute(query)).all()
    tags = await _grouped(tx, table(ContactTag), "tag", ids)
    lists = await _grouped(tx, table(ListMember), "list", ids)
    return {
        # As the database has them: nothing is to be proved about thousands of them again.
        row.id: ContactShown.model_construct(
            **_plain(row), identities=[], accounts=[], consents=[], tags=tags[row.id], lists=lists[row.id]
        )
        for row in rows
    }


async def _grouped(tx: AsyncConnection, of: Table, column: str, ids: Collection[UUID]) -> dict[UUID, list[str]]:
    query = select(of.c.contact_id, of.c[column].label("value")).where(among(tx, of.c.contact_id, ids))
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    for row in await tx.execute(query.order_by(of.c[column])):
        found[row.contact_id].append(row.value)
    return found


async def _standing(tx: AsyncConnection, contact_id: UUID) -> UUID:
    contacts = table(Contact)
    seen: set[UUID] = set()
    while contact_id not in seen:
        seen.add(contact_id)
        merged = await tx.scalar(select(contacts.c.merged_into).where(contacts.c.id == contact_id))
        contact_id = merged or contact_id
    return contact_id


async def _shown(tx: AsyncConnection, row: Row[Any]) -> ContactShown:
    identities, tags = table(Identity), table(ContactTag)
    members, belongs = table(ListMember), table(AccountMember)
    known = await tx.execute(
        select(identities.c.kind, identities.c.value)
        .where(identities.c.contact_id == row.id)
        .order_by(identities.c.kind, identities.c.value)
    )
    tagged = await tx.execute(select(tags.c.tag).where(tags.c.contact_id == row.id).order_by(tags.c.tag))
    listed = await tx.execute(select(members.c.list).where(members.c.contact_id == row.id).order_by(members.c.list))
    accounts = select(belongs.c.account_id).where(belongs.c.contact_id == row.id).distinct()
    belonging = (await tx.execute(accounts.order_by(belongs.c.account_id))).scalars().all()
    return ContactShown(
        **_plain(row),
        identities=[IdentityShown(kind=one.kind, value=one.value) for one in known],
        tags=[one.tag for one in tagged],
        lists=[one.list for one in listed],
        accounts=list(belonging),
        consents=now_in_force(await decided(tx, row.id)),
    )


def _plain(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "email": row.email,
        "timezone": row.timezone,
        "locale": row.locale,
        "attributes": row.attributes,
        "score": row.score,
        "stage": row.stage,
        "test": row.tempo is not None,
        "tempo": row.tempo,
        "created_at": row.created_at,
    }
