"""How many have agreed to what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.consents import latest_last
from models.contact import Consent
from models.database import table
from tabiji.domain.consents import Decision, in_force


@dataclass
class Counts:
    """Contacts by topic and by what is in force."""

    agreed: Counter[str] = field(default_factory=Counter[str])
    asked: Counter[str] = field(default_factory=Counter[str])
    refused: Counter[str] = field(default_factory=Counter[str])
    stopped_all: int = 0

    @property
    def topics(self) -> frozenset[str]:
        """All that somebody has decided about."""
        return frozenset((*self.agreed, *self.asked, *self.refused))

    def of(self, topic: str) -> tuple[int, int, int]:
        """Who has agreed, was asked, has refused."""
        return self.agreed[topic], self.asked[topic], self.refused[topic]

    def add(self, decisions: list[Decision]) -> None:
        """Count one contact."""
        decided = in_force(decisions)
        for topic, one in decided.by_topic.items():
            kind = self.refused if not one.given else self.agreed if one.confirmed else self.asked
            kind[topic] += 1
        self.stopped_all += decided.others is not None and not decided.agreed


async def counted(tx: AsyncConnection) -> Counts:
    """Go through all decisions, one contact after the other; nothing of it is kept in memory but the counts."""
    consents = table(Consent)
    query = select(consents.c.contact_id, consents.c.topic, consents.c.given, consents.c.confirmed)
    counts, whose, decisions = Counts(), None, list[Decision]()
    rows = await tx.stream(query.order_by(consents.c.contact_id, *latest_last(consents)))
    async for row in rows:
        contact: UUID = row.contact_id
        if contact != whose:
            counts.add(decisions)
            whose, decisions = contact, []
        decisions.append(Decision(row.topic, row.given, row.confirmed))
    counts.add(decisions)
    return counts
