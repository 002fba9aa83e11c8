"""Workers and the Temporal server die in the middle of broadcasts: each person gets one mail all the same."""

from __future__ import annotations

import signal
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from models.broadcasts import Broadcasts, Plan, Whom
from models.clock import SystemClock
from models.contact import ContactTag
from models.database import Database, insert, table
from models.message import Message
from models.reads.broadcasts import BroadcastInFull, show_broadcast
from tests.broadcasts.hall import NOON, crowd
from tests.crash.conftest import on_sqlite, project
from tests.crash.scene import Scene
from tests.journeys.stage import until

__all__ = ["on_sqlite", "project"]

pytestmark = pytest.mark.slow

POINTS = ("message.rendered", "message.claimed", "message.on_wire", "message.taken", "message.marked")


async def tagged(database: Database, tag: str, to: list[str]) -> None:
    people = await crowd(database, to)
    async with database.write() as tx:
        rows = [{"contact_id": one, "tag": tag, "at": NOON, "recorded_at": NOON} for one in people]
        await tx.execute(insert(tx, ContactTag), rows)


def desk(scene: Scene) -> Broadcasts:
    return Broadcasts(scene.database, SystemClock())


async def create(scene: Scene, tag: str, **more: Any) -> UUID:
    plan = Plan(name=tag, template="whitepaper/welcome", topic="marketing", whom=Whom(tag=tag), **more)
    return await desk(scene).create(plan, by="test")


async def shown(scene: Scene, id: UUID) -> BroadcastInFull:
    async with scene.database.read() as tx:
        found = await show_broadcast(tx, id)
    assert found is not None
    return found


async def ends(scene: Scene, *ids: UUID, within: float = 120) -> None:
    async def over() -> bool:
        return all([(await shown(scene, id)).state == "done" for id in ids])

    await until(over, "all broadcasts are over", within=within)


def copies(scene: Scene, to: list[str]) -> Counter[str]:
    """How many mails each has got, all of them under one Message-ID."""
    found = Counter(mail.address for mail in scene.relay.received)
    ids = {(mail.address, mail.message_id) for mail in scene.relay.received}
    assert len(ids) == len(found), "every copy carries the same Message-ID"
    return Counter({address: found[address] for address in to})


async def perhaps_twice(scene: Scene) -> dict[str, int]:
    """Who was sent a mail again because nobody knew whether they had it, and how often."""
    messages = table(Message)
    async with scene.database.read() as tx:
        query = select(messages.c.recipient, messages.c.maybe_twice).where(messages.c.maybe_twice > 0)
        return {row.recipient: row.maybe_twice for row in await tx.execute(query)}


async def test_a_worker_that_dies_anywhere_leaves_nobody_out(on_sqlite: Scene) -> None:
    """Twice only who may have had it when it died: that is known of them, and the Message-ID is the same."""
    scene = on_sqlite
    crowds = {point: [f"{point.partition('.')[2]}-{n}@example.jp" for n in range(12)] for point in POINTS}
    ids: list[UUID] = []
    for point, to in crowds.items():
        await tagged(scene.database, point, to)
        worker = await scene.worker(TABIJI_CRASH_AT=point if point in POINTS[:2] else f"{point}:2")
        ids.append(await create(scene, point))
        assert await worker.ended(within=60) == -signal.SIGKILL
    await scene.worker()
    await ends(scene, *ids)

    everybody = [address for to in crowds.values() for address in to]
    found, known = copies(scene, everybody), await perhaps_twice(scene)
    assert min(found.values()) == 1
    assert {address for address in everybody if found[address] > 1} <= known.keys()


async def test_a_worker_told_to_stop_repeats_nothing_and_a_resumed_broadcast_goes_on_at_once(on_sqlite: Scene) -> None:
    scene = on_sqlite
    to = [f"p{n}@example.jp" for n in range(60)]
    await tagged(scene.database, "all", to)
    worker = await scene.worker()
    id = await create(scene, "all", rate=10.0)
    await scene.relay.has(5)
    worker.send(signal.SIGTERM)
    assert await worker.ended() == 0
    assert len(scene.relay.received) < 60

    await desk(scene).pause(id, by="test", reason=None)
    await scene.worker()

    async def waits() -> bool:
        history = await scene.client.get_workflow_handle(f"broadcast/{id}").describe()
        return not history.raw_description.pending_activities

    await until(waits, "it has seen that it is paused", within=60)
    await desk(scene).resume(id, by="test")
    await ends(scene, id, within=60)
    assert copies(scene, to) == dict.fromkeys(to, 1)
    assert await perhaps_twice(scene) == {}


async def test_two_thousand_get_one_mail_each_though_worker_and_server_die_twice(on_sqlite: Scene) -> None:
    scene = on_sqlite
    to = [f"p{n}@example.jp" for n in range(2000)]
    await tagged(scene.database, "all", to)
    worker = await scene.worker()
    id = await create(scene, "all")
    for share, dies in ((300, worker), (700, scene.temporal), (1000, worker), (1400, scene.temporal)):
        await scene.relay.has(share)
        await dies.kill()
        await (scene.start(worker) if dies is worker else dies.start())
    await ends(scene, id, within=180)

    found = copies(scene, to)
    assert min(found.values()) == 1
    twice = {address for address in to if found[address] > 1}
    assert twice <= (await perhaps_twice(scene)).keys()
    assert len(twice) <= 2 * 64, "only what the relay had taken and we had not written down"
    progress = (await shown(scene, id)).progress
    assert (progress.sent, progress.left) == (2000, 0)
