"""Fixtures every part of the tests may use.

database      SQLite and PostgreSQL, one after the other: the test runs twice
sqlite        SQLite only        postgresql    PostgreSQL only
Each is a `models.database.Database` of its own with all tables in it; `.url` is its address.

On PostgreSQL `make test` runs what depends on its locks and its SQL (`ON_BOTH`); `make test-long` runs the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import cast

import pytest

from models.database import Database
from tests.databases import PostgresServer, make_template, postgres_server, postgresql_database, sqlite_database

ON_BOTH = (
    "road", "identity", "mail", "pace",
    "test_migrations.py", "test_databases.py", "test_look_back.py", "test_filters.py",
)  # fmt: skip # one list
"""Below tests/."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to `make test-long` what says on PostgreSQL what it has said on SQLite."""
    here = Path(__file__).parent
    for item in items:
        # pytest knows parameters of functions only.
        parameters: dict[str, object] = getattr(getattr(item, "callspec", None), "params", {})
        again = parameters.get("database") == "postgresql"
        if again and item.path.relative_to(here).parts[0] not in ON_BOTH:
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def postgres() -> Generator[PostgresServer]:
    with postgres_server() as server:
        asyncio.run(make_template(server))
        yield server


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncGenerator[Database]:
    async with sqlite_database(tmp_path) as database:
        yield database


@pytest.fixture
async def postgresql(postgres: PostgresServer) -> AsyncGenerator[Database]:
    async with postgresql_database(postgres) as database:
        yield database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    # Asked for here and not in the signature, so that SQLite's turn starts no server.
    return cast("Database", request.getfixturevalue(request.param))
