"""The application over real databases, with one site of our own."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from models.database import Database
from tests.api.conftest import Door, opened, settings_for

SITE = "www.example.com"


@pytest.fixture
async def door(database: Database, tmp_path: Path) -> AsyncGenerator[Door]:
    async with opened(database, settings_for(database, tmp_path, sites=(SITE, "shop.example.com:8443"))) as door:
        yield door


@pytest.fixture
async def sqlite_door(sqlite: Database, tmp_path: Path) -> AsyncGenerator[Door]:
    async with opened(sqlite, settings_for(sqlite, tmp_path, sites=(SITE,))) as door:
        yield door
