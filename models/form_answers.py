"""What is known of who opens a form: the names of questions, never an answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contact import Contact
from models.database import Database, database_time, insert, table
from models.form_answer import FormAnswer

_MOST_MERGES = 20


def visitor(anonymous_id: str) -> str:
    """How an anonymous id is kept here."""
    return hashlib.sha256(f"form:{anonymous_id}".encode()).hexdigest()


async def answered(tx: AsyncConnection, anonymous_id: str) -> frozenset[str]:
    """The questions this visitor has answered before."""
    answers = table(FormAnswer)
    rows = await tx.scalars(select(answers.c.field).where(answers.c.visitor == visitor(anonymous_id)))
    return frozenset(rows)


async def remember(database: Database, anonymous_id: str, fields: Iterable[str]) -> None:
    """Ask this visitor these questions no more.

    Raises:
        DatabaseDown: Then they are asked once more.
    """
    names = sorted(set(fields))
    if not names:
        return

    async def keep(tx: AsyncConnection) -> None:
        recorded_at = await database_time(tx)
        await tx.execute(
            insert(tx, FormAnswer).on_conflict_do_nothing(),
            [{"visitor": visitor(anonymous_id), "field": name, "recorded_at": recorded_at} for name in names],
        )

    await database.transact(keep)


async def known_of(tx: AsyncConnection, contact_id: UUID) -> frozenset[str] | None:
    """What is known of a contact, by name: attributes, `email`. None: they are gone."""
    contacts = table(Contact)
    wanted = contact_id
    for _ in range(_MOST_MERGES):
        row = (
            await tx.execute(
                select(contacts.c.email, contacts.c.attributes, contacts.c.merged_into).where(contacts.c.id == wanted)
            )
        ).first()
        if row is None:
            return None
        if row.merged_into is None:
            given = {name for name, value in row.attributes.items() if value not in (None, "", [])}
            return frozenset(given | ({"email"} if row.email else set()))
        wanted = row.merged_into
    return None
