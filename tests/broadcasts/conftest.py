from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from models.database import Database
from tests.broadcasts.hall import Hall, hall


@pytest.fixture
async def house(sqlite: Database) -> AsyncGenerator[Hall]:
    async with hall(sqlite) as made:
        yield made


@pytest.fixture
async def on_either(database: Database) -> AsyncGenerator[Hall]:
    async with hall(database) as made:
        yield made
