"""The breaker and the stop on the real stack: Temporal, a worker's activities, a database, a relay over TCP."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from temporalio.worker import Worker

from activities.dispatch import Dispatcher
from activities.registry import registered
from activities.steering import Steering
from models import breaker
from models.breaker import BREAKER, Bounds
from models.clock import SystemClock
from models.control import pass_gate
from models.database import Database
from models.emergency import stop
from models.pause import Held, Pause
from models.record import Recorder
from tabiji import JourneyPlugin
from tabiji.domain.journeys import Catalog
from tabiji.domain.topics import Topics
from tests.api.conftest import settings_for
from tests.control.scene import Scene
from tests.journeys.stage import until
from tests.mail.relays import Relay, relay
from tests.pace.bad import ALL
from tests.road.conftest import temporal
from tests.road.parts import did
from tests.road.server import TemporalServer

__all__ = ["temporal"]


@pytest.fixture(autouse=True)
def defaults() -> Any:
    """What a worker sets for its process."""
    yield
    breaker.arm(Bounds())


@dataclass
class Desk:
    """A worker's process and the entrance."""

    scene: Scene
    relay: Relay

    async def happens(self, event: str, who: str = "hanako") -> None:
        await self.scene.recorder.record([did(event, email=f"{who}@example.com", who=None)])

    async def mails(self) -> Counter[str]:
        """How many each person got."""
        return Counter(recipient for recipient in self.relay.recipients if not recipient.startswith("ops@"))

    async def tripped(self) -> list[Any]:
        return await self.scene.rows(Pause, by=BREAKER)

    async def are_tripped(self, number: int) -> None:
        async def enough() -> bool:
            return len(await self.tripped()) >= number

        await until(enough, f"the breaker has paused {number}", within=60)

    async def stands_still(self) -> None:
        """Until nothing is on its way to the relay, and nothing more has come for a while."""
        before = -1
        while before != len(self.relay.received):
            before = len(self.relay.received)
            await asyncio.sleep(1)


@asynccontextmanager
async def desk(server: TemporalServer, database: Database, folder: Path, **more: Any) -> AsyncGenerator[Desk]:
    async with relay() as smtp:
        given = {"smtp_port": smtp.port, "ops_email": "ops@example.com", "resume_rate": 100} | more
        settings = settings_for(database, folder, templates=Path("templates"), **given)
        async with working(server, database, settings) as dispatcher:
            scene = Scene(database, *(one.spec for one in ALL))
            scene.recorder = Recorder(database, scene.catalog, scene.clock, dispatcher)
            yield Desk(scene, smtp)


@asynccontextmanager
async def working(server: TemporalServer, database: Database, settings: Any) -> AsyncGenerator[Dispatcher]:
    queue, catalog = str(database.url.database), Catalog(one.spec for one in ALL)
    client = await server.client()
    outbox = Dispatcher(client, database, catalog, task_queue=queue, sweep_every=0.3)
    async with registered(settings, database, catalog, outbox, Topics()) as activities:
        plugin = JourneyPlugin(journeys=ALL, activities=activities, gate=partial(pass_gate, database))
        steering = Steering(database, catalog, SystemClock(), outbox, resume_rate=settings.resume_rate)
        async with Worker(await server.client(plugin), task_queue=queue, workflow_failure_exception_types=[Exception]):
            steered = asyncio.create_task(steering.run())
            yield outbox
            steered.cancel()
            await asyncio.gather(steered, return_exceptions=True)
            await outbox.close()


async def test_a_loop_of_mails_ends_at_the_bound_and_is_told_to_ops(
    temporal: TemporalServer, sqlite: Database, tmp_path: Path
) -> None:
    async with desk(temporal, sqlite, tmp_path) as it:
        await it.happens("Loop Begun")
        await it.are_tripped(1)
        await until(lambda: "ops@example.com" in it.relay.recipients, "ops are told")
        await it.happens("Loop Begun", "ken")
        await it.happens("Calm", "ann")
        await until(lambda: "ann@example.com" in it.relay.recipients, "others go on")
        await it.stands_still()
        assert await it.mails() == {"hanako@example.com": 20, "ann@example.com": 1}
        [alarm] = [mail for mail in it.relay.mails if mail["To"] == "ops@example.com"]
        assert alarm["Subject"] == "Paused by the breaker: journey mails-for-ever"
        assert "more than 20 effects" in alarm.get_content()


@pytest.mark.slow
async def test_two_journeys_that_enter_each_other_end_at_the_bound_of_each_also_after_a_restart(
    temporal: TemporalServer, sqlite: Database, tmp_path: Path
) -> None:
    async with desk(temporal, sqlite, tmp_path, breaker_effects=10) as it:
        await it.happens("Ping Begun")
        await it.are_tripped(1)
        await it.stands_still()
        got = (await it.mails())["hanako@example.com"]
        assert 5 <= got <= 20
    async with desk(temporal, sqlite, tmp_path, breaker_effects=10) as again:
        await again.stands_still()
        assert not await again.mails(), "what is paused stays paused"
        assert again.relay.recipients in ([], ["ops@example.com"]), "an alarm that was not told yet is told"
        for pause in await again.tripped():
            await again.scene.pauses.resume(pause.id, by="ann")
        await until(lambda: "hanako@example.com" in again.relay.recipients, "a person has let it go on")
        await again.are_tripped(2)
        await again.stands_still()
        assert (await again.mails())["hanako@example.com"] <= 20


@pytest.mark.slow
async def test_an_event_storm_mails_those_up_to_the_bound_and_no_more(
    temporal: TemporalServer, sqlite: Database, tmp_path: Path
) -> None:
    async with desk(temporal, sqlite, tmp_path, breaker_entries=20) as it:
        for group in range(12):
            await it.scene.recorder.record(
                [did("Storm", email=f"v{group}-{n}@example.com", who=None) for n in range(5)]
            )
        await until(lambda: _held(it, 35), "the others stand before their first effect", within=60)
        await it.stands_still()
        assert sum((await it.mails()).values()) <= 25

        [pause] = await it.tripped()
        await it.scene.pauses.resume(pause.id, by="ann")
        await until(lambda: _got_theirs(it, 60), "nobody was lost", within=60)
        await it.stands_still()
        assert set((await it.mails()).values()) == {1}


async def _got_theirs(it: Desk, number: int) -> bool:
    return len(await it.mails()) == number


async def _held(it: Desk, number: int) -> bool:
    return await it.scene.count(Held) >= number


@pytest.mark.slow
async def test_a_stop_lets_nothing_out_that_has_not_begun_and_says_how_long_it_took(
    temporal: TemporalServer, sqlite: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor do mails that are claimed and wait for their turn under a rate. After `go` each goes out once."""
    people = 60
    async with desk(temporal, sqlite, tmp_path, send_rate=10, breaker_entries=0) as it:
        times: list[float] = []
        watching = asyncio.create_task(_note_arrivals(it.relay, times))
        await it.scene.recorder.record([did("Calm", email=f"p{n}@example.com", who=None) for n in range(people)])
        await until(lambda: len(it.relay.received) >= 10, "mails flow")
        begun = time.monotonic()
        await stop(it.scene.database.url.render_as_string(hide_password=False), by="ann", reason=None)
        stopped = time.monotonic()
        await it.stands_still()
        out = len(it.relay.received)
        late = max(times) - stopped
        with capsys.disabled():
            print(f" [stop took {(stopped - begun) * 1000:.0f} ms; last mail {late * 1000:.0f} ms later]", end="")
        assert out < people / 2
        assert late < 1.0

        [pause] = await it.scene.rows(Pause)
        await it.scene.pauses.resume(pause.id, by="ann")
        await until(lambda: len(set(it.relay.recipients)) == people, "everybody gets theirs", within=60)
        await it.stands_still()
        watching.cancel()
        assert set((await it.mails()).values()) == {1}


async def _note_arrivals(smtp: Relay, times: list[float]) -> None:
    seen = 0
    while True:
        if len(smtp.received) > seen:
            seen = len(smtp.received)
            times.append(time.monotonic())
        await asyncio.sleep(0.005)
