"""Opens and clicks: what is known of a mail's, and writing them down in the transaction that records their event.

await note_touches(tx, items, recorded_at=now)      from the recorder: touches, the message's columns, corrections
await hold(tx, touch, …)                            a doubtful click waits; its event is recorded when it is settled
await due(tx, now)                                  those that have waited long enough
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.bulk import Rows
from models.database import AnyRow, table
from models.event import Event
from models.incoming import Incoming, TouchMade
from models.message import Message
from models.touch import Touch
from tabiji.domain import machines
from tabiji.domain.machines import Verdict, What, swept

OPENED, CLICKED = "Email Opened", "Email Link Clicked"
MACHINE, PERSON, DOUBTFUL = Verdict.MACHINE.value, Verdict.PERSON.value, Verdict.DOUBTFUL.value
LONGEST_PAGE = 300
MOST = 500
"""Touches of one mail that are looked at, and held ones that are settled, at once."""
WALKED = "all links"

_COLUMNS = (
    "key", "contact_id", "message", "template", "what", "place", "page", "url", "verdict", "why", "source", "at",
    "recorded_at", "due_at",
)  # fmt: skip # one list
_TOUCHES = Rows(Touch, _COLUMNS, unless="key")


@dataclass(frozen=True, slots=True)
class Known:
    """What must be known of a message to judge who opened it.

    Attributes:
        sent_at: Database time at which the relay took it, or at which it was last begun to be sent.
    """

    public_id: str
    contact_id: UUID
    template: str
    sent_at: datetime


async def known_message(tx: AsyncConnection, public_id: str) -> Known | None:
    """The message, unless it is not there (any more) or went to the team."""
    rows = table(Message)
    query = select(
        rows.c.public_id, rows.c.contact_id, rows.c.template, func.coalesce(rows.c.sent_at, rows.c.recorded_at)
    )
    row = (await tx.execute(query.where(rows.c.public_id == public_id, rows.c.audience == "contact"))).one_or_none()
    return Known(*row) if row is not None else None


async def touches_of(tx: AsyncConnection, message: str, *, since: datetime | None = None) -> list[machines.Touch]:
    """What happened to a mail, by database time."""
    return [_as_touch(row) for row in await _rows_of(tx, message, since=since)]


async def note_touches(tx: AsyncConnection, items: Sequence[tuple[Incoming, UUID]], *, recorded_at: datetime) -> None:
    """Write down touches whose events are new. Their contacts are locked."""
    made = [(item, contact, item.touch) for item, contact in items if item.touch is not None]
    if not made:
        return
    await _TOUCHES.write(tx, [_row(item, contact, touch, recorded_at) for item, contact, touch in made])
    settled = [
        {"b_key": item.message_id, "verdict": touch.verdict, "why": touch.why}
        for item, _, touch in made
        if touch.settled
    ]
    if settled:
        rows = table(Touch)
        values: dict[str, Any] = {"verdict": bindparam("verdict"), "why": bindparam("why"), "due_at": None}
        await tx.execute(update(rows).where(rows.c.key == bindparam("b_key")).values(values), settled)
    for (verdict, what), found in _by_kind(made).items():
        await _stamp(tx, verdict, what, found)
    for message in {touch.message for _, _, touch in made if touch.why == WALKED}:
        await correct(tx, message)


async def hold(
    tx: AsyncConnection, item: Incoming, contact: UUID, touch: TouchMade, *, recorded_at: datetime, until: datetime
) -> None:
    """Write down a doubtful click. It is an event once it is settled, by whatever process."""
    await _TOUCHES.write(tx, [(*_row(item, contact, touch, recorded_at)[:-1], until)])


async def due(tx: AsyncConnection, now: datetime) -> list[AnyRow]:
    """Held clicks whose time is over, the oldest first."""
    rows = table(Touch)
    query = select(rows).where(rows.c.due_at.is_not(None), rows.c.due_at <= now).order_by(rows.c.due_at).limit(MOST)
    return list((await tx.execute(query)).all())


async def walked_in(tx: AsyncConnection, message: str) -> frozenset[str]:
    """Keys of a mail's touches that a program made which went through its links, as far as is known by now."""
    rows = await _rows_of(tx, message)
    sent_at = await _sent_at(tx, message)
    return frozenset(rows[place].key for place in swept([*map(_as_touch, rows)], sent_at=sent_at))


async def correct(tx: AsyncConnection, message: str) -> None:
    """Take back what was held of touches before the rest of the walk was seen: they were a program's.

    A journey that has gone on by one of them has gone on; statistics, look-backs and the message's columns are right.
    """
    touches, events = table(Touch), table(Event)
    walked = await walked_in(tx, message)
    wrong = touches.c.key.in_(walked) & (touches.c.verdict == PERSON)
    keys = (await tx.execute(select(touches.c.key).where(wrong))).scalars().all()
    if not keys:
        return
    await tx.execute(update(touches).where(touches.c.key.in_(keys)).values(verdict=MACHINE, why=WALKED))
    told = select(events.c.seq, events.c.properties).where(events.c.message_id.in_(keys))
    for row in (await tx.execute(told)).all():
        properties = {**row.properties, "machine": True}
        await tx.execute(update(events).where(events.c.seq == row.seq).values(properties=properties))
    await _restamp(tx, message)


async def note_delivered(tx: AsyncConnection, message: str, at: datetime) -> None:
    """The recipient's server has taken it, as a provider says."""
    rows = table(Message)
    first = update(rows).where(rows.c.public_id == message, rows.c.delivered_at.is_(None))
    await tx.execute(first.values(delivered_at=at))


def page_of(url: str) -> str:
    """A link without what stands behind its path: of everybody's own link to a page, the page."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path or '/'}"[:LONGEST_PAGE]


def _row(item: Incoming, contact: UUID, touch: TouchMade, recorded_at: datetime) -> tuple[Any, ...]:
    page = page_of(touch.url) if touch.url else None
    return (
        item.message_id, contact, touch.message, touch.template, touch.what, touch.place, page, touch.url,
        touch.verdict, touch.why[:64], touch.source[:32], item.at, recorded_at, None,
    )  # fmt: skip # in the order of the columns


def _by_kind(made: Sequence[tuple[Incoming, UUID, TouchMade]]) -> dict[tuple[str, str], dict[str, datetime]]:
    """Of each message the earliest touch of a kind."""
    found: dict[tuple[str, str], dict[str, datetime]] = {}
    for item, _, touch in made:
        first = found.setdefault((touch.verdict, touch.what), {})
        first[touch.message] = min(item.at, first.get(touch.message, item.at))
    return found


async def _stamp(tx: AsyncConnection, verdict: str, what: str, first: dict[str, datetime]) -> None:
    """Who clicks has opened, too."""
    names = ["machine_at"] if verdict == MACHINE else ["opened_at", *(["clicked_at"] if what == "click" else [])]
    messages = table(Message)
    values = {name: func.coalesce(messages.c[name], bindparam("first", type_=messages.c[name].type)) for name in names}
    change = update(messages).where(messages.c.public_id == bindparam("b_message")).values(values)
    await tx.execute(change, [{"b_message": message, "first": at} for message, at in sorted(first.items())])


async def _restamp(tx: AsyncConnection, message: str) -> None:
    rows, messages = table(Touch), table(Message)

    def first(*tests: Any) -> Any:
        return select(func.min(rows.c.at)).where(rows.c.message == message, *tests).scalar_subquery()

    people = rows.c.verdict == PERSON
    values = {
        "opened_at": first(people),
        "clicked_at": first(people, rows.c.what == "click"),
        "machine_at": first(rows.c.verdict == MACHINE),
    }
    await tx.execute(update(messages).where(messages.c.public_id == message).values(values))


async def _rows_of(tx: AsyncConnection, message: str, *, since: datetime | None = None) -> Sequence[AnyRow]:
    rows = table(Touch)
    query = select(rows.c.key, rows.c.what, rows.c.url, rows.c.recorded_at, rows.c.verdict).where(
        rows.c.message == message, *([rows.c.recorded_at >= since] if since else [])
    )
    return (await tx.execute(query.order_by(rows.c.recorded_at).limit(MOST))).all()


async def _sent_at(tx: AsyncConnection, message: str) -> datetime | None:
    known = await known_message(tx, message)
    return known.sent_at if known is not None else None


def _as_touch(row: AnyRow) -> machines.Touch:
    return machines.Touch(cast("What", row.what), row.url, row.recorded_at, Verdict(row.verdict))
