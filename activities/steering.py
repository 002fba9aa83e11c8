"""Carries out what ops have ordered: tells those a pause has held that it is over, works batches off. At a rate.

Every process of the application does this; the database sees to it that they do not get into each other's way.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import structlog

from models.batches import PAGE, Batches
from models.clock import Clock
from models.database import Database
from models.record import Outbox
from models.release import release, somebody_is_free
from models.sqlite import Lane
from tabiji.domain.journeys import Catalog
from tabiji.errors import DatabaseDown

log = structlog.stdlib.get_logger(__name__)

EVERY = 1.0
"""Seconds between looks while there is nothing to do."""
AT_WORK = 0.2


class Steering:
    """One process's share of it."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        clock: Clock,
        outbox: Outbox,
        *,
        resume_rate: float,
        spread: Callable[[], float] = random.random,
    ) -> None:
        """Nothing starts yet. `resume_rate`: how many a second are told that a pause is over."""
        self._database = database
        self._batches = Batches(database, catalog, clock)
        self._outbox = outbox
        self._resume_rate = resume_rate
        self._spread = spread

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            pause = EVERY
            try:
                pause = AT_WORK if await self.round() else EVERY
            except DatabaseDown as error:
                log.warning("steering.failed", problem=str(error))
            except Exception:
                log.exception("steering.failed")
            await asyncio.sleep(pause * (0.8 + 0.4 * self._spread()))

    async def round(self) -> bool:
        """Do what the rates allow now. Returns whether there is something to do."""
        async with self._database.read() as tx:
            free = await somebody_is_free(tx)
        if free:
            told = await self._database.transact(lambda tx: release(tx, rate=self._resume_rate, most=PAGE), Lane.OUTBOX)
            self._outbox.offer(told)
        batches = await self._batches.running()
        for batch_id in batches:
            try:
                self._outbox.offer(await self._batches.page(batch_id))
            except DatabaseDown:
                raise
            except Exception:
                # One that cannot be carried out here must not keep the others waiting.
                log.exception("batch.failed", batch=str(batch_id))
        return free or bool(batches)
