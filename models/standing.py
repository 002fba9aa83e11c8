"""What the database knows of people that bears on whether they may be written to: a fixed number of statements,
however many they are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.consents import latest_last
from models.contact import Consent
from models.database import AnyRow, table
from tabiji.domain.sending.house import House
from tabiji.domain.sending.standing import Agreed, Standing


async def standings(
    tx: AsyncConnection, contacts: Sequence[AnyRow], house: House, *, topics: Collection[str]
) -> dict[UUID, Standing]:
    """What is known of each contact.

    Args:
        tx: Holds the contacts' locks where something is to be decided by it.
        contacts: Their rows.
        house: Where nothing in it asks for a fact, the fact is not read.
        topics: Those that messages are to be about.
    """
    ids = [contact.id for contact in contacts]
    needed = sorted(topic for topic in topics if not house.topics.is_transactional(topic))
    agreed = await _agreed(tx, ids, needed) if needed else {}
    return {
        contact.id: Standing(
            address=contact.email,
            zone=ZoneInfo(contact.timezone) if contact.timezone else None,
            agreed=agreed.get(contact.id, {}),
        )
        for contact in contacts
    }


async def _agreed(tx: AsyncConnection, ids: Sequence[UUID], topics: Sequence[str]) -> dict[UUID, dict[str, Agreed]]:
    consents = table(Consent)
    rows = await tx.execute(
        select(consents.c.contact_id, consents.c.topic, consents.c.given, consents.c.confirmed)
        .where(consents.c.contact_id.in_(ids), consents.c.topic.in_(topics))
        .order_by(*latest_last(consents))
    )
    found: dict[UUID, dict[str, Agreed]] = {}
    for row in rows:
        found.setdefault(row.contact_id, {})[row.topic] = Agreed(row.given, row.confirmed)
    return found
