from __future__ import annotations

import pytest

from models.database import Database
from tests.inbound.house import House


@pytest.fixture
def house(sqlite: Database) -> House:
    """A house on SQLite. Its door stays closed."""
    return House(sqlite)
