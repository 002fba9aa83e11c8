from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from models.database import Database
from tests.inbound.house import House, open_house


@pytest.fixture
async def house(sqlite: Database) -> AsyncGenerator[House]:
    """A house on SQLite, with its door open."""
    async with open_house(sqlite) as opened:
        yield opened
