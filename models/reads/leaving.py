"""Whom a decision is of that came by a link in a mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import table
from models.message import Message
from models.reads.contacts import find_contact, show_contact
from models.suppressions import as_contacts_have_it


@dataclass(frozen=True)
class Leaving:
    """Who leaves.

    Attributes:
        contacts: The contact the mail was to, and who has its address now where that is somebody else.
        address: The mail went to; None where that is not known.
        locale: Of the contact.
        template: Of the mail.
        sent_at: When it was asked for, by the wall's clock.
    """

    contacts: tuple[UUID, ...]
    address: str | None = None
    locale: str | None = None
    template: str | None = None
    sent_at: datetime | None = None


async def leaving(tx: AsyncConnection, contact_id: UUID, message: str) -> Leaving:
    """Who leaves by a mail's link. Nobody where the contact is gone."""
    contact = await show_contact(tx, contact_id)
    messages = table(Message)
    columns = (messages.c.template, messages.c.recipient, messages.c.recorded_at)
    sent = (await tx.execute(select(*columns).where(messages.c.public_id == message))).one_or_none()
    address: str | None
    if sent is not None and sent.recipient:
        address = as_contacts_have_it(sent.recipient)
    else:
        address = contact.email if contact is not None else None
    other = await find_contact(tx, "email", address) if address is not None else None
    there = [contact.id] if contact is not None else []
    there += [other] if other is not None and other not in there else []
    return Leaving(
        tuple(there),
        address,
        contact.locale if contact is not None else None,
        sent.template if sent is not None else None,
        sent.recorded_at if sent is not None else None,
    )


async def has_left(tx: AsyncConnection, message: str, at: datetime) -> None:
    """Note it with the mail; the first time counts."""
    messages = table(Message)
    mine = (messages.c.public_id == message) & messages.c.unsubscribed_at.is_(None)
    await tx.execute(update(messages).where(mine).values(unsubscribed_at=at))
