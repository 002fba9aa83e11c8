"""Whom ops mean: enrollments under way, by journey, contact, or what they wait for."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import AnyRow, table
from models.enrollment import Enrollment, Listener
from models.listeners import ENDS
from models.pause import Pause, Scope


class Reach(BaseModel):
    """Enrollments under way for which all that is said holds. Saying nothing is not enough: say everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    everything: bool = False
    journey: str | None = Field(default=None, max_length=100)
    contact: UUID | None = None
    enrollment: str | None = Field(default=None, max_length=200)
    waiting_for: str | None = Field(default=None, max_length=200, description="name of an event a step waits for")
    paused: bool | None = Field(default=None, description="only those a pause of their own reaches, or only others")

    @property
    def says_something(self) -> bool:
        """Whether it names anybody."""
        return self.everything or any((self.journey, self.contact, self.enrollment, self.waiting_for))

    def __str__(self) -> str:
        if self.everything:
            return "everything"
        named = {"journey": self.journey, "contact": self.contact, "enrollment": self.enrollment}
        words = [f"{what} {value}" for what, value in named.items() if value is not None]
        words += [f"waiting for {self.waiting_for}"] if self.waiting_for is not None else []
        return ", ".join(words)


async def count_reached(tx: AsyncConnection, reach: Reach) -> int:
    """How many enrollments it reaches now."""
    enrollments = table(Enrollment)
    return await tx.scalar(select(func.count()).select_from(enrollments).where(_within(reach))) or 0


async def page_reached(tx: AsyncConnection, reach: Reach, *, after: str, limit: int) -> list[AnyRow]:
    """The next of them by id: rows with `id` and `contact_id`."""
    enrollments = table(Enrollment)
    query = select(enrollments.c.id, enrollments.c.contact_id).where(_within(reach), enrollments.c.id > after)
    return list((await tx.execute(query.order_by(enrollments.c.id).limit(limit))).all())


def _within(reach: Reach) -> ColumnElement[bool]:
    enrollments = table(Enrollment)
    within = enrollments.c.state == "running"
    if reach.journey is not None:
        within &= enrollments.c.journey == reach.journey
    if reach.contact is not None:
        within &= enrollments.c.contact_id == reach.contact
    if reach.enrollment is not None:
        within &= enrollments.c.id == reach.enrollment
    if reach.waiting_for is not None:
        rows = table(Listener)
        within &= exists().where(
            rows.c.enrollment_id == enrollments.c.id, rows.c.event == reach.waiting_for, rows.c.step.not_in(ENDS)
        )
    if reach.paused is not None:
        pauses = table(Pause)
        own = exists().where(
            pauses.c.resumed_at.is_(None), pauses.c.scope == Scope.ENROLLMENT.value, pauses.c.target == enrollments.c.id
        )
        within &= own if reach.paused else ~own
    return within
