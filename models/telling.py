"""What is told to enrollments: written as dispatches, many in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import database_time, insert, table
from models.enroll import Pending
from models.enrollment import Dispatch
from tabiji.domain.orders import CONTROL_STEP, Control, Happened


class Told(NamedTuple):
    """An enrollment, and what it is told: a control with its properties, or None to cancel it."""

    enrollment_id: str
    contact_id: UUID
    control: Control | None
    properties: dict[str, JsonValue]


async def tell(tx: AsyncConnection, all_told: Sequence[Told]) -> list[Pending]:
    """Write down what must reach Temporal. Deliver it after the commit."""
    if not all_told:
        return []
    now = await database_time(tx)
    rows = [_row(told) | {"recorded_at": now} for told in all_told]
    dispatches = table(Dispatch)
    written = await tx.execute(
        insert(tx, Dispatch).returning(dispatches.c.id, dispatches.c.contact_id, dispatches.c.enrollment_id), rows
    )
    return [Pending(id=row.id, contact_id=row.contact_id, enrollment_id=row.enrollment_id) for row in written]


def _row(told: Told) -> dict[str, Any]:
    payload: dict[str, Any] = {}
    if told.control is not None:
        event = Happened(event=told.control, step=CONTROL_STEP, properties=told.properties)
        payload = event.model_dump(mode="json")
    return {
        "contact_id": told.contact_id,
        "enrollment_id": told.enrollment_id,
        "kind": "cancel" if told.control is None else "signal",
        "payload": payload,
        "state": "pending",
        "attempts": 0,
    }
