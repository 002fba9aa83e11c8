"""Who would have entered a journey had it been live, and is let in when it goes live.

By its triggers: whose event of the last weeks would have started it, and who has not reached a goal since. By its
schedules: who is in their audience now. Test contacts are nobody's audience.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.audience import count, members
from models.clock import Clock
from models.contact import Contact
from models.database import AnyRow, database_time, lock_contacts, table
from models.enroll import Entry, Pending, enroll
from models.event import Event
from models.filters import may_match
from models.look_back import earliest, last_seq
from tabiji.domain.answers import happened
from tabiji.domain.audience import Audience, Either
from tabiji.domain.conditions import Condition, Found, Seen
from tabiji.domain.journeys import JourneySpec
from tabiji.domain.orders import Happened
from tabiji.domain.patterns import AnyOf

PAGE = 1000
MOST = 200_000
"""Events that are read to answer a question; beyond that the answer is `at least`."""


class Latecomers(BaseModel):
    """Whom to let in: `events`, who did since then what starts it; `audience`, whom its schedules name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    journey: str
    source: Literal["events", "audience"] = "events"
    since: datetime | None = None

    async def enter(
        self, tx: AsyncConnection, spec: JourneySpec, clock: Clock, *, after: str, limit: int, cause: str
    ) -> EnteredPage:
        """Enter the next contacts, by id. Each counts once for a cause, whoever runs this how often."""
        ids = await self._page(tx, spec, UUID(after) if after else None, limit)
        locked = await lock_contacts(tx, ids)
        recorded_at, pending = await database_time(tx), list[Pending]()
        for id in ids:
            contact = locked[id]
            trigger = await self._trigger(tx, spec, contact) if self.source == "events" else None
            if contact.tempo is not None or (self.source == "events" and trigger is None):
                continue
            entry = Entry(
                contact=contact,
                entered_at=clock.now(),
                entered_wall=clock.wall(),
                recorded_at=recorded_at,
                trigger=trigger[0] if trigger else None,
                entry_key=trigger[1] if trigger else "",
                cause=f"{cause}:{contact.id}",
                # What they did before they came in late is behind them.
                entry_seq=await last_seq(tx, contact.id),
                by_clock=trigger is None,
            )
            pending += (await enroll(tx, spec, entry)).pending
        return EnteredPage(pending, len(ids), str(ids[-1]) if ids else after)

    async def _page(self, tx: AsyncConnection, spec: JourneySpec, after: UUID | None, limit: int) -> list[UUID]:
        if self.source == "audience":
            if not spec.schedules:
                return []
            who = Either.model_construct(of=tuple(schedule.who for schedule in spec.schedules))
            return await _members(tx, who, after, limit)
        events = table(Event)
        page = select(events.c.contact_id).where(_starts(spec, self.since)).distinct()
        page = page.order_by(events.c.contact_id).limit(limit)
        found = await tx.execute(page if after is None else page.where(events.c.contact_id > after))
        return list(found.scalars().all())

    async def _trigger(self, tx: AsyncConnection, spec: JourneySpec, contact: AnyRow) -> tuple[Happened, str] | None:
        """The latest of their events that starts it, and its re-entry key; None where a goal was reached since."""
        events = table(Event)
        theirs = select(events).where(_starts(spec, self.since), events.c.contact_id == contact.id)
        for row in (await tx.execute(theirs.order_by(events.c.seq.desc()))).all():
            started = _started(spec, row)
            if started is None:
                continue
            if spec.goals and await earliest(tx, contact.id, "", any_of(spec.goals), since=row.seq) is not None:
                return None
            return started
        return None


@dataclass(frozen=True)
class EnteredPage:
    """What came of a page."""

    pending: list[Pending]
    looked_at: int
    place: str


@dataclass(frozen=True)
class Expected:
    """How many people; `exact` is False where there were too many to look at all."""

    people: int
    exact: bool = True


async def latecomers_of(tx: AsyncConnection, spec: JourneySpec, latecomers: Latecomers) -> Expected:
    """How many there are of them now. Those who are in the journey already are counted too."""
    if latecomers.source == "audience":
        if not spec.schedules:
            return Expected(0)
        return Expected(await count(tx, Either.model_construct(of=tuple(one.who for one in spec.schedules))))
    return await would_have_entered(tx, spec, since=latecomers.since)


async def would_have_entered(tx: AsyncConnection, spec: JourneySpec, *, since: datetime | None) -> Expected:
    """How many contacts did since then what starts the journey."""
    if not spec.triggers:
        return Expected(0)
    events, contacts = table(Event), table(Contact)
    query = (
        select(events.c.contact_id, events.c.seq, events.c.name, events.c.properties, events.c.at)
        .join(contacts, contacts.c.id == events.c.contact_id)
        .where(_starts(spec, since), contacts.c.tempo.is_(None), contacts.c.merged_into.is_(None))
        .order_by(events.c.contact_id, events.c.seq)
        .limit(PAGE)
    )
    people, looked_at, last = set[UUID](), 0, None
    while looked_at < MOST:
        page = query if last is None else query.where(_beyond(last))
        rows = (await tx.execute(page)).all()
        people |= set(_starting(spec, rows))
        if len(rows) < PAGE:
            return Expected(len(people))
        looked_at, last = looked_at + len(rows), rows[-1]
    return Expected(len(people), exact=False)


async def _members(tx: AsyncConnection, who: Audience, after: UUID | None, limit: int) -> list[UUID]:
    """The next members; fewer than `limit` only where there are no more."""
    found: list[UUID] = []
    while True:
        rows, after = await members(tx, who, after=after, limit=limit)
        found += [row.id for row in rows]
        if after is None or len(found) >= limit:
            return found[:limit]


def any_of(conditions: Sequence[Condition]) -> AnyOf:
    """One pattern of several conditions, for a look-back."""
    return AnyOf.model_construct(of=tuple(conditions))


def _starts(spec: JourneySpec, since: datetime | None) -> ColumnElement[bool]:
    events = table(Event)
    names = events.c.name.in_(sorted({trigger.event for trigger in spec.triggers}))
    starts = and_(names, events.c.enrollment_id.is_(None), may_match(events, any_of(spec.triggers)))
    return starts if since is None else and_(starts, events.c.recorded_at >= since)


def _beyond(last: AnyRow) -> ColumnElement[bool]:
    events = table(Event)
    same = and_(events.c.contact_id == last.contact_id, events.c.seq > last.seq)
    return or_(events.c.contact_id > last.contact_id, same)


def _starting(spec: JourneySpec, rows: Sequence[AnyRow]) -> Iterator[UUID]:
    for contact, theirs in groupby(rows, key=lambda row: row.contact_id):
        if any(_started(spec, row) is not None for row in theirs):
            yield contact


def _started(spec: JourneySpec, row: AnyRow) -> tuple[Happened, str] | None:
    key = spec.reentry.entry_key(row.properties)
    for trigger in spec.triggers:
        if key is not None and trigger.matches(row.name, row.properties):
            seen = Seen(row.seq, row.name, row.properties, row.at)
            return happened(trigger, Found((seen,), parts=(seen,))), key
    return None
