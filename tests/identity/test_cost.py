"""What it costs to know who somebody is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.database import Database, database_time
from models.identities import contacts_for
from models.incoming import Incoming
from tests.identity.world import NOON
from tests.road.parts import Road, did


async def _statements(database: Database, batch: Sequence[Incoming]) -> int:
    """How many it takes to find the contacts of a batch, rows of one INSERT counted once. Nothing of it is kept."""
    seen: list[str] = []
    async with database.write() as tx:
        recorded_at = await database_time(tx)
        assert tx.sync_connection is not None
        driver: Any = tx.sync_connection.connection.driver_connection
        await driver.set_trace_callback(seen.append)
        try:
            await contacts_for(tx, batch, now=NOON, recorded_at=recorded_at)
        finally:
            await driver.set_trace_callback(None)
        await tx.rollback()
    reads = [one for one in seen if one.startswith("SELECT")]
    return len(reads) + len({one.partition("(")[0] for one in seen if one not in reads})


def _visits() -> list[Incoming]:
    known = [did("Page Viewed", user_id=f"u{n}", anonymous_id=f"v{n}", email=f"{n}@example.com") for n in range(20)]
    return [*known, *(did("Page Viewed", who=f"v{n}") for n in range(20))]


async def test_where_everybody_is_known_it_is_one_select(sqlite: Database) -> None:
    road = Road(sqlite)
    await road.recorder.record(_visits())
    assert await _statements(sqlite, _visits()) == 1


async def test_new_people_cost_the_same_however_many_they_are(sqlite: Database) -> None:
    assert await _statements(sqlite, [did("Page Viewed", who="v")]) == await _statements(sqlite, _visits()) == 3


async def test_a_new_device_of_somebody_known_is_no_reason_to_read_all_of_theirs(sqlite: Database) -> None:
    road = Road(sqlite)
    await road.recorder.record([did("Page Viewed", user_id="u", email="u@example.com")])
    assert await _statements(sqlite, [did("Page Viewed", user_id="u", anonymous_id="new")]) == 2
