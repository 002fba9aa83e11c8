"""Pauses as ops see them: what is paused, by whom, whom it has held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from models.breaker import BREAKER
from models.database import AnyRow, table
from models.enrollment import Enrollment
from models.pause import Held, Pause, Scope
from models.reads.shapes import Shown

MOST_TRIPPED = 100


class PausedBy(Shown):
    """Why an enrollment is paused."""

    pause: UUID
    scope: str
    target: str
    by: str
    reason: str | None
    since: datetime


class PauseShown(Shown):
    """One pause."""

    id: UUID
    scope: str
    target: str
    by: str
    reason: str | None
    since: datetime = Field(description="journey time")
    recorded_at: datetime
    resumed_at: datetime | None = Field(description="null: in force")
    resumed_by: str | None
    held: int = Field(description="enrollments that met it first and have not been told yet that it is over")


class Figures(Shown):
    """For monitoring."""

    pauses: int
    held: int
    tripped: int


async def show_pause(tx: AsyncConnection, pause_id: UUID) -> PauseShown | None:
    """One pause by id."""
    found = await _shown(tx, table(Pause).c.id == pause_id, 1)
    return found[0] if found else None


async def list_pauses(tx: AsyncConnection, *, ended: bool, limit: int) -> list[PauseShown]:
    """Pauses, latest first: those in force, or with `ended` all of them."""
    pauses = table(Pause)
    return await _shown(tx, pauses.c.id.is_not(None) if ended else pauses.c.resumed_at.is_(None), limit)


async def paused_by(tx: AsyncConnection, rows: Sequence[AnyRow]) -> dict[str, PausedBy]:
    """For rows of the enrollment table, the earliest pause that reaches each. Who is under no pause is not in it."""
    pauses = table(Pause)
    reaching = [key for row in rows if row.state == "running" for key in _keys(row)]
    if not reaching:
        return {}
    found = await tx.execute(
        select(pauses)
        .where(pauses.c.resumed_at.is_(None), tuple_(pauses.c.scope, pauses.c.target).in_(sorted(set(reaching))))
        .order_by(pauses.c.since_wall.desc())
    )
    by = {(row.scope, row.target): row for row in found.all()}
    answer: dict[str, PausedBy] = {}
    for row in rows:
        mine = [by[key] for key in _keys(row) if key in by] if row.state == "running" else []
        if mine:
            first = min(mine, key=lambda pause: pause.since_wall)
            answer[row.id] = PausedBy(
                pause=first.id,
                scope=first.scope,
                target=first.target,
                by=first.by,
                reason=first.reason,
                since=first.since,
            )
    return answer


async def figures(tx: AsyncConnection) -> Figures:
    """How many pauses are in force, and how many people they hold."""
    pauses = table(Pause)
    in_force = await tx.scalar(select(func.count()).select_from(pauses).where(pauses.c.resumed_at.is_(None))) or 0
    held = await tx.scalar(select(func.count()).select_from(_still_held().subquery())) or 0
    return Figures(pauses=in_force, held=held, tripped=len(await tripped(tx)))


async def tripped(tx: AsyncConnection) -> list[PauseShown]:
    """What the breaker has paused and nobody has resumed."""
    pauses = table(Pause)
    return await _shown(tx, pauses.c.resumed_at.is_(None) & (pauses.c.by == BREAKER), MOST_TRIPPED)


def _keys(row: AnyRow) -> list[tuple[str, str]]:
    return [
        (Scope.EVERYTHING.value, ""),
        (Scope.JOURNEY.value, row.journey),
        (Scope.CONTACT.value, str(row.contact_id)),
        (Scope.ENROLLMENT.value, row.id),
    ]


async def _shown(tx: AsyncConnection, which: ColumnElement[bool], limit: int) -> list[PauseShown]:
    pauses = table(Pause)
    latest = select(pauses).where(which).order_by(pauses.c.recorded_at.desc()).limit(limit)
    rows = (await tx.execute(latest)).mappings().all()
    held = await _held(tx, [row["id"] for row in rows])
    return [PauseShown.model_validate({**row, "held": held.get(row["id"], 0)}) for row in rows]


async def _held(tx: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, int]:
    still = _still_held().where(table(Held).c.pause_id.in_(ids)).subquery()
    counted = await tx.execute(select(still.c.pause_id, func.count()).group_by(still.c.pause_id))
    return {row[0]: row[1] for row in counted.all()}


def _still_held() -> Select[Any]:
    held, enrollments = table(Held), table(Enrollment)
    return (
        select(held.c.pause_id)
        .join(enrollments, enrollments.c.id == held.c.enrollment_id)
        .where(enrollments.c.state == "running")
    )
