"""Two hundred people in the middle of a journey while a changed one goes out: real workers, a real server and relay."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from models.clock import SystemClock
from models.contact import ContactTag
from models.message import Message
from models.record import Recorder
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import JOURNAL, Carried, Open
from tabiji.scaffold import create
from tests.crash import processes
from tests.crash.processes import Program
from tests.crash.scene import STARTED, Person, Scene, scene
from tests.deploys.states import one, two, unsafe
from tests.journeys.stage import until

PEOPLE = 200
LATE = timedelta(seconds=60)
"""How much later than its deadline a mail of one of two hundred may go out on a busy machine."""
LINE = Path(unsafe.__file__).read_text().splitlines().index('        await self.tag("welcomed")') + 1
MOVE_COSTS = 10
"""Events in a plain wait: one fewer than in a wait for behaviour, which listens again."""


@dataclass
class Deployment:
    """Projects in several states, and their workers."""

    scene: Scene
    folder: Path
    numbers: Iterator[int] = field(default_factory=count)

    def project(self, state: Any) -> Path:
        made = self.folder / Path(state.__file__).stem
        if not made.exists():
            create(made)
            shutil.copy(state.__file__, made / "workflows" / "road.py")
        return made

    def env(self, build: str) -> dict[str, str]:
        return {**self.scene._env(), "TABIJI_BUILD_ID": build}  # pyright: ignore[reportPrivateUsage] # test's own

    async def worker(self, state: Any, build: str) -> Program:
        log = self.folder / f"worker-{build}.log"
        made = processes.worker(self.project(state), log, self.env(build))
        self.scene.programs.append(made)
        await made.start()
        await until(lambda: STARTED in made.said, "the worker works", within=60)
        return made

    async def tabiji(self, state: Any, build: str, *arguments: str) -> tuple[int, str]:
        """Run a command in a project."""
        log = self.folder / f"said-{next(self.numbers)}.log"
        argv = (sys.executable, "-m", "tabiji.cli", *arguments)
        program = Program(argv, self.project(state), log, {**self.env(build), "COLUMNS": "200", "TERM": "dumb"})
        await program.start()
        return await program.ended(within=150), program.said


@pytest.mark.slow
@pytest.mark.timeout(420)
async def test_people_in_the_middle_of_a_journey_outlive_its_deploy(tmp_path: Path) -> None:
    """Old deadlines, no mail twice, the old worker gone; an unsafe change is refused before it goes out."""
    create(tmp_path / "one")
    shutil.copy(one.__file__, tmp_path / "one" / "workflows" / "road.py")
    async with scene(tmp_path, tmp_path / "one", f"sqlite:///{tmp_path / 'tabiji.sqlite3'}") as made:
        deployment = Deployment(made, tmp_path)
        catalog = Catalog([one.Road.spec, one.Brief.spec])
        recorder = Recorder(made.database, catalog, SystemClock(), made.outbox)
        deployment.project(unsafe)
        old, _ = await asyncio.gather(deployment.worker(one, "one"), deployment.worker(two, "two"))
        assert (await deployment.tabiji(one, "one", "versions", "--promote", "one"))[0] == 0
        people = [await made.person() for _ in range(PEOPLE)]
        roads = [await entered(recorder, "road", person) for person in people]
        await until(lambda: len(made.relay.received) == PEOPLE, "the first mails", within=60)
        stays = await entered(recorder, "brief", people[0])

        await an_unsafe_change_is_refused_before_it_goes_out(deployment)

        assert (await deployment.tabiji(two, "two", "versions", "--promote", "two"))[0] == 0
        begins = await entered(recorder, "brief", people[1])
        deadlines = await journals(made.client, roads)
        code, said = await deployment.tabiji(two, "two", "move", "road", "--yes")
        assert (code, said.splitlines()[-1]) == (0, f"{PEOPLE} of {PEOPLE} have left their version")
        assert await journals(made.client, roads) == deadlines
        await old_people_end_in_the_old_version(deployment, stays, begins, people)

        await histories_are_kept_without_anybody_in_them(deployment)

        old.send(signal.SIGTERM)
        assert await old.ended(within=90) == 0
        assert set(await made.ends(*roads, within=150)) == {"completed"}
        await everybody_got_each_mail_once_and_in_time(made, people, roads)
        assert await events(made.client, roads[-1]) in (23 + MOVE_COSTS + 6, 23 + MOVE_COSTS + 9)


async def entered(recorder: Recorder, journey: str, person: Person) -> str:
    found = await recorder.enroll(journey, person.contact)
    assert found.enrollment_id is not None
    return found.enrollment_id


async def an_unsafe_change_is_refused_before_it_goes_out(deployment: Deployment) -> None:
    folder = deployment.project(unsafe) / "tests" / "histories"
    replay = ("replay", str(folder), "--live", "20")
    (code, said), (moves, told), (fine, _) = await asyncio.gather(
        deployment.tabiji(unsafe, "unsafe", *replay),
        deployment.tabiji(unsafe, "unsafe", "move", "road", "--check"),
        deployment.tabiji(two, "two", *replay),
    )
    assert (code, moves, fine) == (1, 1, 0)
    assert f"workflows/road.py:{LINE}: journey road, step steps/tag:welcomed goes another way" in said
    assert f"(version one, {PEOPLE} of {PEOPLE} people under way, by a sample of 20)" in said
    assert f"workflows/road.py:{LINE}: journey road, {PEOPLE} people: step 'steps/tag:welcomed' was inserted" in told


async def old_people_end_in_the_old_version(
    deployment: Deployment, stays: str, begins: str, people: list[Person]
) -> None:
    made = deployment.scene
    assert await made.ends(stays, begins) == ["completed", "completed"]
    tags = {row.contact_id: row.tag for row in await made.rows(ContactTag) if row.tag in ("old", "new")}
    assert tags == {people[0].contact: "old", people[1].contact: "new"}
    code, said = await deployment.tabiji(two, "two", "versions", "--json")
    assert code == 0
    found = {each["build"]: (each["state"], each["people"]) for each in json.loads(said)["versions"]}
    assert found == {"two": ("current", PEOPLE), "one": ("drained", 0)}


async def histories_are_kept_without_anybody_in_them(deployment: Deployment) -> None:
    folder = deployment.folder / "kept"
    code, said = await deployment.tabiji(two, "two", "record", "--sample", "5", "--folder", str(folder))
    assert code == 0, said
    ways = {file.name.rpartition("-")[0] for file in folder.iterdir()}
    assert {"brief-completed", "road-running"} <= ways


async def everybody_got_each_mail_once_and_in_time(made: Scene, people: list[Person], roads: list[str]) -> None:
    rows = await made.rows(Message)
    sent = {(row.enrollment_id, row.step): row for row in rows}
    assert len(sent) == len(rows) == 2 * PEOPLE
    for person, road in zip(people, roads, strict=True):
        assert sorted(made.relay.mails_to(person.address).values()) == [1, 1]
        first, second = (sent[road, f"steps/send_email:{name}"] for name in ("whitepaper/welcome", "demo/invitation"))
        waited = second.at - first.at
        assert one.PATIENCE <= waited <= one.PATIENCE + LATE, road
    assert Counter(row.tag for row in await made.rows(ContactTag))["waited"] == PEOPLE
    assert not [row for row in rows if row.maybe_twice]


async def journals(client: Client, roads: list[str]) -> list[tuple[Open, ...]]:
    """The waits everybody is in, with their deadlines."""
    found: list[tuple[Open, ...]] = []
    for start in range(0, len(roads), 20):
        asked = (client.get_workflow_handle(id).query(JOURNAL, result_type=Carried) for id in roads[start : start + 20])
        found += [carried.open for carried in await asyncio.gather(*asked)]
    assert all(found)
    return found


async def events(client: Client, id: str) -> int:
    """Of all runs of somebody."""
    found = [run async for run in client.list_workflows(f"WorkflowId = '{id}'")]
    histories = await asyncio.gather(
        *(client.get_workflow_handle(id, run_id=run.run_id).fetch_history() for run in found)
    )
    return sum(len(history.events) for history in histories)
