"""The gate every effect passes. On both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from models.base import new_id
from models.control import admit, pass_gate
from models.database import Database, insert
from models.pause import Held, Pause
from tabiji.domain.orders import StepOrder
from tabiji.errors import Paused
from tests.road.parts import Road, did, spec


class Act(StepOrder):
    activity = "act"


async def entered(road: Road, who: str = "visitor") -> Act:
    [recorded] = await road.recorder.record([did("Form Submitted", who=who)])
    return Act(
        enrollment_id=recorded.entered[0], contact_id=str(recorded.contact_id), step="s", visit=1, at=datetime.now(UTC)
    )


async def pause(road: Road, scope: str, target: str = "") -> None:
    now = datetime.now(UTC)
    row = {"scope": scope, "target": target, "by": "ops", "since": now, "since_wall": now, "recorded_at": now}
    async with road.database.write() as tx:
        await tx.execute(insert(tx, Pause).values(id=new_id(), **row))


async def test_nobody_is_paused_where_nothing_says_so(database: Database) -> None:
    road = Road(database)
    order = await entered(road)

    async with database.write() as tx:
        contact = await admit(tx, order)

    assert str(contact.id) == order.contact_id
    assert await road.rows(Held) == []


@pytest.mark.parametrize("scope", ["everything", "journey", "contact", "enrollment"])
async def test_who_meets_a_pause_is_refused_and_stands_on_the_list(database: Database, scope: str) -> None:
    """The list must stand although the effect has raised: else nobody would tell them that it is over."""
    road = Road(database)
    order = await entered(road)
    targets = {"journey": "nurture", "contact": order.contact_id, "enrollment": order.enrollment_id}
    await pause(road, scope, targets.get(scope, ""))

    with pytest.raises(Paused):
        await pass_gate(database, order)
    with pytest.raises(Paused):
        await pass_gate(database, order)

    [held] = await road.rows(Held)
    assert held.enrollment_id == order.enrollment_id


async def test_a_pause_of_somebody_else_stops_nobody(sqlite: Database) -> None:
    road = Road(sqlite, spec("nurture"), spec("welcome", trigger=None))
    mine, other = await entered(road), await entered(road, "other")
    await pause(road, "journey", "welcome")
    await pause(road, "contact", other.contact_id)
    await pause(road, "enrollment", other.enrollment_id)

    await pass_gate(sqlite, mine)

    assert await road.rows(Held) == []
