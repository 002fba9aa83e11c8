"""Broadcasts as ops see them: how far each is, by the ledger, and who would get one."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.audience import members
from models.broadcast import Broadcast, BroadcastRecipient
from models.broadcasts import audience_of
from models.contact import Contact
from models.database import AnyRow, Database, database_time, table
from models.ledger import SETTLED
from models.message import Message
from models.pause import Pause, Scope
from models.reads.shapes import Shown
from models.standing import standings
from tabiji.channels.email.compose import ascii_address
from tabiji.domain.broadcasts import ACTIVE, State
from tabiji.domain.sending.asked import Asked
from tabiji.domain.sending.decide import decide
from tabiji.domain.sending.house import House

LATELY = timedelta(minutes=1)
"""The speed of the last minute tells when it will be done."""
TOLD_FOR = timedelta(hours=1)
_PAGE = 500


class Kept(NamedTuple):
    """What a broadcast's workflow is to hear of, when it is changed."""

    id: UUID
    name: str
    state: str
    paused: bool


class Progress(Shown):
    """What has become of its recipients so far."""

    sent: int
    refused: dict[str, int] = Field(description="by reason")
    failed: int = Field(description="refused by a relay for good, or given up")
    unknown: int = Field(description="may have gone out; not repeated")
    deferred: int = Field(description="held back by quiet hours or caps; taken again")
    retry: int = Field(description="the relay did not take it yet; tried again")
    sending: int
    left: int | None = Field(description="nothing is settled about them yet; null before recipients are written down")
    a_second: float = Field(description="sent, over the last minute")
    done_at: datetime | None = Field(description="when it will be done at this speed, as far as that can be told")


class BroadcastShown(Shown):
    """One mail to many, and how far it is."""

    id: UUID
    name: str
    template: str
    topic: str
    audience: dict[str, Any]
    at: datetime
    local_at: str | None
    rate: float | None
    delay_s: int
    priority: int
    state: str = Field(description="draft, scheduled, sending, done or cancelled")
    paused: bool
    paused_because: str | None
    total: int | None
    by: str
    recorded_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class BroadcastInFull(BroadcastShown):
    """With its progress."""

    progress: Progress


class Preview(BaseModel):
    """Who would get it now, and why the others not."""

    recipients: int
    would_get: int
    later: dict[str, int] = Field(description="held back by rules of time, by reason")
    refused: dict[str, int] = Field(description="by reason")


async def to_be_kept(tx: AsyncConnection) -> list[Kept]:
    """Those under way, and those that were cancelled lately."""
    broadcasts = table(Broadcast)
    lately = await database_time(tx) - TOLD_FOR
    cancelled = (broadcasts.c.state == State.CANCELLED.value) & (broadcasts.c.finished_at > lately)
    query = select(broadcasts.c.id, broadcasts.c.name, broadcasts.c.state).where(
        or_(broadcasts.c.state.in_([state.value for state in ACTIVE]), cancelled)
    )
    rows = (await tx.execute(query)).all()
    pauses = await _pauses(tx) if rows else {}
    return [Kept(row.id, row.name, row.state, "" in pauses or str(row.id) in pauses) for row in rows]


async def list_broadcasts(tx: AsyncConnection, *, limit: int) -> list[BroadcastShown]:
    """The latest first."""
    broadcasts = table(Broadcast)
    rows = await tx.execute(select(broadcasts).order_by(broadcasts.c.recorded_at.desc(), broadcasts.c.id).limit(limit))
    pauses = await _pauses(tx)
    return [BroadcastShown(**_plain(row, pauses)) for row in rows.all()]


async def show_broadcast(tx: AsyncConnection, id: UUID) -> BroadcastInFull | None:
    """One, with its progress."""
    broadcasts = table(Broadcast)
    row = (await tx.execute(select(broadcasts).where(broadcasts.c.id == id))).one_or_none()
    if row is None:
        return None
    return BroadcastInFull(**_plain(row, await _pauses(tx)), progress=await _progress(tx, row))


async def preview(database: Database, house: House, row: AnyRow, now: datetime) -> Preview:
    """Ask the rules about everybody it is for, page by page. Nothing is locked, and nothing written."""
    asked = Asked(
        topic=row.topic,
        at=max(now, row.at),
        first_at=max(now, row.at),
        delay=timedelta(seconds=row.delay_s),
        priority=row.priority,
        journey=row.name,
    )
    would, people, later, refused = 0, 0, Counter[str](), Counter[str]()
    async for tx, contacts in _everybody(database, row):
        known = await standings(tx, contacts, house, topics=[row.topic])
        for contact in contacts:
            people += 1
            verdict = decide(known[contact.id], asked, house)
            if verdict is not None:
                (later if verdict.state == "deferred" else refused)[verdict.reason or ""] += 1
            elif ascii_address(contact.email) is None:
                refused["invalid_address"] += 1
            else:
                would += 1
    return Preview(recipients=people, would_get=would, later=dict(later), refused=dict(refused))


async def _everybody(database: Database, row: AnyRow) -> AsyncGenerator[tuple[AsyncConnection, list[AnyRow]]]:
    audience, after = audience_of(row.audience), None
    more = True
    while more:
        async with database.read() as tx:
            if audience is not None:
                found, after = await members(tx, audience, after=after, limit=_PAGE)
                more = after is not None
            else:
                found = list((await tx.execute(_named(row.id, after))).all())
                more, after = len(found) == _PAGE, found[-1].id if found else None
            yield tx, found


def _named(id: UUID, after: UUID | None) -> Select[Any]:
    contacts, recipients = table(Contact), table(BroadcastRecipient)
    query = select(contacts).join(recipients, recipients.c.contact_id == contacts.c.id)
    query = query.where(recipients.c.broadcast_id == id).order_by(contacts.c.id).limit(_PAGE)
    return query if after is None else query.where(contacts.c.id > after)


async def _pauses(tx: AsyncConnection) -> dict[str, str | None]:
    """What pauses broadcasts: by broadcast, and under no name what pauses everything. With why."""
    pauses = table(Pause)
    scopes = pauses.c.scope.in_((Scope.EVERYTHING.value, Scope.BROADCAST.value))
    rows = await tx.execute(select(pauses.c.target, pauses.c.reason).where(pauses.c.resumed_at.is_(None), scopes))
    return {row.target: row.reason for row in rows}


def _plain(row: AnyRow, pauses: dict[str, str | None]) -> dict[str, Any]:
    found = next((target for target in (str(row.id), "") if target in pauses), None)
    over = row.state in (State.DONE, State.CANCELLED)
    shown = {name: getattr(row, name) for name in BroadcastShown.model_fields if not name.startswith("paused")}
    paused = found is not None and not over
    return shown | {"paused": paused, "paused_because": pauses[found] if paused and found is not None else None}


async def _progress(tx: AsyncConnection, row: AnyRow) -> Progress:
    messages = table(Message)
    mine = messages.c.broadcast_id == row.id
    grouped = select(messages.c.state, messages.c.reason, func.count().label("n")).where(mine)
    states, refused = Counter[str](), Counter[str]()
    for found in await tx.execute(grouped.group_by(messages.c.state, messages.c.reason)):
        states[found.state] += found.n
        if found.state == "refused":
            refused[found.reason or ""] += found.n
    now = await database_time(tx)
    lately = now - min(LATELY, max(now - (row.started_at or now), timedelta(seconds=1)))
    just_sent = await tx.scalar(select(func.count()).where(mine, messages.c.sent_at > lately)) or 0
    speed = just_sent / (now - lately).total_seconds()
    left = None if row.total is None else max(row.total - sum(states[state] for state in SETTLED), 0)
    return Progress(
        sent=states["sent"],
        refused=dict(refused),
        failed=states["failed"],
        unknown=states["unknown"],
        deferred=states["deferred"],
        retry=states["retry"],
        sending=states["on_wire"] + states["claimed"],
        left=left,
        a_second=round(speed, 1),
        done_at=await _done_at(tx, row, left, row.rate or speed, now),
    )


async def _done_at(tx: AsyncConnection, row: AnyRow, left: int | None, speed: float, now: datetime) -> datetime | None:
    if left is None or row.state not in ACTIVE or (left and not speed):
        return None
    recipients = table(BroadcastRecipient)
    last: datetime | None = await tx.scalar(
        select(func.max(recipients.c.due)).where(recipients.c.broadcast_id == row.id)
    )
    by_speed = now + timedelta(seconds=left / speed) if speed else now
    return max(by_speed, last) if last is not None else by_speed
