"""The application over a real database, and somebody who has been asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from models.database import Database
from tests.api.conftest import Door, opened, settings_for


@pytest.fixture
async def door(sqlite: Database, tmp_path: Path) -> AsyncGenerator[Door]:
    async with opened(sqlite, settings_for(sqlite, tmp_path)) as door:
        door.nobody.headers["Accept-Language"] = "en"
        yield door
