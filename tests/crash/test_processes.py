"""Worker, API or Temporal die while people travel: each journey goes on as if nothing had happened."""

from __future__ import annotations

import asyncio
import signal
from typing import cast

import httpx2
import pytest

from models.enrollment import Dispatch, Enrollment
from models.keys import create_key
from models.message import Message
from tests.crash.crossing import MOMENT
from tests.crash.scene import Scene, free_port
from tests.journeys.stage import until

BEGUN = {"event": "Begun", "messageId": "begun", "userId": "u-1"}


@pytest.fixture(params=["on_sqlite", pytest.param("on_postgresql", marks=pytest.mark.slow)])
def scene(request: pytest.FixtureRequest) -> Scene:
    return cast("Scene", request.getfixturevalue(request.param))


async def each_mail_came_once(scene: Scene, enrollment: str, address: str) -> None:
    assert [row.state for row in await scene.rows(Message, enrollment_id=enrollment)] == ["sent", "sent"]
    assert sorted(scene.relay.mails_to(address).values()) == [1, 1]


@pytest.mark.slow
async def test_an_event_while_no_worker_runs_is_found_by_the_next_one(scene: Scene) -> None:
    """Of two people who wait when their worker dies: one's event reached Temporal, the other's only the database."""
    told, untold = await scene.person(), await scene.person()
    worker = await scene.worker()
    enrollments = [await scene.enters("crossing", person) for person in (told, untold)]
    for enrollment in enrollments:
        await scene.listens(enrollment)
    await worker.kill()
    await scene.acts(told, "Signed")
    await scene.outbox.settle()
    await scene.acts(untold, "Signed", delivered=False)
    await scene.start(worker)
    assert await scene.ends(*enrollments) == ["completed", "completed"]
    for enrollment, person in zip(enrollments, (told, untold), strict=True):
        await each_mail_came_once(scene, enrollment, person.address)


async def test_an_api_killed_between_commit_and_delivery_loses_no_event(on_sqlite: Scene) -> None:
    """It said yes and died before Temporal heard of it: the sweep of any process delivers."""
    scene, port = on_sqlite, free_port()
    person, key = await scene.person(), await create_key(on_sqlite.database, "crash", "admin")
    api = scene.api(port)
    await api.start()
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:

        async def ready() -> bool:
            assert api.runs, api.said
            try:
                return (await http.get("/readyz")).status_code == 200
            except httpx2.TransportError:
                return False

        await until(ready, "the API is ready", within=40)
        scene.temporal.send(signal.SIGSTOP)
        said = await http.post("/v1/track", json=BEGUN, headers={"Authorization": f"Bearer {key}"})
    await api.kill()
    scene.temporal.send(signal.SIGCONT)
    assert said.status_code == 200
    [start] = await scene.rows(Dispatch)
    assert (start.kind, start.state) == ("start", "pending")
    worker = await scene.worker()
    [enrollment] = await scene.rows(Enrollment)
    await scene.listens(enrollment.id)
    await scene.acts(person, "Signed")
    assert await scene.ends(enrollment.id) == ["completed"]
    await each_mail_came_once(scene, enrollment.id, person.address)
    assert worker.runs


async def test_temporal_killed_in_the_middle_of_waits_goes_on_from_its_file(on_sqlite: Scene) -> None:
    """One waits for an event and the other for a time: both come while Temporal is away."""
    scene = on_sqlite
    worker = await scene.worker()
    listening, sleeping = await scene.person(), await scene.person()
    enrollments = [await scene.enters("crossing", listening), await scene.enters("hurried", sleeping)]
    await asyncio.gather(scene.listens(enrollments[0]), scene.sleeps(enrollments[1]))
    await scene.temporal.kill()
    await scene.acts(listening, "Signed")
    await asyncio.sleep(MOMENT.total_seconds())
    await scene.temporal.start()
    assert await scene.ends(*enrollments) == ["completed", "completed"]
    for enrollment, person in zip(enrollments, (listening, sleeping), strict=True):
        await each_mail_came_once(scene, enrollment, person.address)
    assert worker.runs
