from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.road.server import TemporalServer, temporal_server


@pytest.fixture(scope="session")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Generator[TemporalServer]:
    """One server for all tests of schedules."""
    with temporal_server(tmp_path_factory.mktemp("temporal")) as server:
        yield server
