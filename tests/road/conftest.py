from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.road.server import TemporalServer, temporal_server
from tests.watchdog import gone_with_us


@pytest.fixture(scope="session")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Generator[TemporalServer]:
    """One server for all tests that leave it alone."""
    folder = tmp_path_factory.mktemp("temporal")
    with temporal_server(folder) as server, gone_with_us(server.pid, signal="KILL", folder=folder):
        yield server


@pytest.fixture
def own_temporal(tmp_path: Path) -> Generator[TemporalServer]:
    """A server that a test may freeze and kill."""
    with temporal_server(tmp_path) as server:
        yield server
