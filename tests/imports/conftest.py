"""A house on each database."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.database import Database
from tests.imports.house import House


@pytest.fixture
def house(sqlite: Database, tmp_path: Path) -> House:
    """On SQLite: quick."""
    return House(sqlite, tmp_path)


@pytest.fixture
def both(database: Database, tmp_path: Path) -> House:
    """On SQLite, and on PostgreSQL."""
    return House(database, tmp_path)
