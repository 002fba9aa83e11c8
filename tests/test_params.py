"""Versions of parameters: nothing is lost, nobody inside is moved unless the author says so. On both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import AnyRow, Database
from models.params import history, newest_of_all, read, turn
from tabiji import days, param
from tabiji.errors import InvalidParam

NUDGE = param("nudge-after", days(2), at_least=days(1), at_most=days(14), title="Wait before the nudge")
FIRST = datetime(2027, 1, 1, 9, tzinfo=UTC)


async def turned(database: Database, value: str, at: datetime) -> AnyRow:
    async def work(tx: AsyncConnection) -> AnyRow:
        return await turn(tx, NUDGE, value, by="hanako", key="console", recorded_at=at)

    return await database.transact(work)


async def test_who_is_inside_keeps_what_was_in_force_and_movers_get_the_newest(database: Database) -> None:
    hour = timedelta(hours=1)
    await turned(database, "3 days", FIRST)
    await turned(database, "5 days", FIRST + 2 * hour)

    async with database.read() as tx:
        inside = [await read(tx, "nudge-after", entered_recorded_at=FIRST + hours * hour) for hours in (-1, 0, 1, 2, 3)]
        moved = await read(tx, "nudge-after", entered_recorded_at=FIRST - hour, moves=True)
        new = await read(tx, "nudge-after", entered_recorded_at=None)
        unknown = await read(tx, "other", entered_recorded_at=None)

    assert inside == [None, "P3D", "P3D", "P5D", "P5D"]
    assert (moved, new, unknown) == ("P5D", "P5D", None)


async def test_every_change_is_kept_with_who_when_old_and_new(database: Database) -> None:
    await turned(database, "3 days", FIRST)
    await turned(database, "72 hours", FIRST + timedelta(seconds=1))
    await turned(database, "P4D", FIRST + timedelta(seconds=2))

    async with database.read() as tx:
        rows = await history(tx, "nudge-after")
        latest = await newest_of_all(tx)

    told = [(row.version, row.before, row.value, row.set_by, row.key, row.recorded_at) for row in rows]
    assert told == [
        (2, "P3D", "P4D", "hanako", "console", FIRST + timedelta(seconds=2)),
        (1, "P2D", "P3D", "hanako", "console", FIRST),
    ]
    assert latest["nudge-after"].version == 2


async def test_two_who_turn_at_once_make_two_versions(database: Database) -> None:
    await asyncio.gather(*(turned(database, f"{count} days", FIRST) for count in range(2, 10)))

    async with database.read() as tx:
        rows = await history(tx, "nudge-after")
    assert [row.version for row in rows] == list(range(len(rows), 0, -1))
    assert {row.value for row in rows} >= {f"P{count}D" for count in range(3, 10)}
    assert all(older.value == newer.before for newer, older in pairwise(rows))


async def test_a_value_out_of_bounds_is_not_kept(sqlite: Database) -> None:
    with pytest.raises(InvalidParam):
        await turned(sqlite, "15 days", FIRST)
    async with sqlite.read() as tx:
        assert await history(tx, "nudge-after") == []
