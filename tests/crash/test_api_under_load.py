"""The API is killed while events pour in: what it said yes to is kept, once, and reaches Temporal."""

from __future__ import annotations

import asyncio
from typing import cast

import httpx2
import pytest

from models.enrollment import Dispatch, Enrollment
from models.event import Event
from models.keys import create_key
from tests.crash.processes import Program
from tests.crash.scene import Scene, free_port
from tests.journeys.stage import until

SENDERS = 16
KILLS = 3


@pytest.fixture(params=["on_sqlite", "on_postgresql"])
def scene(request: pytest.FixtureRequest) -> Scene:
    return cast("Scene", request.getfixturevalue(request.param))


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_every_event_that_got_a_yes_is_stored_once_and_every_start_delivered(scene: Scene) -> None:
    """A sender that got no answer sends again with the same messageId, as Segment's clients do."""
    port, key = free_port(), await create_key(scene.database, "crash", "admin")
    api = scene.api(port)
    accepted: set[str] = set()
    over = asyncio.Event()
    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", trust_env=False, headers={"Authorization": f"Bearer {key}"}, timeout=10
    ) as http:
        await _start(api, http)
        senders = [asyncio.create_task(_send(http, sender, accepted, over)) for sender in range(SENDERS)]
        for kill in range(KILLS):
            enough = 100 * (kill + 1)
            await until(lambda enough=enough: _has(accepted, enough), f"{enough} were accepted", within=60)
            await api.kill()
            await _start(api, http)
        over.set()
        await asyncio.gather(*senders)
        await until(lambda: _none_pending(scene), "every dispatch is delivered", within=60)
    await api.kill()

    stored = [row.message_id for row in await scene.rows(Event) if row.message_id.startswith("load-")]
    assert len(stored) == len(set(stored))
    assert set(stored) >= accepted
    assert len(accepted) >= 100 * KILLS
    enrollments = await scene.rows(Enrollment)
    assert len(enrollments) == len(stored)
    for one in enrollments:
        await scene.client.get_workflow_handle(one.id).describe()


async def _send(http: httpx2.AsyncClient, sender: int, accepted: set[str], over: asyncio.Event) -> None:
    number = 0
    while not over.is_set():
        number += 1
        who = f"load-{sender}-{number}"
        while who not in accepted:
            try:
                answer = await http.post("/v1/track", json={"event": "Begun", "userId": who, "messageId": who})
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
                continue
            assert answer.status_code in (200, 503), answer.text
            if answer.status_code == 200:
                accepted.add(who)


async def _start(api: Program, http: httpx2.AsyncClient) -> None:
    await api.start()

    async def ready() -> bool:
        assert api.runs, api.said
        try:
            return (await http.get("/readyz")).status_code == 200
        except httpx2.TransportError:
            return False

    await until(ready, "the API is ready", within=60)


async def _has(accepted: set[str], enough: int) -> bool:
    return len(accepted) >= enough


async def _none_pending(scene: Scene) -> bool:
    return all(row.state == "delivered" for row in await scene.rows(Dispatch))
