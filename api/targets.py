"""Whom ops mean in a request, in the ways a caller may name them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from api.contacts import one_identity, unknown_identity
from api.deps import Identifier, Name, Text
from api.errors import invalid
from api.parts import Parts
from models.contact import Contact
from models.database import table
from models.enrollment import Enrollment
from models.pause import Scope
from models.reach import Reach
from models.reads.contacts import find_contact
from tabiji.errors import UnknownContact, UnknownEnrollment

Email = Annotated[str, Field(max_length=320)]
Reason = Annotated[Text, Field(max_length=500)]
JourneyName = Annotated[Text, Field(max_length=100)]
EnrollmentName = Annotated[Text, Field(max_length=200)]


class Target(BaseModel):
    """Everything, a journey, a contact, or one enrollment: exactly one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    everything: bool = False
    journey: JourneyName | None = None
    contact: UUID | None = None
    email: Email | None = None
    user_id: Identifier | None = None
    enrollment: EnrollmentName | None = None


class Whom(BaseModel):
    """Enrollments under way for which all that is said holds; `everything` for all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    everything: bool = False
    journey: JourneyName | None = None
    contact: UUID | None = None
    email: Email | None = None
    enrollment: EnrollmentName | None = None
    waiting_for: Name | None = Field(default=None, description="name of an event one of its steps waits for")


async def scope_of(parts: Parts, target: Target) -> tuple[Scope, str]:
    """What a pause is of.

    Raises:
        ApiProblem: 422 when none or several are named; 404 when what is named is not there.
    """
    named = [target.everything or None, target.journey, target.contact, target.email, target.user_id, target.enrollment]
    if sum(one is not None for one in named) != 1:
        raise invalid("everything", "say exactly one of everything, journey, contact, email, user_id and enrollment")
    if target.everything:
        return Scope.EVERYTHING, ""
    if target.journey is not None:
        await known_journey(parts, target.journey)
        return Scope.JOURNEY, target.journey
    if target.enrollment is not None:
        await known_enrollment(parts, target.enrollment)
        return Scope.ENROLLMENT, target.enrollment
    return Scope.CONTACT, str(await contact_of(parts, target.contact, target.email, target.user_id))


async def reach_of(parts: Parts, whom: Whom) -> Reach:
    """Whom a batch is for.

    Raises:
        ApiProblem: 422 when nobody is named; 404 when what is named is not there.
    """
    contact = None
    if whom.contact is not None or whom.email is not None:
        contact = await contact_of(parts, whom.contact, whom.email, None)
    if whom.journey is not None:
        await known_journey(parts, whom.journey)
    if whom.enrollment is not None:
        await known_enrollment(parts, whom.enrollment)
    reach = Reach(
        everything=whom.everything,
        journey=whom.journey,
        contact=contact,
        enrollment=whom.enrollment,
        waiting_for=whom.waiting_for,
    )
    if not reach.says_something:
        raise invalid("whom", "say whom: everything, or a journey, contact, enrollment or event waited for")
    return reach


async def contact_of(parts: Parts, contact: UUID | None, email: str | None, user_id: str | None) -> UUID:
    """The contact that is named by id, address or user id; the one it was merged into.

    Raises:
        UnknownContact: Nobody has that id.
        ApiProblem: 422 when several are named; 404 when nobody has that address or user id.
    """
    async with parts.database.read() as tx:
        if contact is None:
            kind, value = one_identity(email=email, user_id=user_id)
            found = await find_contact(tx, kind, value)
            if found is None:
                raise unknown_identity()
            return found
        if email is not None or user_id is not None:
            raise invalid("contact", "name the contact by exactly one of contact, email and user_id")
        contacts = table(Contact)
        row = (await tx.execute(select(contacts.c.id, contacts.c.merged_into).where(contacts.c.id == contact))).first()
    if row is None:
        raise UnknownContact(contact)
    id: UUID = row.merged_into or row.id
    return id


async def known_journey(parts: Parts, journey: str) -> None:
    """Make sure that a journey is loaded, or that people are in it whose code is another process's.

    Raises:
        UnknownJourney: Neither.
    """
    if journey in parts.catalog:
        return
    enrollments = table(Enrollment)
    async with parts.database.read() as tx:
        inside = await tx.scalar(select(enrollments.c.id).where(enrollments.c.journey == journey).limit(1))
    if inside is None:
        parts.catalog.get(journey)


async def known_enrollment(parts: Parts, enrollment_id: str) -> None:
    """Make sure that an enrollment is there.

    Raises:
        UnknownEnrollment: It is not.
    """
    enrollments = table(Enrollment)
    async with parts.database.read() as tx:
        if await tx.scalar(select(enrollments.c.id).where(enrollments.c.id == enrollment_id)) is None:
            raise UnknownEnrollment(enrollment_id)
