"""The races of `test_races` with a real Temporal server, a real worker and a real outbox that misbehaves."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from sqlalchemy import func, select, update

from activities.dispatch import Dispatcher
from models.database import Database, table
from models.enroll import Pending
from models.enrollment import Dispatch, Enrollment, Listener
from tests.road.live import Live, live
from tests.road.parts import did
from tests.road.server import TemporalServer

# The SDK warns when a look-back ends in the moment it is cancelled. Its worker would die of a warning that raises.
pytestmark = pytest.mark.filterwarnings("default:Cannot find activity to cancel")

TEMPO = 1500.0
"""Five minutes are a fifth of a second."""
STANDSTILL = 45.0
"""Seconds in which something must move, on the slowest machine."""


class Misbehaving(Dispatcher):
    """Loses every sixth delivery between commit and RPC, and delivers every fourth twice."""

    dice = random.Random(11)  # noqa: S311 # chance of a test
    lost = doubled = 0

    def offer(self, pending: Sequence[Pending]) -> None:
        """See base class."""
        kept = [one for one in pending if self.dice.random() > 1 / 6]
        type(self).lost += len(pending) - len(kept)
        super().offer(kept)
        for one in kept:
            if self.dice.random() < 1 / 4:
                type(self).doubled += 1
                self._spawn(self._forget_and_offer(one))

    async def _forget_and_offer(self, one: Pending) -> None:
        # As if the process had died between the RPC and its note of it.
        await asyncio.sleep(self.dice.random() / 10)
        rows = table(Dispatch)
        async with self._database.write() as tx:
            await tx.execute(update(rows).where(rows.c.id == one.id).values(state="pending"))
        super().offer([one])


async def _person(road: Live, trigger: str, who: str, clicks: int, goal: bool) -> str:
    dice = Misbehaving.dice
    told = [did("Clicked", who=who, properties={"n": n}) for n in range(1, clicks + 1)]
    if goal:
        told.insert(dice.randrange(clicks + 1), did("Order Completed", who=who))
    begun = did(trigger, who=who, tempo=TEMPO)
    [first, *_] = await road.recorder.record([begun, told.pop(0)] if dice.random() < 1 / 3 else [begun])
    for item in told:
        await asyncio.sleep(dice.choice((0, 0.01, 0.05, 0.2, 0.4)))
        await asyncio.gather(*(road.recorder.record([item]) for _ in range(dice.choice((1, 1, 2)))))
    return first.entered[0]


async def _play(road: Live, trigger: str, people: int, *, goal: bool = False) -> list[str]:
    """Let people act; come back with their enrollments when all are over and the outbox is empty."""
    sweeping = asyncio.create_task(road.dispatcher.run())
    try:
        ids = await asyncio.gather(*(_person(road, trigger, f"{trigger} {n}", 3, goal) for n in range(people)))
        await _comes_to_rest(road)
        return list(ids)
    finally:
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)


class Moves(NamedTuple):
    """What changes as long as anybody gets on."""

    travelling: int
    on_the_way: int
    waits: int
    """The visits of all waits there are, added up."""


async def _comes_to_rest(road: Live) -> None:
    """Wait as long as anything moves: how long that is says more of the machine than of us."""
    before, since = None, time.monotonic()
    while (now := await _moves(road)).travelling or now.on_the_way:
        if now != before:
            before, since = now, time.monotonic()
        assert time.monotonic() - since < STANDSTILL, f"nothing has moved for a while: {now}"
        await asyncio.sleep(0.1)


async def _moves(road: Live) -> Moves:
    enrollments, dispatches, listeners = table(Enrollment), table(Dispatch), table(Listener)
    travelling = select(func.count()).where(enrollments.c.state == "running", enrollments.c.journey != "afterwards")
    on_the_way = select(func.count()).where(dispatches.c.state == "pending")
    waits = select(func.coalesce(func.sum(listeners.c.visit), 0))
    async with road.database.read() as tx:
        return Moves(*[(await tx.execute(query)).scalar_one() for query in (travelling, on_the_way, waits)])


def _crowd(many: int) -> pytest.MarkDecorator:
    long = (pytest.mark.slow, pytest.mark.timeout(300))
    return pytest.mark.parametrize("people", [20, pytest.param(many, marks=long)])


@_crowd(40)
@pytest.mark.parametrize("journey", ["Patient", "Impatient"])
async def test_every_click_is_taken_exactly_once(
    temporal: TemporalServer, sqlite: Database, journey: str, people: int
) -> None:
    """Start and first signal in either order, deliveries lost and doubled, timers against signals: three clicks
    each, and every one answers exactly one wait.
    """
    async with live(temporal, sqlite, dispatcher=Misbehaving) as road:
        ids = await _play(road, f"{journey} Begun", people)
        taken = [await road.client.get_workflow_handle(id).query("took", result_type=list[int]) for id in ids]
        outcomes = [await road.handle(id).result() for id in ids]
    assert [sorted(one) for one in taken] == [[1, 2, 3]] * people
    assert {outcome.ending for outcome in outcomes} == {"completed"}
    await _nobody_is_left(road, {"completed"})


@_crowd(40)
async def test_every_goal_ends_its_journey_and_begins_the_next_once(
    temporal: TemporalServer, postgresql: Database, people: int
) -> None:
    """The goal comes at any moment: before the start was delivered, in a look-back, with a timer."""
    async with live(temporal, postgresql, dispatcher=Misbehaving, cached=20) as road:
        ids = await _play(road, "Goal Begun", people, goal=True)
        outcomes = [await road.handle(id).result() for id in ids]
    assert {outcome.ending for outcome in outcomes} == {"goal"}
    begun = Counter(row.contact_id for row in await road.rows(Enrollment, journey="afterwards"))
    assert len(begun) == people
    assert set(begun.values()) == {1}
    await _nobody_is_left(road, {"goal"})


async def _nobody_is_left(road: Live, states: set[str]) -> None:
    over = [row for row in await road.rows(Enrollment) if row.journey != "afterwards"]
    assert {row.state for row in over} == states
    assert await road.rows(Listener) == []
    assert {row.state for row in await road.rows(Dispatch)} <= {"delivered", "late"}
    assert Misbehaving.lost > 0
    assert Misbehaving.doubled > 0
    assert road.dispatcher.counts.redelivered > 0
