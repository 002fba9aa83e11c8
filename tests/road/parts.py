"""What the tests of an event's road share: small journeys as data, events, and an outbox that only keeps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import SQLModel

from models.clock import SystemClock
from models.database import AnyRow, Database, table
from models.enroll import Pending
from models.incoming import Incoming
from models.record import Recorder
from models.waits import Waits
from tabiji.domain.conditions import Condition, on
from tabiji.domain.journeys import Catalog, JourneySpec, Reentry, always, never
from tabiji.domain.orders import Listen
from tabiji.domain.patterns import Pattern

GOAL = on("Order Completed")
_numbers = count()


class Kept:
    """An outbox that delivers nothing: what it is offered stays here."""

    def __init__(self) -> None:
        self.pending: list[Pending] = []

    def offer(self, pending: Sequence[Pending]) -> None:
        """See `Outbox`."""
        self.pending += pending


def spec(
    name: str,
    *,
    trigger: str | None = "Form Submitted",
    goals: tuple[Condition, ...] = (GOAL,),
    reentry: Reentry = never,
) -> JourneySpec:
    """A journey as the entrance sees it."""
    triggers = (on(trigger),) if trigger else ()
    return JourneySpec(name=name, title=name, triggers=triggers, goals=goals, reentry=reentry)


class Road:
    """The entrance, the look-backs and the outbox on one database."""

    def __init__(self, database: Database, *specs: JourneySpec) -> None:
        self.database = database
        self.catalog = Catalog(specs or [spec("nurture", reentry=always)])
        self.outbox = Kept()
        self.clock = SystemClock()
        self.recorder = Recorder(database, self.catalog, self.clock, self.outbox)
        self.waits = Waits(database, self.catalog, self.outbox)

    async def rows(self, model: type[SQLModel], **where: Any) -> list[AnyRow]:
        """All rows of a table in which these columns have these values, ordered by the primary key."""
        wanted = table(model)
        query = select(wanted).where(*(wanted.c[name] == value for name, value in where.items()))
        async with self.database.read() as tx:
            return list((await tx.execute(query.order_by(*wanted.primary_key.columns))).all())

    async def count(self, model: type[SQLModel]) -> int:
        """Rows of a table."""
        async with self.database.read() as tx:
            return await tx.scalar(select(func.count()).select_from(table(model))) or 0


def did(name: str, *, who: str | None = "visitor", **fields: Any) -> Incoming:
    """One event, of the anonymous visitor `who` unless other identities are given."""
    if who is not None and not {"user_id", "email", "contact_id"} & fields.keys():
        fields.setdefault("anonymous_id", who)
    fields.setdefault("message_id", f"m{next(_numbers)}")
    return Incoming(kind="track", name=name, at=datetime.now(UTC), **fields)


def waits_for(
    enrollment_id: str,
    contact_id: UUID,
    condition: Pattern,
    *,
    step: str = "wait",
    visit: int = 1,
    entry_seq: int = 0,
    consumed: tuple[int, ...] = (),
    done: tuple[tuple[str, int], ...] = (),
    goals: tuple[Condition, ...] = (GOAL,),
    exits: tuple[Condition, ...] = (),
    wall: datetime | None = None,
) -> Listen:
    """What a journey says when it reaches a wait."""
    now = datetime.now(UTC)
    return Listen(
        enrollment_id=enrollment_id,
        contact_id=str(contact_id),
        step=step,
        visit=visit,
        at=now,
        wall=wall or now,
        condition=condition,
        consumed=consumed,
        done=done,
        goals=goals,
        exits=exits,
        entry_seq=entry_seq,
    )
