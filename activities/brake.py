"""The last look before a mail goes out: whether somebody has stopped everything, its journey or its broadcast.

The claim has looked, but a mail may wait for a connection, or for its turn under a rate, after that. So many look at
once that they share one look for a short while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy import select

from models.database import Database, table
from models.ledger import Claim
from models.pause import Pause, Scope
from tabiji.errors import DatabaseDown, Paused

FRESH = 0.5
"""Seconds for which a look, or the claim itself, is good. So much later than a stop a mail may begin to go out."""
_WIDE = (Scope.EVERYTHING, Scope.JOURNEY, Scope.BROADCAST)


class Brake:
    """One process's look at what is stopped. Belongs to one event loop."""

    def __init__(self, database: Database, clock: Callable[[], float] | None = None) -> None:
        self._database = database
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._looking = asyncio.Lock()
        self._looked_at = float("-inf")
        self._stopped: frozenset[tuple[str, str]] = frozenset()

    async def check(self, claim: Claim, claimed_at: float) -> None:
        """Let a mail pass.

        Args:
            claim: To it.
            claimed_at: When it was got, on the loop's clock.

        Raises:
            Paused: It is not to go out now.
        """
        if self._clock() - claimed_at <= FRESH:
            return
        async with self._looking:
            if self._clock() - self._looked_at > FRESH:
                await self._look()
        source, _, rest = claim.key.partition("/")
        reached_as = {
            (Scope.EVERYTHING.value, ""),
            (Scope.JOURNEY.value, source),
            (Scope.BROADCAST.value, rest.partition("/")[0]),
        }
        if reached_as & self._stopped:
            raise Paused(claim.key)

    async def _look(self) -> None:
        pauses = table(Pause)
        wide = pauses.c.scope.in_([scope.value for scope in _WIDE])
        query = select(pauses.c.scope, pauses.c.target).where(pauses.c.resumed_at.is_(None), wide)
        looked_at = self._clock()
        try:
            async with self._database.read() as tx:
                self._stopped = frozenset((row.scope, row.target) for row in await tx.execute(query))
        except DatabaseDown:
            # Nobody can stop anything there now either. What was stopped stays stopped.
            return
        self._looked_at = looked_at
