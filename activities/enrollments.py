"""A journey's bookkeeping, as activities: what it waits for, whom it enters where, that it is over."""

from __future__ import annotations

from temporalio import activity

from models.waits import Waits
from tabiji.domain.orders import Done, Ended, Enter, Entered, Heard, Listen


class Enrollments:
    """Thin: the transactions and their rules are in `models.waits`. All of them may run twice."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits

    @activity.defn(name="listen")
    async def listen(self, order: Listen) -> Heard:
        """See `Waits.listen`."""
        return await self._waits.listen(order)

    @activity.defn(name="ended")
    async def ended(self, order: Ended) -> Done:
        """See `Waits.ended`."""
        return await self._waits.ended(order)

    @activity.defn(name="enter")
    async def enter(self, order: Enter) -> Entered:
        """See `Waits.enter`."""
        return await self._waits.enter(order)
