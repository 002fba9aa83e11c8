"""The fixture `journeys`, there wherever tabiji is installed: pytest finds it by itself.

async def test_a_silent_trial_is_nudged_once(journeys: JourneyEnvironment) -> None:
    run = await journeys.start(TrialNurture)
    await run.result()
    assert journeys.outbox == ["trial/welcome", "trial/nudge"]

The server is started once per process of pytest, by the first test that asks for it. Imports are late: who does not
ask, waits for nothing.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tabiji.testing.environment import JourneyEnvironment
    from tabiji.testing.server import Server

__tracebackhide__ = True


@pytest.fixture(scope="session")
def journey_server() -> Generator[Server]:
    """The Temporal server behind `journeys`."""
    from tabiji.testing.memory.house import CARRIERS
    from tabiji.testing.server import Server
    from tabiji.testing.watching import unawaited_is_a_mistake

    server = Server(tuple(CARRIERS))
    server.start()
    with unawaited_is_a_mistake():
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def journey_templates(request: pytest.FixtureRequest) -> Path | None:
    """Where templates are looked for. Yours to override; None, or a folder that is not there, looks for none."""
    return request.config.rootpath / "templates" / "email"


@pytest.fixture
def journeys(journey_server: Server, journey_templates: Path | None) -> Generator[JourneyEnvironment]:
    """Journeys played for one test: nobody has done anything yet."""
    from tabiji.testing.environment import JourneyEnvironment

    journey_server.renew()
    environment = JourneyEnvironment(journey_server, templates=journey_templates)
    try:
        yield environment
    finally:
        environment.close()
