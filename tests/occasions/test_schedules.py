"""Whom a schedule enters, and how often."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta

from models.database import Database
from tabiji import attr, every, everyone, never, tagged
from tests.occasions.house import DAY, House, tokyo

MONDAY = tokyo(2027, 3, 1, 9)


async def test_a_schedule_enters_its_audience_once_each_time(database: Database) -> None:
    house = House(database, every(time(9), who=tagged("vip") & (attr("plan") == "pro")), now=MONDAY)
    wanted = await house.contact(tags=["vip"], plan="pro")
    await house.contact(tags=["vip"], plan="free")
    await house.contact(plan="pro")

    assert await house.sweep() == 1
    assert await house.sweep() == 0
    await house.end_all()
    assert await house.sweep() == 0, "the same occurrence"
    assert await house.sweep(MONDAY + DAY) == 1

    first, second = await house.enrollments()
    assert first.contact_id == second.contact_id == wanted
    assert first.trigger["event"] == "Scheduled"
    assert second.trigger["at"] == "2027-03-02T00:00:00Z"


async def test_who_is_still_in_it_is_left_alone_and_never_is_never(sqlite: Database) -> None:
    house = House(sqlite, every(time(9), who=everyone), now=MONDAY, reentry=never)
    await house.contact()
    assert await house.sweep() == 1
    assert await house.sweep(MONDAY + DAY) == 0
    await house.end_all()
    assert await house.sweep(MONDAY + 2 * DAY) == 0


async def test_sweeps_of_one_occurrence_at_once_enter_nobody_twice(database: Database) -> None:
    house = House(database, every(time(9), who=everyone), now=MONDAY)
    for _ in range(6):
        await house.contact()
    assert sum(await asyncio.gather(*(house.sweep(limit=2) for _ in range(3)))) == 6


async def test_a_time_that_the_clocks_show_twice_is_one_occurrence(sqlite: Database) -> None:
    """Temporal starts such a schedule twice: 2027-11-07 in New York, 02:00 becomes 01:00."""
    first = datetime(2027, 11, 7, 5, 30, tzinfo=UTC)
    house = House(sqlite, every(time(1, 30), timezone="America/New_York", who=everyone), now=first)
    await house.contact()
    assert await house.sweep(first) == 1
    await house.end_all()
    assert await house.sweep(first + timedelta(hours=1)) == 0
    assert await house.sweep(first + timedelta(hours=25)) == 1
