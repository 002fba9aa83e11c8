"""What counts against a pilot, noted in the transactions that learn of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import table
from models.enrollment import Enrollment
from models.launch import JourneyState
from models.launches import note
from models.message import Message
from tabiji.domain.launch import Fact, Launch
from tabiji.domain.values import Properties

FACTS = {"Unsubscribed": Fact.UNSUBSCRIBES, "Email Marked as Spam": Fact.COMPLAINTS}
"""Events that count against a pilot; the property `message` says about which mail, and so about which journey."""


class Heard(NamedTuple):
    """An event of a contact."""

    name: str
    properties: Properties
    contact_id: UUID


async def note_events(tx: AsyncConnection, heard: Iterable[Heard]) -> None:
    """Count unsubscribes and complaints against the pilot whose mail they answer.

    Without the mail they count against every pilot the person is or was in.
    """
    for event in heard:
        fact = FACTS.get(event.name)
        if fact is None:
            continue
        for journey in sorted(set((await tx.execute(_pilots_behind(event))).scalars().all())):
            await note(tx, journey, fact)


async def note_failure(tx: AsyncConnection, enrollment_id: str) -> None:
    """Count a run that fails now. One that has ended before, and one of a test contact, counts nothing."""
    enrollments = table(Enrollment)
    still = select(enrollments.c.journey).where(
        enrollments.c.id == enrollment_id, enrollments.c.state == "running", enrollments.c.test.is_(False)
    )
    journey = await tx.scalar(still)
    if journey is not None:
        await note(tx, journey, Fact.ERRORS)


def _pilots_behind(event: Heard) -> Select[str]:
    enrollments, states, messages = table(Enrollment), table(JourneyState), table(Message)
    pilots = (
        select(enrollments.c.journey)
        .join(states, states.c.journey == enrollments.c.journey)
        .where(
            states.c.state == Launch.PILOT.value,
            enrollments.c.test.is_(False),
            enrollments.c.contact_id == event.contact_id,
        )
    )
    message = event.properties.get("message")
    if not isinstance(message, str):
        return pilots
    return pilots.join(messages, messages.c.enrollment_id == enrollments.c.id).where(messages.c.public_id == message)
