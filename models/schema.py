"""The schema: bring it up to date, and say in one line when it is not.

    await upgrade(settings)     what `tabiji migrate` does; safe to run from several processes at once
    await check(database)       what `tabiji api` and `tabiji worker` do before they start

Revisions live in `migrations/`, the folder beside `models/`: the application owns both.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from tabiji.errors import ConfigurationError
from tabiji.settings import Settings

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
ADVISORY_LOCK = 0x7461_6269_6A69
"""Any number nobody else in the database uses: "tabiji" in ASCII."""
PATIENCE = 0.1
"""Seconds between two looks at a lock another process holds."""


class NewerSchema(ConfigurationError):
    """The database has been migrated by a newer version of the code. Nothing was touched."""


async def upgrade(where: Settings | str, revision: str = "head") -> None:
    """Bring a database to a revision, the newest unless said otherwise. Does nothing when it is there already.

    Raises:
        ConfigurationError: The database is from a newer version than this code.
        DatabaseDown: It does not answer.
    """
    await _run(where, partial(command.upgrade, revision=revision))


async def downgrade(where: Settings | str, revision: str) -> None:
    """Take a database back to a revision; `base` drops every table of ours.

    Raises:
        ConfigurationError: The database is from a newer version than this code.
        DatabaseDown: It does not answer.
    """
    await _run(where, partial(command.downgrade, revision=revision))


async def check(database: Database) -> None:
    """Make sure that the database has the schema this code was written for.

    Raises:
        ConfigurationError: It has none, an older or a newer one. The message says what to do.
        DatabaseDown: It does not answer.
    """
    async with database.read() as tx:
        current = await tx.run_sync(_revision)
    _refuse_newer(current)
    head = newest()
    if current != head:
        state = "has no tables yet" if current is None else f"is at revision {current}, this code needs {head}"
        raise ConfigurationError(f"the database {state}. Run `tabiji migrate`.")


def newest() -> str | None:
    """The revision this code was written for."""
    return _revisions(MIGRATIONS)[-1] if _revisions(MIGRATIONS) else None


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[AsyncConnection]:
    """A connection to migrate on, while no other process migrates."""
    database = Database(url, pool=2)
    try:
        if database.dialect == "sqlite":
            async with _sqlite(database) as connection:
                yield connection
        else:
            async with _postgresql(database) as connection:
                yield connection
    finally:
        await database.close()


async def _run(where: Settings | str, act: Callable[[Config], None]) -> None:
    url = where if isinstance(where, str) else where.database

    def run(connection: Connection) -> None:
        config = _config()
        _refuse_newer(_revision(connection))
        if connection.dialect.name == "postgresql":
            connection.rollback()  # the look above began a transaction; each revision has its own
        config.attributes["connection"] = connection
        act(config)

    async with connected(url) as connection:
        await connection.run_sync(run)


@asynccontextmanager
async def _sqlite(database: Database) -> AsyncGenerator[AsyncConnection]:
    # A table that is altered is copied and dropped, and dropping one others refer to would empty them.
    event.listen(database.engine.sync_engine, "connect", _foreign_keys_off)
    lock = Path(f"{database.url.database}.migrate")
    async with _file_lock(lock), database.write() as connection:
        yield connection
        if broken := (await connection.execute(text("PRAGMA foreign_key_check"))).first():
            raise ConfigurationError(
                f"a migration left rows of {broken[0]} that refer to nothing; nothing was changed."
            )


@asynccontextmanager
async def _postgresql(database: Database) -> AsyncGenerator[AsyncConnection]:
    async with database.read():
        pass  # says in one line when the database cannot be reached
    async with database.engine.connect() as holder:
        # Asked for again and again, not waited for: a session that waits inside a statement holds a
        # snapshot, and CREATE INDEX CONCURRENTLY of the one at work would wait for that.
        await holder.execution_options(isolation_level="AUTOCOMMIT")
        while not await holder.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_LOCK}):  # noqa: ASYNC110 # another process's lock wakes nobody here
            await asyncio.sleep(PATIENCE)
        try:
            async with database.engine.connect() as connection:
                yield connection
        finally:
            await holder.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})


@asynccontextmanager
async def _file_lock(path: Path) -> AsyncGenerator[None]:
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(PATIENCE)
        yield
    finally:
        os.close(held)


def _foreign_keys_off(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    cursor.close()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


@cache
def _revisions(folder: Path) -> tuple[str, ...]:
    """Oldest first. Read once: readiness asks for them every few seconds."""
    script = ScriptDirectory(str(folder))
    return tuple(revision.revision for revision in script.walk_revisions())[::-1]


def _refuse_newer(current: str | None) -> None:
    if current is not None and current not in _revisions(MIGRATIONS):
        raise NewerSchema(
            f"the database is at revision {current}, which this version of the code does not know; its "
            f"newest is {newest()}. Deploy the newer code, or restore the database from before it."
        )
