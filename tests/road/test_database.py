"""What a transaction leaves behind when somebody stops waiting for it, or the database goes away under it."""

from __future__ import annotations

import asyncio
import random
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from models.database import Database
from tabiji.errors import DatabaseDown


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_cancelled_writers_leave_no_lock_behind(sqlite: Database) -> None:
    """A local activity has two seconds and is cancelled then, in the middle of whatever it does. Without a rollback
    before the close, SQLite kept the write lock for half a minute and every other writer with it.
    """
    dice = random.Random(3)  # noqa: S311 # chance of a test
    longest = 0.0

    async def write() -> None:
        nonlocal longest
        asked = time.monotonic()
        async with sqlite.write() as tx:
            longest = max(longest, time.monotonic() - asked)
            for _ in range(3):
                await tx.execute(text("INSERT INTO probe VALUES (1)"))
                await tx.execute(text("SELECT * FROM probe"))

    async with sqlite.write() as tx:
        await tx.execute(text("CREATE TABLE probe (n INTEGER)"))
    cancelled = 0
    for _ in range(40):
        writers = [asyncio.create_task(write()) for _ in range(8)]
        await asyncio.sleep(dice.random() * 0.02)
        for writer in dice.sample(writers, 4):
            cancelled += writer.cancel()
        ends = await asyncio.gather(*writers, return_exceptions=True)
        assert not [end for end in ends if isinstance(end, Exception)]

    assert cancelled > 40
    assert longest < 10


async def test_a_lost_connection_says_that_the_database_is_down(postgresql: Database) -> None:
    """So that activities try again and the API answers 503: asyncpg's own errors would be a 500."""

    async def stop(pid: int) -> None:
        await asyncio.sleep(0.1)
        async with postgresql.write() as tx:
            await tx.execute(text(f"SELECT pg_terminate_backend({pid})"))

    async def work() -> None:
        async with postgresql.write() as tx:
            stopping = asyncio.create_task(stop(await tx.scalar(text("SELECT pg_backend_pid()")) or 0))
            try:
                await tx.execute(text("SELECT pg_sleep(20)"))
            finally:
                await stopping

    with pytest.raises(DatabaseDown):
        await work()


async def test_a_connection_that_died_while_it_rested_is_given_to_nobody(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restart of the database the first ones who come are served."""
    monkeypatch.setattr("models.pings.PAUSE", -1.0)
    async with postgresql.read() as tx:
        resting = await tx.scalar(text("SELECT pg_backend_pid()"))
    other = Database(postgresql.url.render_as_string(hide_password=False))
    async with other.write() as tx:
        await tx.execute(text(f"SELECT pg_terminate_backend({resting})"))
    await other.close()

    async with postgresql.read() as tx:
        assert await tx.scalar(text("SELECT pg_backend_pid()")) != resting


async def test_a_wrong_statement_is_not_taken_for_a_lost_database(postgresql: Database) -> None:
    with pytest.raises(ProgrammingError):
        async with postgresql.read() as tx:
            await tx.execute(text("SELECT nothing FROM nowhere"))


async def test_a_database_that_is_not_there_is_down(postgresql: Database) -> None:
    elsewhere = Database(postgresql.url.set(database="nowhere").render_as_string(hide_password=False))
    with pytest.raises(DatabaseDown):
        async with elsewhere.read():
            pass
    await elsewhere.close()
