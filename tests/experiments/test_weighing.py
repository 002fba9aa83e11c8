"""Workers weigh experiments by themselves."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from activities.weighing import keep_weighing
from models.clock import SystemClock
from models.database import Database, table
from models.experiment import Experiment
from tests.experiments.crowd import asked, crowd


async def test_a_worker_takes_a_proved_winner_while_nobody_looks(sqlite: Database) -> None:
    await crowd(sqlite, asked(winner="auto"), {"plain": (500, 20), "warm": (500, 70)})
    chore = asyncio.create_task(keep_weighing(sqlite, SystemClock(), every=0.01))
    try:
        async with asyncio.timeout(30):
            while await _decided(sqlite) is None:  # noqa: ASYNC110 # the row is what is waited for
                await asyncio.sleep(0.01)
    finally:
        chore.cancel()
        await asyncio.gather(chore, return_exceptions=True)
    assert await _decided(sqlite) == "warm"


async def _decided(database: Database) -> str | None:
    async with database.read() as tx:
        found: str | None = await tx.scalar(select(table(Experiment).c.decided))
    return found
