"""Weighs experiments now and then: decides those whose authors want that, and counts for bandits."""

from __future__ import annotations

import asyncio

import structlog

from models.clock import Clock
from models.database import Database
from models.deciding import weigh

log = structlog.stdlib.get_logger(__name__)

LOOK_EVERY = 15.0
"""Seconds between looks. How often an experiment is weighed is another thing: see `models.deciding`."""


async def keep_weighing(database: Database, clock: Clock, *, every: float = LOOK_EVERY) -> None:
    """Until cancelled. Every worker does it; each experiment is weighed by one of them."""
    while True:
        await asyncio.sleep(every)
        try:
            for name in await weigh(database, now=clock.now()):
                log.info("experiment.decided", experiment=name)
        except Exception as error:
            log.warning("experiments.not_weighed", problem=type(error).__name__)
