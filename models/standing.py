"""What the database knows of people that bears on whether they may be written to: a fixed number of statements,
however many they are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from models.consents import decisions_in_force
from models.database import AnyRow
from models.replies import pauses_by_replies
from models.suppressions import in_force
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
    suppressed = await in_force(tx, {contact.email for contact in contacts if contact.email is not None})
    replied = await pauses_by_replies(tx, ids) if house.replies_pause and needed else {}
    return {
        contact.id: Standing(
            address=contact.email,
            suppressed=suppressed.get(contact.email, ()) if contact.email is not None else (),
            replied=replied.get(contact.id),
            zone=ZoneInfo(contact.timezone) if contact.timezone else None,
            agreed=agreed.get(contact.id, {}),
        )
        for contact in contacts
    }


async def _agreed(tx: AsyncConnection, ids: Sequence[UUID], topics: Sequence[str]) -> dict[UUID, dict[str, Agreed]]:
    decided = await decisions_in_force(tx, ids, topics)
    return {
        contact: {topic: agreed for topic in topics if (agreed := said.of(topic)) is not None}
        for contact, said in decided.items()
    }
