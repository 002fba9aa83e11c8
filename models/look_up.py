"""Reads one thing that is known of a contact, for a journey that branches on it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from models import params
from models.contact import Contact, ContactTag
from models.database import AnyRow, table
from models.enrollment import Enrollment
from models.roster import ListMember
from models.segments import in_segment
from tabiji.domain.attributes import IDENTITIES, PROFILE
from tabiji.domain.changes import LookUp
from tabiji.errors import InvalidChange, UnknownContact, UnknownEnrollment


async def look_up(tx: AsyncConnection, order: LookUp) -> JsonValue:
    """The value; None where there is none. Of a contact that was merged, that of the one it was merged into.

    Raises:
        UnknownContact: The contact is gone.
        UnknownSegment: No segment of that name is defined.
        InvalidChange: It is nothing that may be read into a journey.
    """
    contact = await _contact(tx, UUID(order.contact_id))
    match order.what:
        case "attribute":
            return _attribute(contact, order.name)
        case "tag":
            return await _has(tx, ContactTag, contact, tag=order.name)
        case "list":
            return await _has(tx, ListMember, contact, list=order.name)
        case "segment":
            return await in_segment(tx, contact, order.name)
        case "score":
            return int(contact.score)
        case "stage":
            stage: str | None = contact.stage
            return stage
        case "param":
            return await _param(tx, order)
        case _:
            raise InvalidChange(f"look_up {order.what!r}", "is nothing that is known of a contact")


def _attribute(contact: AnyRow, name: str) -> JsonValue:
    if name in IDENTITIES and name not in contact.attributes:
        # What a journey reads is kept in its history for as long as the namespace says.
        raise InvalidChange(f"attribute {name!r}", "says who somebody is, and stays out of Temporal's histories")
    value: JsonValue = getattr(contact, name) if name in PROFILE else contact.attributes.get(name)
    return value


async def _param(tx: AsyncConnection, order: LookUp) -> JsonValue:
    enrollments = table(Enrollment)
    entered: datetime | None = await tx.scalar(
        select(enrollments.c.recorded_at).where(enrollments.c.id == order.enrollment_id)
    )
    if entered is None:
        raise UnknownEnrollment(order.enrollment_id)
    return await params.read(tx, order.name, entered_recorded_at=entered, moves=order.moves)


async def _contact(tx: AsyncConnection, contact_id: UUID) -> AnyRow:
    contacts = table(Contact)
    seen: set[UUID] = set()
    while contact_id not in seen:
        seen.add(contact_id)
        row = (await tx.execute(select(contacts).where(contacts.c.id == contact_id))).one_or_none()
        if row is None:
            break
        if row.merged_into is None:
            return row
        contact_id = row.merged_into
    raise UnknownContact(contact_id)


async def _has(tx: AsyncConnection, model: type[SQLModel], contact: AnyRow, **what: str) -> bool:
    rows = table(model)
    mine = select(rows.c.contact_id).where(
        rows.c.contact_id == contact.id, *(rows.c[name] == value for name, value in what.items())
    )
    return (await tx.execute(mine)).first() is not None
