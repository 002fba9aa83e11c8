"""Orders to many are carried out in pages: nobody twice, nobody left out, whoever dies in between."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from models.batch import Action, Batch, Pace
from models.database import Database
from models.enrollment import Dispatch
from models.pause import Pause
from models.reach import Reach
from tabiji.domain.conditions import on
from tabiji.domain.journeys import always
from tests.control.scene import Scene
from tests.road.parts import spec, waits_for

EVERYBODY = Reach(everything=True)


async def drained(scene: Scene, *, rounds: int = 100) -> None:
    for _ in range(rounds):
        running = await scene.batches.running()
        if not running:
            return
        for id in running:
            await scene.batches.page(id)
        await scene.time_passes(timedelta(seconds=1))


@pytest.mark.parametrize(
    ("action", "kind"), [(Action.SKIP, "signal"), (Action.MOVE, "signal"), (Action.CANCEL, "cancel")]
)
async def test_each_enrollment_is_told_once_at_the_rate(database: Database, action: Action, kind: str) -> None:
    scene = Scene(database)
    orders = await scene.crowd(12)
    id = await scene.batches.order(action, EVERYBODY, by="ops", reason="x", rate=5)

    first = await scene.batches.page(id)
    again = await scene.batches.page(id)
    await drained(scene)

    assert (len(first), len(again)) == (5, 0)
    rows = await scene.rows(Dispatch)
    assert [row.kind for row in rows] == [kind] * 12
    assert {row.enrollment_id for row in rows} == {order.enrollment_id for order in orders}
    [batch] = await scene.rows(Batch)
    assert (batch.state, batch.total, batch.done, batch.left_out) == ("done", 12, 12, 0)
    assert await scene.rows(Pace) == []


async def test_processes_that_work_on_one_batch_tell_nobody_twice(postgresql: Database) -> None:
    scene = Scene(postgresql)
    orders = await scene.crowd(40)
    id = await scene.batches.order(Action.SKIP, EVERYBODY, by="ops", reason=None, rate=15)

    for _ in range(5):
        await asyncio.gather(*(scene.batches.page(id) for _ in range(4)))
        await scene.time_passes(timedelta(seconds=1))

    told = [row.enrollment_id for row in await scene.rows(Dispatch)]
    assert sorted(told) == sorted(order.enrollment_id for order in orders)


async def test_a_transaction_that_breaks_has_told_nobody_and_is_done_again(sqlite: Database) -> None:
    """Kill -9 in the middle: place and dispatches are written together or not at all."""
    scene = Scene(sqlite)
    orders = await scene.crowd(6)
    id = await scene.batches.order(Action.SKIP, EVERYBODY, by="ops", reason=None, rate=3)
    whole = sqlite.transact

    async def dies(work: object, *more: object) -> object:
        async with sqlite.write() as tx:
            await work(tx)  # type: ignore[operator] # a stand-in for the real one
            raise ConnectionError("killed")

    sqlite.transact = dies  # type: ignore[assignment, method-assign] # it dies before its commit
    with pytest.raises(Exception, match="does not answer"):
        await scene.batches.page(id)
    sqlite.transact = whole  # type: ignore[method-assign] # the next process
    assert await scene.rows(Dispatch) == []
    await drained(scene)

    assert sorted(row.enrollment_id for row in await scene.rows(Dispatch)) == sorted(
        order.enrollment_id for order in orders
    )


async def test_a_batch_reaches_whom_it_says_and_nobody_else(database: Database) -> None:
    scene = Scene(database, spec("nurture", reentry=always), spec("welcome", reentry=always))
    waiting, *_ = [await scene.enters_both(f"v{number}") for number in range(3)]
    demo = on("Demo Attended")
    for order in waiting:
        await scene.waits.listen(waits_for(order.enrollment_id, UUID(order.contact_id), demo))
    reach = Reach(journey="welcome", waiting_for="Demo Attended")

    id = await scene.batches.order(Action.CANCEL, reach, by="ops", reason=None, rate=100)
    await drained(scene)

    told = [row.enrollment_id for row in await scene.rows(Dispatch, kind="cancel")]
    assert told == [order.enrollment_id for order in waiting if order.enrollment_id.startswith("welcome/")]
    [batch] = await scene.rows(Batch, id=id)
    assert batch.total == 1


async def test_a_batch_pauses_and_resumes_each_of_them(database: Database) -> None:
    scene = Scene(database)
    one, *others = await scene.crowd(4)
    for action, paused in ((Action.PAUSE, True), (Action.RESUME, False)):
        reach = Reach(everything=True, paused=None if paused else True)
        await scene.batches.order(action, reach, by="ops", reason=None, rate=100)
        await drained(scene)
        assert await scene.meets_a_pause(one) is paused

    assert others
    assert [pause.scope for pause in await scene.rows(Pause)] == ["enrollment"] * 4
    assert await scene.release() == 1


async def test_a_batch_that_is_stopped_tells_nobody_more(sqlite: Database) -> None:
    scene = Scene(sqlite)
    await scene.crowd(6)
    id = await scene.batches.order(Action.SKIP, EVERYBODY, by="ops", reason=None, rate=2)
    await scene.batches.page(id)

    assert await scene.batches.stop(id)
    assert not await scene.batches.stop(id)
    await drained(scene)

    [batch] = await scene.rows(Batch)
    assert (batch.state, batch.done) == ("stopped", 2)
    assert len(await scene.rows(Dispatch)) == 2
