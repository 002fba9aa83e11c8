from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from models.database import Database
from tabiji.domain.journeys import Catalog
from tests.contract.houses import House, InMemory, OnDatabase

Opens = Callable[[Catalog], House]


@pytest.fixture(params=["sqlite", "postgresql"])
def opens(request: pytest.FixtureRequest) -> Opens:
    """Opens the house on a database that the one in memory is compared with."""
    database = cast("Database", request.getfixturevalue(request.param))
    return lambda catalog: OnDatabase(database, catalog)


@pytest.fixture
def in_memory() -> Opens:
    return InMemory
