"""What journeys read to branch on. Local activities: one short transaction each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from models.database import Database, lock_contacts
from models.experiments import expose
from models.look_up import look_up
from tabiji.domain.changes import Expose, Exposed, LookedUp, LookUp


class Reads:
    """Looks, and changes nothing but that who asks for an arm has one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def all(self) -> list[Callable[..., Any]]:
        """To be registered."""
        return [self.look_up, self.expose]

    @activity.defn(name="look_up")
    async def look_up(self, order: LookUp) -> LookedUp:
        """See `models.look_up`."""
        async with self._database.read() as tx:
            return LookedUp(value=await look_up(tx, order))

    @activity.defn(name="expose")
    async def expose(self, order: Expose) -> Exposed:
        """See `models.experiments`. A second attempt finds the arm the first one gave."""

        async def work(tx: AsyncConnection) -> Exposed:
            contact = (await lock_contacts(tx, [UUID(order.contact_id)]))[UUID(order.contact_id)]
            return Exposed(arm=await expose(tx, contact, order, recorded_at=await self._database.now(tx)))

        return await self._database.transact(work)
