"""Carries out a sweep's page: finds whose moment has come, and enters them at a rate."""

from __future__ import annotations

import asyncio
from uuid import UUID

from temporalio import activity

from models.occasions import Occasions
from tabiji.domain.sweeps import SWEEP_PAGE, SweepOrder, Swept

PAGE = 500
"""Contacts of one look."""
TOGETHER = 5
"""Entered in one transaction, which is to stay under 50 ms."""


class Sweeps:
    """`rate`: so many contacts a second are asked for, whether the journey takes them or not."""

    def __init__(self, occasions: Occasions, *, rate: float) -> None:
        self._occasions = occasions
        self._rate = rate

    @activity.defn(name=SWEEP_PAGE)
    async def sweep_page(self, order: SweepOrder) -> Swept:
        """Enter one page of contacts. May run twice: nobody enters twice for one occurrence.

        An attempt after a lost worker goes on where the heartbeats of the one before say.
        """
        swept = _so_far() or Swept(cursor=order.cursor)
        page = await self._occasions.page(order, after=_id(swept.cursor), limit=PAGE)
        loop = asyncio.get_running_loop()
        begun, here = loop.time(), 0
        for start in range(0, len(page.occasions), TOGETHER):
            together = page.occasions[start : start + TOGETHER]
            entered = await self._occasions.enter_those_left(order, together)
            here += len(together)
            swept += Swept(entered=entered, refused=len(together) - entered, cursor=str(together[-1].contact))
            activity.heartbeat(swept)
            await asyncio.sleep(max(0.0, begun + here / self._rate - loop.time()))
        return swept.model_copy(update={"cursor": str(page.cursor) if page.cursor else None})


def _so_far() -> Swept | None:
    details = activity.info().heartbeat_details
    return Swept.model_validate(details[0]) if details else None


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text is not None else None
