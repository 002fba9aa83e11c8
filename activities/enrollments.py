"""A journey's bookkeeping, as activities: what it waits for, whom it enters where, that it is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio import activity

from models.waits import Waits
from tabiji.domain.orders import Appoint, Appointed, Done, Ended, Enter, Entered, Heard, Listen, LookBack


class Enrollments:
    """Thin: the transactions and their rules are in `models.waits`. All of them may run twice."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits

    @property
    def all(self) -> list[Callable[..., Any]]:
        """To be registered."""
        return [self.listen, self.look_back, self.appoint, self.ended, self.enter]

    @activity.defn(name="listen")
    async def listen(self, order: Listen) -> Heard:
        """See `Waits.listen`."""
        return await self._waits.listen(order)

    @activity.defn(name="look_back")
    async def look_back(self, order: LookBack) -> Heard:
        """See `Waits.look_back`."""
        return await self._waits.look_back(order)

    @activity.defn(name="appoint")
    async def appoint(self, order: Appoint) -> Appointed:
        """See `Waits.appoint`."""
        return await self._waits.appoint(order)

    @activity.defn(name="ended")
    async def ended(self, order: Ended) -> Done:
        """See `Waits.ended`."""
        return await self._waits.ended(order)

    @activity.defn(name="enter")
    async def enter(self, order: Enter) -> Entered:
        """See `Waits.enter`."""
        return await self._waits.enter(order)
