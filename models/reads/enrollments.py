"""Enrollments as the API shows them: where somebody is in a journey and what they wait for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import table
from models.enrollment import Enrollment, Listener
from models.listeners import ENDS, pattern_of
from models.reads.pauses import PausedBy, paused_by
from models.reads.shapes import Shown, cursor, micros_of, moment, parts_of
from tabiji.domain.orders import Passed


class EnrollmentShown(Shown):
    """One contact in one journey."""

    id: str
    journey: str
    contact_id: UUID
    state: str
    reason: str | None
    entered_at: datetime
    ended_at: datetime | None
    test: bool
    tempo: float
    waiting_for: list[str]
    paused: PausedBy | None = Field(default=None, description="the pause that stops its next effect; null: none")
    path: list[Passed]


async def show_enrollment(tx: AsyncConnection, enrollment_id: str) -> EnrollmentShown | None:
    """One enrollment by id."""
    enrollments = table(Enrollment)
    row = (await tx.execute(select(enrollments).where(enrollments.c.id == enrollment_id))).one_or_none()
    return None if row is None else (await _shown(tx, [row]))[0]


async def list_enrollments(
    tx: AsyncConnection,
    *,
    contact_id: UUID | None = None,
    journey: str | None = None,
    state: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[EnrollmentShown], str | None]:
    """A page of enrollments, latest first, and the cursor of the next page.

    Raises:
        InvalidEvent: `after` is not a cursor from here.
    """
    enrollments = table(Enrollment)
    query = select(enrollments).order_by(enrollments.c.recorded_at.desc(), enrollments.c.id.desc()).limit(limit + 1)
    filters = {"contact_id": contact_id, "journey": journey, "state": state}
    for column, wanted in filters.items():
        if wanted is not None:
            query = query.where(enrollments.c[column] == wanted)
    if after is not None:
        micros, last = parts_of(after, "after", int, str)
        at = moment(micros, "after")
        query = query.where(
            or_(
                enrollments.c.recorded_at < at,
                and_(enrollments.c.recorded_at == at, enrollments.c.id < last),
            )
        )
    rows = (await tx.execute(query)).all()
    page = rows[:limit]
    more = cursor(micros_of(page[-1].recorded_at), page[-1].id) if len(rows) > limit else None
    return await _shown(tx, page), more


async def _shown(tx: AsyncConnection, rows: Sequence[Row[Any]]) -> list[EnrollmentShown]:
    waiting = await _waiting_for(tx, [row.id for row in rows])
    paused = await paused_by(tx, rows)
    return [
        EnrollmentShown(
            id=row.id,
            journey=row.journey,
            contact_id=row.contact_id,
            state=row.state,
            reason=row.reason,
            entered_at=row.entered_at,
            ended_at=row.ended_at,
            test=row.test,
            tempo=row.tempo,
            waiting_for=waiting.get(row.id, []),
            paused=paused.get(row.id),
            path=[Passed.model_validate(passed) for passed in row.path],
        )
        for row in rows
    ]


async def _waiting_for(tx: AsyncConnection, ids: Sequence[str]) -> dict[str, list[str]]:
    """In plain words: what the steps wait for first, goals and exits last."""
    if not ids:
        return {}
    listeners = table(Listener)
    rows = await tx.execute(
        select(listeners.c.enrollment_id, listeners.c.step, listeners.c.condition)
        .where(listeners.c.enrollment_id.in_(ids))
        .order_by(listeners.c.step, listeners.c.visit)
    )
    found: dict[str, dict[str, bool]] = {}
    for row in map(dict[str, Any], rows.mappings()):
        end = row["step"] in ENDS
        # What asks for several events has a row for each of them.
        found.setdefault(row["enrollment_id"], {})[_words(row)] = end
    return {id: sorted(several, key=lambda words: several[words]) for id, several in found.items()}


def _words(row: Mapping[str, Any]) -> str:
    return f"{pattern_of(row)} ({row['step']})" if row["step"] in ENDS else str(pattern_of(row))
