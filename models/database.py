"""The database: SQLite at a desk, PostgreSQL in production, one way to write to either.

    await database.transact(work)           one short transaction, `async def work(tx)`: the way to write for many
    async with database.write() as tx: …    the same as a block; committed at the end
    async with database.read() as tx: …     reads only

SQLite's one writer at a time is in `models.sqlite`. On PostgreSQL the isolation is READ COMMITTED, always: rules that
lock first and read afterwards depend on reading what the lock waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import Row, Table, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from models.contact import Contact
from models.driver import fetch
from models.locks import as_they_stand
from models.pings import ping_after_a_pause
from models.sqlite import Lane, Turnstile, engines, in_one_go
from tabiji.errors import ConfigurationError, DatabaseDown, Paused

T = TypeVar("T")
AnyRow = Row[*tuple[Any, ...]]
"""A row of a statement whose columns are not typed."""
RETRIED = {"40P01", "40001"}
"""Deadlock and serialisation failure: the whole group is repeated, all of it is keyed."""
AWAY = ("08", "28", "3D", "53", "57", "58")
"""Classes of SQLSTATE that say nothing about the work: connection lost or refused, too many of them, shutting down.
asyncpg's own names for these are lost on their way through SQLAlchemy."""

PATIENCE = 30.0
"""Seconds to wait for a connection."""


class Database:
    """An engine and the rules for using it."""

    def __init__(self, url: str, *, pool: int = 10) -> None:
        self.url = resolve(url)
        self.dialect = self.url.get_backend_name()
        self._turnstile: Turnstile | None = None
        self._seats = asyncio.Semaphore(pool)
        self.engine: AsyncEngine
        if self.dialect == "sqlite":
            file = Path(self.url.database or "")
            # It holds what is known of people, whichever command comes first. SQLite's other files take its mode.
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not file.exists():
                with suppress(OSError):  # opening it says why not
                    file.touch(mode=0o600)
            self._turnstile = Turnstile(file.parent, file.name)
            self.engine, self._at_once = engines(self.url, pool)
        else:
            self.engine = self._at_once = create_async_engine(
                self.url,
                isolation_level="READ COMMITTED",
                hide_parameters=True,
                pool_size=pool,
                max_overflow=0,
                connect_args={"timeout": 10},
            )
            ping_after_a_pause(self.engine)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """A connection for reading. Nothing it does is kept.

        Raises:
            DatabaseDown: No connection could be had.
        """
        with _away_is_down():
            async with self._seat(), self.engine.connect() as connection, connection.begin() as begun:
                yield connection
                await begun.rollback()

    @asynccontextmanager
    async def write(self, lane: Lane = Lane.PEOPLE) -> AsyncGenerator[AsyncConnection]:
        """One transaction, committed at the end of the block unless it raises.

        `Paused` is the exception: who met a pause must be on the list of those to be told, so it commits and goes on.

        Raises:
            DatabaseDown: No connection could be had, or it broke. The commit may or may not have happened.
        """
        paused: Paused | None = None
        with _away_is_down():
            async with self._begun(lane) as connection:
                try:
                    yield connection
                except Paused as met:
                    paused = met
        if paused is not None:
            raise paused

    @asynccontextmanager
    async def _begun(self, lane: Lane) -> AsyncGenerator[AsyncConnection]:
        if self._turnstile is None:
            async with self._seat(), self.engine.begin() as connection:
                yield connection
        else:
            async with self._turnstile.pass_through(lane), self._seat(), self.engine.connect() as connection:
                await connection.execution_options(tabiji_write=True)
                async with connection.begin():
                    yield connection

    @asynccontextmanager
    async def _seat(self) -> AsyncGenerator[None]:
        """Wait for a connection in turn: the pool lets newcomers pass, and some would never get one."""
        async with asyncio.timeout(PATIENCE):
            await self._seats.acquire()
        try:
            yield
        finally:
            self._seats.release()

    async def transact(self, work: Callable[[AsyncConnection], Coroutine[Any, Any, T]], lane: Lane = Lane.PEOPLE) -> T:
        """Run work in a transaction of its own; again from the start when the database broke a deadlock.

        Args:
            work: Waits for nothing but the database. On SQLite it runs in another thread, and to its end.
            lane: With whom to queue where there is one writer.

        Raises:
            DatabaseDown: See `write`.
        """
        if self._turnstile is not None:
            with _away_is_down():
                async with self._turnstile.pass_through(lane):
                    return await in_one_go(self._whole(work))
        for _ in range(20):
            try:
                async with self.write() as tx:
                    return await work(tx)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in RETRIED:
                    raise
        raise DatabaseDown("the database broke twenty deadlocks in a row on the same work")

    async def _whole(self, work: Callable[[AsyncConnection], Coroutine[Any, Any, T]]) -> T:
        # Blocks would ask for the event loop at their end, and there is none in this thread.
        connection = await self._at_once.connect()
        try:
            await connection.execution_options(tabiji_write=True)
            begun = await connection.begin()
            try:
                done = await work(connection)
            except Paused:
                await begun.commit()
                raise
            except BaseException:
                await begun.rollback()
                raise
            await begun.commit()
            return done
        finally:
            await connection.close()

    async def now(self, tx: AsyncConnection) -> datetime:
        """Database time: serves leases, pending age and audit. Never compared with journey time."""
        return await database_time(tx)

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()
        await self._at_once.dispose()


async def database_time(tx: AsyncConnection) -> datetime:
    """See `Database.now`, for code that is given the transaction alone."""
    if tx.dialect.name == "sqlite":
        return datetime.now(UTC)  # one machine, one clock
    [(now,)] = await fetch(tx, "SELECT clock_timestamp()", ())
    return cast("datetime", now)


def postgresql_clock() -> Any:
    """PostgreSQL's clock, which goes on inside a transaction."""
    return func.clock_timestamp(type_=UTCDateTime())


def resolve(url: str) -> URL:
    """Name the async driver; refuse what is neither SQLite nor PostgreSQL."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except Exception:
        raise ConfigurationError(
            "TABIJI_DATABASE_URL cannot be read. Say postgresql://user:password@host/name or sqlite:///path."
        ) from None
    if backend == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise ConfigurationError("TABIJI_DATABASE_URL: SQLite must be a file, several processes share it.")
        return parsed.set(drivername="sqlite+aiosqlite")
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+asyncpg")
    raise ConfigurationError(f"TABIJI_DATABASE_URL: {backend} is not supported. Say postgresql://… or sqlite:///path.")


def table(model: type[SQLModel]) -> Table:
    """The table behind a model, for statements without an ORM."""
    return model.__table__  # type: ignore[attr-defined, no-any-return] # SQLModel adds it to every table model


def insert(tx: AsyncConnection, model: type[SQLModel]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT on either database."""
    make = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    return make(table(model))


async def lock_contacts(tx: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, AnyRow]:
    """Lock contacts in one sorted statement; read what depends on it in later ones.

    Returns:
        Each id asked for with the row that stands for it now: of the contact it was merged into, if it was.

    Raises:
        UnknownContact: One of them is not there.
    """
    contacts = table(Contact)
    # On SQLite FOR UPDATE is left out: BEGIN IMMEDIATE has locked everything already.
    locking = select(contacts).order_by(contacts.c.id).with_for_update(key_share=True)

    async def locked(missing: Sequence[UUID]) -> Sequence[AnyRow]:
        return (await tx.execute(locking.where(contacts.c.id.in_(missing)))).all()

    return await as_they_stand(ids, locked)


def lease(now: datetime, span: timedelta) -> datetime:
    """When a lease taken now runs out."""
    return now + span


@contextmanager
def _away_is_down() -> Generator[None]:
    try:
        yield
    except (OSError, DBAPIError, PoolTimeout) as error:
        if _is_about_the_work(error):
            raise
        raise _away(error) from error


def _is_about_the_work(error: Exception) -> bool:
    if not isinstance(error, DBAPIError) or isinstance(error, OperationalError | InterfaceError):
        return False
    state: str = getattr(error.orig, "sqlstate", None) or ""
    return not error.connection_invalidated and not state.startswith(AWAY)


def _away(error: Exception) -> DatabaseDown:
    return DatabaseDown(
        f"the database does not answer ({type(getattr(error, 'orig', None) or error).__name__}). "
        "Check TABIJI_DATABASE_URL and that it runs."
    )
