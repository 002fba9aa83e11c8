"""What the database knows of people that bears on whether they may be written to: a fixed number of statements,
however many they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from models.consents import decisions_in_force
from models.database import AnyRow
from models.holdout import held_out
from models.recent import NOTHING, Moment, recent
from models.replies import pauses_by_replies
from models.suppressions import in_force
from tabiji.domain.experiments import Draw
from tabiji.domain.holidays import country_of
from tabiji.domain.sending.house import House
from tabiji.domain.sending.standing import Agreed, Standing


async def standings(
    tx: AsyncConnection,
    contacts: Sequence[AnyRow],
    house: House,
    *,
    topics: Collection[str],
    moment: Moment | None = None,
    holdouts: Iterable[Draw] = (),
) -> dict[UUID, Standing]:
    """What is known of each contact.

    Args:
        tx: Holds the contacts' locks where something is to be decided by it.
        contacts: Their rows.
        house: Where nothing in it asks for a fact, the fact is not read.
        topics: Those that messages are to be about.
        moment: When they are to be sent; absent: it is not asked how much is enough.
        holdouts: Of the journeys they are sent by, beside the house's own.
    """
    ids = [contact.id for contact in contacts]
    needed = sorted(topic for topic in topics if not house.topics.is_transactional(topic))
    agreed = await _agreed(tx, ids, needed) if needed else {}
    suppressed = await in_force(tx, {contact.email for contact in contacts if contact.email is not None})
    replied = await pauses_by_replies(tx, ids) if house.replies_pause and needed else {}
    lately = await recent(tx, ids, house, topics=needed, moment=moment) if moment is not None and needed else {}
    groups = [*holdouts, *((house.holdout,) if house.holdout is not None else ())] if needed else []
    held = await held_out(tx, ids, groups)
    return {
        contact.id: Standing(
            held_out=held.get(contact.id, frozenset()),
            address=contact.email,
            country=country_of(contact.attributes, contact.locale) if house.holidays else None,
            past=tuple(lately.get(contact.id, NOTHING).past),
            waiting=tuple(lately.get(contact.id, NOTHING).waiting),
            ahead=lately.get(contact.id, NOTHING).ahead,
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
