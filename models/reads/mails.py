"""Messages as the API shows them: what was decided and why, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contact import Contact
from models.database import AnyRow, table
from models.event import Event
from models.message import Message
from models.reads.shapes import Shown, cursor, micros_of, moment, parts_of
from models.recent import Moment
from models.standing import standings
from tabiji.domain.facts import NOTED
from tabiji.domain.sending.asked import Asked
from tabiji.domain.sending.decide import objections
from tabiji.domain.sending.house import House
from tabiji.domain.sending.words import STATES, meaning_of

MOST_EVENTS = 100


class Objection(Shown):
    """Why a message is not sent, or not now."""

    reason: str
    until: datetime | None = Field(default=None, description="it may go out from then on; null: it may not")
    says: str | None = Field(default=None, description="the reason in a sentence")
    remedy: str | None = Field(default=None, description="what can be done")


class MailEvent(Shown):
    """What happened to a message, or was done with it."""

    name: str
    at: datetime
    properties: dict[str, Any]


class MailShown(Shown):
    """One message, with the decision about it."""

    id: str = Field(description="as in its links, its Message-ID and the events it leads to")
    contact_id: UUID
    enrollment_id: str | None
    broadcast_id: UUID | None
    step: str
    visit: int
    audience: str
    channel: str
    recipient: str | None = Field(description="the address it was meant for, which may not be theirs any more")
    template: str
    variant: str | None
    topic: str | None
    subject: str | None
    state: str
    means: str = Field(description="the state in a sentence")
    reason: str | None
    says: str | None = Field(description="the reason in a sentence")
    remedy: str | None = Field(description="what can be done about it")
    at: datetime = Field(description="journey time of the latest decision")
    asked_at: datetime = Field(description="journey time at which it was asked for first")
    not_before: datetime | None
    deferrals: int
    attempt: int
    maybe_twice: int
    relay: str | None
    reply: str | None = Field(description="the relay's last words")
    sent_at: datetime | None
    delivered_at: datetime | None = Field(description="as a provider told; most relays tell nothing")
    opened_at: datetime | None
    clicked_at: datetime | None
    machine_at: datetime | None = Field(description="opened or clicked by a program")
    replied_at: datetime | None
    unsubscribed_at: datetime | None
    complained_at: datetime | None
    bounced_at: datetime | None
    bounce: str | None
    test: bool


class MailWithEvents(MailShown):
    """One message and what happened with it, oldest first."""

    events: list[MailEvent]


class Tally(Shown):
    """How many messages ended so, or are so now."""

    state: str
    reason: str | None
    messages: int
    says: str | None
    remedy: str | None


async def show_mail(tx: AsyncConnection, public_id: str) -> MailWithEvents | None:
    """One message by the name its links carry."""
    messages, events = table(Message), table(Event)
    row = (await tx.execute(select(messages).where(messages.c.public_id == public_id))).one_or_none()
    if row is None:
        return None
    named = events.c.properties["message"].as_string() == public_id
    about = (
        select(events.c.name, events.c.at, events.c.properties)
        .where(events.c.contact_id == row.contact_id, events.c.name.in_(_OF_MAILS), named)
        .order_by(events.c.seq)
        .limit(MOST_EVENTS)
    )
    happened = [
        MailEvent(name=one.name, at=one.at, properties=one.properties) for one in (await tx.execute(about)).all()
    ]
    return MailWithEvents(**_shown(row).model_dump(), events=happened)


async def list_mails(
    tx: AsyncConnection, *, after: str | None = None, limit: int = 50, **where: object
) -> tuple[list[MailShown], str | None]:
    """Messages by the latest decision, latest first, and the cursor of the next page.

    Args:
        tx: Reads.
        after: Cursor of the page before.
        limit: At most so many.
        where: Column and value; None: any.

    Raises:
        InvalidEvent: `after` is not a cursor from here.
    """
    messages = table(Message)
    query = select(messages).where(*_filters(where)).order_by(messages.c.at.desc(), messages.c.public_id.desc())
    if after is not None:
        micros, id = parts_of(after, "after", int, str)
        at = moment(micros, "after")
        query = query.where((messages.c.at < at) | ((messages.c.at == at) & (messages.c.public_id < id)))
    rows = (await tx.execute(query.limit(limit + 1))).all()
    page = [_shown(row) for row in rows[:limit]]
    more = cursor(micros_of(page[-1].at), page[-1].id) if len(rows) > limit else None
    return page, more


async def tally(tx: AsyncConnection, *, since: datetime | None = None, **where: object) -> list[Tally]:
    """How many messages to contacts are in each state for each reason, most first. Test contacts do not count."""
    messages = table(Message)
    count = func.count().label("messages")
    query = (
        select(messages.c.state, messages.c.reason, count)
        .where(messages.c.test.is_(False), messages.c.audience == "contact", *_filters(where))
        .group_by(messages.c.state, messages.c.reason)
        .order_by(count.desc(), messages.c.state, messages.c.reason)
    )
    if since is not None:
        query = query.where(messages.c.at >= since)
    found: list[Tally] = []
    for row in await tx.execute(query):
        meaning = meaning_of(row.reason)
        found.append(
            Tally(
                state=row.state,
                reason=row.reason,
                messages=row.messages,
                says=meaning.says if meaning else STATES.get(row.state),
                remedy=meaning.remedy if meaning else None,
            )
        )
    return found


async def why_not(
    tx: AsyncConnection, contact_id: UUID, house: House, *, topic: str, at: datetime
) -> list[Objection] | None:
    """What stands against a mail about a topic to a contact at a moment. None: there is no such contact."""
    contacts = table(Contact)
    rows = (await tx.execute(select(contacts).where(contacts.c.id == contact_id))).all()
    return (await why_not_each(tx, rows, house, topic=topic, at=at)).get(contact_id)


async def why_not_each(
    tx: AsyncConnection, contacts: Sequence[AnyRow], house: House, *, topic: str, at: datetime
) -> dict[UUID, list[Objection]]:
    """The same for many, by their rows."""
    known = await standings(tx, contacts, house, topics=[topic], moment=Moment(at))
    found: dict[UUID, list[Objection]] = {}
    for contact in contacts:
        asked = Asked(topic=topic, at=at, first_at=at, test=contact.tempo is not None)
        found[contact.id] = [
            Objection(
                reason=verdict.reason or "",
                until=verdict.until,
                says=meaning.says if (meaning := meaning_of(verdict.reason)) else None,
                remedy=meaning.remedy if meaning else None,
            )
            for verdict in objections(known[contact.id], asked, house)
        ]
    return found


_OF_MAILS = sorted(name for name in NOTED if name.startswith("Email ") or name == "Unsubscribed")
_COLUMNS = frozenset(MailShown.model_fields) - {"id", "means", "says", "remedy"}


def _filters(where: dict[str, object]) -> list[ColumnElement[bool]]:
    messages = table(Message)
    return [messages.c[column] == value for column, value in where.items() if value is not None]


def _shown(row: Row[Any]) -> MailShown:
    meaning = meaning_of(row.reason)
    said: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    said |= {"id": row.public_id, "means": STATES.get(row.state, row.state)}
    said |= {"says": meaning.says if meaning else None, "remedy": meaning.remedy if meaning else None}
    return MailShown.model_validate(said)
