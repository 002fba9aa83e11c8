"""What is known already of those a webhook is about, where its meaning depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contact import Consent, Identity
from models.database import table
from models.event import Event
from models.incoming import Incoming

Key = tuple[str, str]
"""Kind and value of an identity."""


def keys_of(item: Incoming) -> list[Key]:
    """The identities an item names."""
    named = (("user", item.user_id), ("email", item.email), ("anonymous", item.anonymous_id))
    return [(kind, value) for kind, value in named if value]


async def last_of(tx: AsyncConnection, keys: Sequence[Key], name: str) -> dict[str, Any] | None:
    """Properties of the latest event of a name that those behind these identities have; None where there is none."""
    events = table(Event)
    return await tx.scalar(
        select(events.c.properties)
        .where(events.c.contact_id.in_(_contacts(keys)), events.c.name == name)
        .order_by(events.c.seq.desc())
        .limit(1)
    )


async def has_decided_since(tx: AsyncConnection, keys: Sequence[Key], topic: str, at: datetime) -> bool:
    """Whether those behind these identities have decided about a topic at that time or later."""
    consents = table(Consent)
    found = await tx.scalar(
        select(consents.c.id)
        .where(consents.c.contact_id.in_(_contacts(keys)), consents.c.topic == topic, consents.c.at >= at)
        .limit(1)
    )
    return found is not None


def _contacts(keys: Sequence[Key]) -> Select[Any]:
    identities = table(Identity)
    return select(identities.c.contact_id).where(tuple_(identities.c.kind, identities.c.value).in_(list(keys)))
