"""What is SQLite's own: a fair queue of writers, and transactions that are over in one go.

SQLite has one writer. Writers of all processes queue at a turnstile of two lock files, because waiting for SQLite's
own lock starves whoever is unlucky. While one holds it everybody else waits, so a transaction runs from its beginning
to its end in one thread: with four hops between threads for each statement it took three times as long, and a busy
event loop made all of them wait for it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

T = TypeVar("T")
BUSY = 30.0
"""Seconds to wait for somebody who writes to the file without passing the turnstile."""


PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    f"busy_timeout={BUSY * 1000:.0f}",
    # Pages of indexes are written again and again: four times as many between two copies into the file save a seventh.
    "wal_autocheckpoint=4000",
)


class Lane(StrEnum):
    """Who queues with whom. However long one queue is, the head of each other is let through in turn."""

    PEOPLE = "people"
    JOURNEYS = "journeys"
    """They have two seconds."""
    OUTBOX = "outbox"


class Turnstile:
    """A fair queue of writers over all processes: take T, take M, release T; release M after the commit."""

    def __init__(self, folder: Path, name: str) -> None:
        self._paths = (folder / f"{name}.turn", folder / f"{name}.write")
        self._lanes: defaultdict[Lane, asyncio.Lock] = defaultdict(asyncio.Lock)
        # At most one of each lane stands here, and a lock is fair.
        self._here = asyncio.Lock()

    @asynccontextmanager
    async def pass_through(self, lane: Lane) -> AsyncGenerator[None]:
        """Hold the right to write."""
        async with self._lanes[lane], self._here:
            taking = asyncio.ensure_future(asyncio.to_thread(self._take))
            try:
                held = await asyncio.shield(taking)
            except asyncio.CancelledError:
                # The thread cannot be stopped: what it takes must be given back.
                taking.add_done_callback(lambda taken: os.close(taken.result()) if not taken.exception() else None)
                raise
            try:
                yield
            finally:
                os.close(held)

    def _take(self) -> int:
        turn, write = (os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600) for path in self._paths)
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
            fcntl.flock(write, fcntl.LOCK_EX)
        finally:
            os.close(turn)
        return write


class _LetsGo(sqlite3.Connection):
    """Rolls back before it closes.

    SQLite keeps a closed connection alive while a statement of it is unfinished. One that was cancelled in the
    middle of a transaction would hold the write lock until Python collects its garbage, and everybody waits.
    """

    def close(self) -> None:
        """See base class."""
        with suppress(sqlite3.Error):
            self.rollback()
        super().close()


class _AtOnce(aiosqlite.Connection):
    """Has no thread of its own: what it is asked for it does in the caller's."""

    def __await__(self) -> Generator[Any, None, aiosqlite.Connection]:
        return self._connect().__await__()

    async def _connect(self) -> aiosqlite.Connection:
        self._connection = self._connector()
        return self

    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return fn(*args, **kwargs)

    def stop(self) -> None:
        self._running = False


def _open_at_once(database: str, **options: Any) -> _AtOnce:
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect
    return _AtOnce(lambda: connect(database, **{**options, "check_same_thread": False}), iter_chunk_size=64)


def engines(url: URL, pool: int) -> tuple[AsyncEngine, AsyncEngine]:
    """One for everybody, and one for transactions that are over in one go: one at a time, in any thread."""
    options: dict[str, Any] = {"isolation_level": None, "timeout": BUSY, "factory": _LetsGo}
    shared = create_async_engine(url, connect_args=options, hide_parameters=True, pool_size=pool)
    writing = create_async_engine(
        url, connect_args={**options, "async_creator_fn": _open_at_once}, hide_parameters=True, poolclass=StaticPool
    )
    for engine in (shared, writing):
        event.listen(engine.sync_engine, "connect", _connect)
        event.listen(engine.sync_engine, "begin", _begin)
    return shared, writing


async def in_one_go(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in another thread what waits for nothing. A cancellation is heard when it is over."""
    running = asyncio.ensure_future(asyncio.to_thread(_finish, work))
    try:
        return await asyncio.shield(running)
    finally:
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait((running,))


def _finish(work: Coroutine[Any, Any, T]) -> T:
    try:
        work.send(None)
    except StopIteration as finished:
        value: T = finished.value
        return value
    work.close()
    raise RuntimeError("a transaction may wait for nothing but its database")


def _connect(connection: Any, _record: Any) -> None:
    cursor: sqlite3.Cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Any) -> None:
    writing = connection.get_execution_options().get("tabiji_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
