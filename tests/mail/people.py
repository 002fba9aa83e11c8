"""Somebody to write to: a contact in a journey, with or without consent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from models.base import new_id
from models.contact import Consent, Contact
from models.database import AnyRow, Database, insert, table
from models.enrollment import Enrollment
from models.message import Message
from tabiji.domain.orders import NotifySales, SendEmail

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADDRESS = "hanako@example.jp"


@dataclass(frozen=True)
class Person:
    """A contact and their enrollment."""

    database: Database
    id: UUID
    enrollment: str

    def mail(self, template: str = "whitepaper/welcome", **more: Any) -> SendEmail:
        return SendEmail.model_validate(self._step("mail") | {"template": template} | more)

    def notice(self, reason: str = "Looked at pricing", **more: Any) -> NotifySales:
        return NotifySales.model_validate(self._step("tell") | {"reason": reason} | more)

    def _step(self, step: str) -> dict[str, Any]:
        return {
            "enrollment_id": self.enrollment,
            "contact_id": str(self.id),
            "step": step,
            "visit": 1,
            "at": NOON,
        }

    async def consent(self, given: bool, topic: str = "marketing") -> None:
        async with self.database.write() as tx:
            await tx.execute(
                insert(tx, Consent).values(
                    contact_id=self.id, topic=topic, given=given, source="test", at=NOON, recorded_at=NOON
                )
            )

    async def change(self, **values: Any) -> None:
        contacts = table(Contact)
        async with self.database.write() as tx:
            await tx.execute(update(contacts).where(contacts.c.id == self.id).values(**values))


async def person(database: Database, *, consent: bool | None = True, **contact: Any) -> Person:
    """Make one, with an enrollment in `whitepaper-nurture`."""
    contact_id = new_id()
    enrollment = f"whitepaper-nurture/{contact_id}/1"
    row: dict[str, Any] = {
        "id": contact_id,
        "email": ADDRESS,
        "attributes": {},
        "score": 0,
        "created_at": NOON,
        "recorded_at": NOON,
    }
    async with database.write() as tx:
        await tx.execute(insert(tx, Contact).values(**(row | contact)))
        await tx.execute(
            insert(tx, Enrollment).values(
                id=enrollment,
                journey="whitepaper-nurture",
                contact_id=contact_id,
                n=1,
                entry_key="",
                entry_seq=0,
                state="running",
                path=[],
                tempo=1.0,
                test=False,
                start_confirmed=True,
                entered_at=NOON,
                entered_wall=NOON,
                recorded_at=NOON,
            )
        )
    made = Person(database, contact_id, enrollment)
    if consent is not None:
        await made.consent(consent)
    return made


async def message(database: Database, key: str) -> AnyRow:
    """A message's row."""
    messages = table(Message)
    async with database.read() as tx:
        return (await tx.execute(select(messages).where(messages.c.key == key))).one()
