"""Versions of the code: who is in which, and what is said when nobody works for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.worker import Worker

from tabiji import JourneyPlugin
from tabiji.deploys.versions import Version, Versions, at_work, promote, versions
from tabiji.errors import Refused
from tabiji.temporal import JOURNEY
from tabiji.testing import dev_server
from tests.api.stuck_samples import Sleeping

QUEUE = "versions"


def working(client: Client, build: str) -> Worker:
    return Worker(client, task_queue=QUEUE, workflows=[Sleeping], deployment_config=at_work(QUEUE, build))


async def enters(client: Client, id: str) -> None:
    attributes = TypedSearchAttributes([SearchAttributePair(JOURNEY, "sample")])
    await client.start_workflow(Sleeping.run, id=id, task_queue=QUEUE, search_attributes=attributes)


async def seen(client: Client, holds: Callable[[Versions], bool]) -> Versions:
    async with asyncio.timeout(20):
        while not holds(found := await versions(client, QUEUE, QUEUE)):  # noqa: ASYNC110 # a server sets no event here
            await asyncio.sleep(0.05)
    return found


def people(found: Versions) -> dict[str, tuple[str, int]]:
    return {one.build: (one.state, one.people) for one in found.versions}


@pytest.mark.slow
async def test_people_stay_in_the_version_they_began_in_and_new_ones_begin_in_the_current_one() -> None:
    async with dev_server(JourneyPlugin()) as temporal:
        client = temporal.client
        assert not (await versions(client, QUEUE, QUEUE)).versions
        await enters(client, "early")
        async with working(client, "one"):
            waits = await seen(client, lambda found: bool(found.versions) and found.unversioned == 1)
            assert (waits.current, people(waits)) == (None, {"one": ("inactive", 0)})
            assert "no version is current" in waits.warnings[0].words

            with pytest.raises(Refused, match="no worker of version two has come"):
                await promote(client, QUEUE, "two", patience=timedelta(0))
            await promote(client, QUEUE, "one")
            # A worker that has just come is not seen at once: it polls one partition of the queue after the other.
            begun = await seen(client, lambda found: people(found) == {"one": ("current", 1)} and not found.warnings)
            assert (begun.current, begun.unversioned, begun.warnings) == ("one", 0, [])
            assert [len(one.pollers) for one in begun.versions] == [1]

            async with working(client, "two"):
                await promote(client, QUEUE, "two")
                await enters(client, "late")
                await seen(client, lambda found: people(found) == {"two": ("current", 1), "one": ("draining", 1)})
                await client.get_workflow_handle("early").terminate()
                await seen(client, lambda found: people(found) == {"two": ("current", 1), "one": ("drained", 0)})


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (Version(build="old", state="draining", people=3, pollers=[]), ["old"]),
        (Version(build="old", state="draining", people=3, pollers=["7@host"]), []),
        (Version(build="old", state="drained", people=0, pollers=[]), []),
    ],
)
def test_people_without_a_worker_are_named(left: Version, said: list[str]) -> None:
    new = Version(build="new", state="current", people=1, pollers=["8@host"])
    found = Versions(deployment="shop", current="new", versions=[new, left], unversioned=0)
    assert [warning.build for warning in found.warnings] == said


def test_people_who_wait_for_a_worker_of_the_current_version_are_named() -> None:
    new = Version(build="new", state="current", people=0, pollers=[])
    found = Versions(deployment="shop", current="new", versions=[new], unversioned=2)
    assert [(warning.build, warning.people) for warning in found.warnings] == [("new", 2)]


def test_workers_without_versions_are_nothing_to_worry_about() -> None:
    found = Versions(deployment="shop", current=None, versions=[], unversioned=2, unversioned_pollers=["7@host"])
    assert found.warnings == []
