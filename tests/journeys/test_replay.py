"""People in the middle of a journey survive a deploy: what was recorded replays against the code as it is."""

from __future__ import annotations

import re

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from tabiji import JourneyPlugin
from tabiji.journey.discovery import discover
from tests.journeys.changed import Changed
from tests.journeys.histories import recorded

HISTORIES = dict(recorded())


@pytest.mark.parametrize("name", sorted(HISTORIES))
async def test_recorded_histories_replay(name: str) -> None:
    await Replayer(workflows=[], plugins=[JourneyPlugin(journeys=discover())]).replay_workflow(HISTORIES[name])


def test_the_recorded_runs_cover_every_journey() -> None:
    assert {re.sub(r"-[a-z]+$", "", name) for name in HISTORIES} == {found.spec.name for found in discover()}


def test_the_recorded_runs_hold_nobody_s_address() -> None:
    for name, history in HISTORIES.items():
        raw = b"".join(event.SerializeToString() for event in history.events)
        assert not re.search(rb"[\w.+-]+@[\w-]+\.[a-z]+", raw), name


async def test_a_change_that_would_strand_people_is_noticed() -> None:
    """The test above can fail."""
    history: WorkflowHistory = HISTORIES["onboarding-buyer"]
    with pytest.raises(NondeterminismError):
        await Replayer(workflows=[], plugins=[JourneyPlugin(journeys=[Changed])]).replay_workflow(history)
