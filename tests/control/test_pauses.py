"""A pause is one row; its end tells those who met it, at a rate, once, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from models.database import Database, insert, table
from models.enrollment import Dispatch, Enrollment
from models.pause import Held, Pause, Scope
from models.release import somebody_is_free
from tabiji.domain.journeys import always
from tests.control.scene import Scene
from tests.road.parts import spec


async def test_who_met_a_pause_is_told_when_it_ends_and_since_when_it_was(database: Database) -> None:
    scene = Scene(database)
    order = await scene.enters()
    id, new = await scene.pauses.pause(Scope.JOURNEY, "nurture", by="ops", reason=None)
    assert await scene.meets_a_pause(order)
    assert await scene.release() == 0

    assert await scene.pauses.resume(id, by="ops")
    assert await scene.release() == 1

    [signal] = await scene.rows(Dispatch, kind="signal")
    [pause] = await scene.rows(Pause)
    assert new
    assert (signal.payload["event"], signal.payload["step"]) == ("resume", "control")
    assert datetime.fromisoformat(signal.payload["properties"]["paused_wall"]) == pause.since_wall
    assert await scene.rows(Held) == []
    assert not await scene.meets_a_pause(order)


async def test_whoever_did_not_meet_it_costs_nothing(sqlite: Database) -> None:
    scene = Scene(sqlite, spec("nurture", reentry=always))
    for number in range(5):
        await scene.enters(f"v{number}")

    id, _ = await scene.pauses.pause(Scope.EVERYTHING, "", by="ops", reason=None)
    await scene.pauses.resume(id, by="ops")

    assert await scene.release() == 0
    assert await scene.told() == []


async def test_pausing_and_resuming_again_changes_nothing(database: Database) -> None:
    scene = Scene(database)
    order = await scene.enters()
    first, _ = await scene.pauses.pause(Scope.EVERYTHING, "", by="ops", reason="one")
    second, new = await scene.pauses.pause(Scope.EVERYTHING, "", by="other", reason="two")
    await scene.meets_a_pause(order)

    ended = [await scene.pauses.resume(first, by="ops") for _ in range(3)]
    for _ in range(3):
        await scene.release()
        await scene.time_passes(timedelta(seconds=1))

    assert (first, new) == (second, False)
    assert ended == [True, False, False]
    assert await scene.told() == [order.enrollment_id]


async def test_those_held_are_told_at_the_rate_the_longest_held_first(database: Database) -> None:
    scene = Scene(database)
    orders = [await scene.enters(f"v{number}") for number in range(5)]
    id, _ = await scene.pauses.pause(Scope.EVERYTHING, "", by="ops", reason=None)
    for order in orders:
        await scene.meets_a_pause(order)
    await scene.pauses.resume(id, by="ops")

    told = [await scene.release(rate=2)]
    told.append(await scene.release(rate=2))
    await scene.time_passes(timedelta(seconds=1))
    told.append(await scene.release(rate=2))
    await scene.time_passes(timedelta(seconds=100))
    told.append(await scene.release(rate=2))

    assert told[:2] == [2, 0]
    assert told[2:] == [2, 1], "what was not used up in a hundred seconds is not made up for"
    assert await scene.told() == [order.enrollment_id for order in orders]


async def test_a_new_pause_in_the_middle_keeps_the_rest(database: Database) -> None:
    scene = Scene(database)
    orders = [await scene.enters(f"v{number}") for number in range(4)]
    first, _ = await scene.pauses.pause(Scope.JOURNEY, "nurture", by="ops", reason=None)
    for order in orders:
        await scene.meets_a_pause(order)
    await scene.pauses.resume(first, by="ops")
    assert await scene.release(rate=2) == 2

    second, _ = await scene.pauses.pause(Scope.JOURNEY, "nurture", by="ops", reason=None)
    await scene.time_passes(timedelta(seconds=10))
    assert await scene.release(rate=2) == 0
    assert await scene.meets_a_pause(orders[0]), "who was told already meets the new one at their next effect"

    await scene.pauses.resume(second, by="ops")
    await scene.time_passes(timedelta(seconds=10))
    assert await scene.release(rate=10) == 3
    assert sorted(await scene.told()) == sorted([orders[0].enrollment_id, *(one.enrollment_id for one in orders)])


async def test_who_is_under_two_pauses_goes_on_after_both(database: Database) -> None:
    scene = Scene(database)
    order = await scene.enters()
    journey, _ = await scene.pauses.pause(Scope.JOURNEY, "nurture", by="ops", reason=None)
    await scene.pauses.pause(Scope.CONTACT, order.contact_id, by="ops", reason=None)
    await scene.meets_a_pause(order)

    await scene.pauses.resume(journey, by="ops")
    assert await scene.release() == 0
    await scene.pauses.resume_target(Scope.CONTACT, order.contact_id, by="ops")

    assert await scene.release() == 1


async def test_who_has_ended_meanwhile_is_told_nothing(sqlite: Database) -> None:
    scene = Scene(sqlite)
    order = await scene.enters()
    id, _ = await scene.pauses.pause(Scope.EVERYTHING, "", by="ops", reason=None)
    await scene.meets_a_pause(order)
    async with sqlite.write() as tx:
        await tx.execute(update(table(Enrollment)).values(state="cancelled"))

    await scene.pauses.resume(id, by="ops")
    await scene.release()

    assert await scene.told() == []
    assert await scene.rows(Held) == []


async def test_a_resume_that_races_with_effects_loses_nobody(postgresql: Database) -> None:
    """An effect that saw the pause may write itself down after the pause has ended: the next look finds it."""
    scene = Scene(postgresql)
    orders = await scene.crowd(60)
    stopped = 0
    for _ in range(3):
        id, _ = await scene.pauses.pause(Scope.EVERYTHING, "", by="ops", reason=None)
        meeting = [asyncio.create_task(scene.meets_a_pause(order)) for order in orders]
        await asyncio.gather(scene.pauses.resume(id, by="ops"), *(scene.release() for _ in range(4)))
        stopped += sum([await task for task in meeting])
        await scene.time_passes(timedelta(seconds=10))
        await scene.release()

    assert await scene.rows(Held) == []
    assert len(await scene.told()) == stopped


async def test_processes_share_one_rate(postgresql: Database) -> None:
    scene = Scene(postgresql)
    orders = await scene.crowd(40)
    id, _ = await scene.pauses.pause(Scope.EVERYTHING, "", by="ops", reason=None)
    for order in orders:
        await scene.meets_a_pause(order)
    await scene.pauses.resume(id, by="ops")

    told = await asyncio.gather(*(scene.release(rate=10) for _ in range(8)))

    assert 10 <= sum(told) <= 14, "ten a second, and a little more for the time this took"
    assert len(set(await scene.told())) == sum(told)


@pytest.mark.parametrize("size", [2000])
async def test_two_thousand_are_paused_by_one_row_and_go_on_at_the_rate(sqlite: Database, size: int) -> None:
    scene = Scene(sqlite)
    small = await scene.crowd(10)
    began = time.perf_counter()
    id, _ = await scene.pauses.pause(Scope.JOURNEY, "nurture", by="ops", reason=None)
    for_few = time.perf_counter() - began
    await scene.pauses.resume(id, by="ops")
    orders = await scene.crowd(size)

    began = time.perf_counter()
    id, _ = await scene.pauses.pause(Scope.JOURNEY, "nurture", by="ops", reason=None)
    for_many = time.perf_counter() - began
    now = datetime.now(UTC)
    held = [
        {
            "enrollment_id": order.enrollment_id,
            "journey": "nurture",
            "contact_id": order.contact_id,
            "pause_id": id,
            "since_wall": now,
            "recorded_at": now,
        }
        for order in orders
    ]
    async with sqlite.write() as tx:
        await tx.execute(insert(tx, Held), held)
    await scene.pauses.resume(id, by="ops")
    told = 0
    for _second in range(size // 50):
        told += await scene.release(rate=50, most=100)
        await scene.time_passes(timedelta(seconds=1))
        assert told <= 50 * (_second + 1) + 5

    assert small
    assert for_many < 10 * for_few + 0.05
    assert told >= size - 50
    while await scene.release(rate=1000):
        await scene.time_passes(timedelta(seconds=1))
    assert len(set(await scene.told())) == size
    async with sqlite.read() as tx:
        assert not await somebody_is_free(tx)
