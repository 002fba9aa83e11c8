"""What somebody has decided, with its proof, and what of it is in force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.consents import latest_first, latest_last
from models.contact import Consent
from models.database import AnyRow, table
from models.reads.shapes import Shown
from tabiji.domain.topics import EVERYTHING


class ConsentShown(Shown):
    """A decision about one topic, and what proves it."""

    topic: str
    given: bool
    confirmed: bool = Field(description="false: asked for, and no right to mail before the address confirms it")
    everything: bool = Field(default=False, description="it was a no to every topic at once")
    source: str
    wording: str | None = Field(description="what they read")
    version: str | None = Field(description="of the wording")
    purpose: str | None = Field(description="what they were told the topic is for")
    purpose_version: str | None
    network: str | None = Field(description="the address it came from, without its end")
    user_agent: str | None
    at: datetime


async def decided(tx: AsyncConnection, contact_id: UUID) -> list[ConsentShown]:
    """All that somebody has decided, in the order in which it counts: the last of a topic last."""
    consents = table(Consent)
    rows = await tx.execute(
        select(consents).where(consents.c.contact_id == contact_id).order_by(*latest_last(consents))
    )
    return [_shown(row) for row in rows]


def now_in_force(decisions: Sequence[ConsentShown]) -> list[ConsentShown]:
    """Of each topic the decision that counts, by `tabiji.domain.consents`; a no to everything is one of each topic."""
    found: dict[str, ConsentShown] = {}
    for one in decisions:
        if one.topic == EVERYTHING:
            found = {topic: one.model_copy(update={"topic": topic}) for topic in (*found, EVERYTHING)}
            continue
        before = found.get(one.topic)
        if one.given and not one.confirmed and before is not None and before.given and before.confirmed:
            continue
        found[one.topic] = one
    return [found[topic] for topic in sorted(found)]


async def requested(tx: AsyncConnection, contact_id: UUID, topic: str) -> AnyRow | None:
    """The latest request for a topic, whether or not it has been answered since."""
    consents = table(Consent)
    asked = (consents.c.contact_id == contact_id) & (consents.c.topic == topic)
    query = select(consents).where(asked, consents.c.given, ~consents.c.confirmed).order_by(*latest_first(consents))
    row: AnyRow | None = (await tx.execute(query.limit(1))).one_or_none()
    return row


def _shown(row: AnyRow) -> ConsentShown:
    values: dict[str, Any] = {name: getattr(row, name) for name in ConsentShown.model_fields if name != "everything"}
    return ConsentShown(**values, everything=row.topic == EVERYTHING)
