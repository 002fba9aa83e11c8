"""Which of a contact's decisions about a topic is in force."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.bulk import among
from models.contact import Consent
from models.database import table
from tabiji.domain.consents import Decision, InForce, in_force
from tabiji.domain.topics import EVERYTHING


def latest_first(consents: Table) -> tuple[Any, ...]:
    """The order in which decisions count: what was decided last, whenever it came in; of one moment the no."""
    return consents.c.at.desc(), consents.c.given, consents.c.id.desc()


def latest_last(consents: Table) -> tuple[Any, ...]:
    """The same the other way round."""
    return consents.c.at, consents.c.given.desc(), consents.c.id


def certain(consents: Table) -> ColumnElement[bool]:
    """Decisions that count by themselves, not only asked for."""
    return consents.c.confirmed | ~consents.c.given


def counts_for(consents: Table, topic: str) -> ColumnElement[bool]:
    """The decisions that bear on a topic; the latest of them is in force. See `tabiji.domain.consents`."""
    of_all = (consents.c.topic == EVERYTHING) & ~consents.c.given
    return or_(of_all, (consents.c.topic == topic) & certain(consents))


async def decisions_in_force(
    tx: AsyncConnection, contacts: Iterable[UUID], topics: Collection[str] | None = None
) -> dict[UUID, InForce]:
    """What each of these contacts has decided: one statement, however many they are.

    Args:
        tx: Holds their locks where something is to be decided by it.
        contacts: Who. Those who have never decided anything are absent from the answer.
        topics: Those that matter; None: every topic.
    """
    consents = table(Consent)
    query = select(consents.c.contact_id, consents.c.topic, consents.c.given, consents.c.confirmed).where(
        among(tx, consents.c.contact_id, contacts)
    )
    if topics is not None:
        query = query.where(consents.c.topic.in_((*topics, EVERYTHING)))
    decided: dict[UUID, list[Decision]] = {}
    for row in await tx.execute(query.order_by(*latest_last(consents))):
        decided.setdefault(row.contact_id, []).append(Decision(row.topic, row.given, row.confirmed))
    return {contact: in_force(decisions) for contact, decisions in decided.items()}
