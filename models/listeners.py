"""Rows that say what an enrollment waits for. Additive: a stale one costs a signal, never an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import delete, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import insert, table
from models.enrollment import Listener
from tabiji.domain.conditions import Condition
from tabiji.domain.orders import EXIT_STEP, GOAL_STEP
from tabiji.domain.patterns import Pattern

ENDS = (GOAL_STEP, EXIT_STEP)
"""Steps under which the ends of a journey listen, in the order in which they count."""

_PATTERN: TypeAdapter[Pattern] = TypeAdapter(Pattern)


def rows_of(
    enrollment_id: str,
    contact_id: UUID,
    step: str,
    visit: int,
    pattern: Pattern,
    *,
    since: int,
    consumed: Sequence[int] = (),
) -> list[dict[str, Any]]:
    """One row for each event name that matters.

    Args:
        enrollment_id: Who waits.
        contact_id: For whose events.
        step: Where.
        visit: Which time there.
        pattern: For what.
        since: Only events after this place count.
        consumed: Events that earlier waits have taken: they count for no pattern of several.
    """
    written = _PATTERN.dump_python(pattern, mode="json")
    return [
        {
            "enrollment_id": enrollment_id,
            "step": step,
            "visit": visit,
            "event": name,
            "contact_id": contact_id,
            "condition": written,
            "since_seq": since,
            "consumed": list(consumed),
        }
        for name in sorted(pattern.names)
    ]


def ends_of(
    enrollment_id: str, contact_id: UUID, goals: Sequence[Condition], exits: Sequence[Condition], *, since: int
) -> list[dict[str, Any]]:
    """The rows that listen from the first moment of an enrollment to its last."""
    return [
        row
        for step, ends in ((GOAL_STEP, goals), (EXIT_STEP, exits))
        for visit, end in enumerate(ends)
        for row in rows_of(enrollment_id, contact_id, step, visit, end, since=since)
    ]


def pattern_of(row: Mapping[str, Any]) -> Pattern:
    """What a row listens for."""
    pattern: Pattern = _PATTERN.validate_python(row["condition"])
    return pattern


async def put(tx: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows; those that are there say what these say."""
    statement = insert(tx, Listener)
    columns = ("contact_id", "condition", "since_seq", "consumed")
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["enrollment_id", "step", "visit", "event"],
            set_={name: statement.excluded[name] for name in columns},
        ),
        list(rows),
    )


async def drop(tx: AsyncConnection, enrollment_id: str, waits: Iterable[tuple[str, int]] | None = None) -> None:
    """Forget some of an enrollment's waits, or all of them with its ends."""
    listeners = table(Listener)
    those = listeners.c.enrollment_id == enrollment_id
    if waits is not None:
        those &= tuple_(listeners.c.step, listeners.c.visit).in_(list(waits))
    await tx.execute(delete(listeners).where(those))
