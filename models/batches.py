"""Orders to many: written down at once, carried out in pages at a rate by whatever process has time.

    id = await batches.order(Action.SKIP, reach, by="ops", reason=None, rate=50)
    pending = await batches.page(id)     # one short transaction; a process that dies in it has done nothing

The place of the last one looked at moves in the transaction that does the work, so that nobody is left out or told
twice, however often a process dies.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import new_id
from models.batch import Action, Batch, Pace
from models.clock import Clock
from models.database import AnyRow, Database, database_time, insert, table
from models.enroll import Pending
from models.latecomers import Latecomers, latecomers_of
from models.pace import allowance
from models.pause import Pause, Scope
from models.pauses import lift, put
from models.reach import Reach, count_reached, page_reached
from models.sqlite import Lane
from models.telling import Told, tell
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import Control

PAGE = 100
"""Enrollments in one transaction: on SQLite everybody else waits for it."""
_SIGNALS = {Action.SKIP.value: Control.SKIP, Action.MOVE.value: Control.MOVE, Action.CANCEL.value: None}


class _Worked(NamedTuple):
    """What came of one page. `place` is the last one looked at."""

    pending: list[Pending]
    looked_at: int
    done: int
    place: str


class Batches:
    """Writes orders down and carries them out."""

    def __init__(self, database: Database, catalog: Catalog, clock: Clock) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock

    async def order(
        self,
        action: Action,
        reach: Reach,
        *,
        by: str,
        reason: str | None,
        rate: float,
        latecomers: Latecomers | None = None,
    ) -> UUID:
        """Write an order down. `latecomers` are whom `ENTER` enters, and nobody else needs them."""

        async def work(tx: AsyncConnection) -> UUID:
            if latecomers is not None:
                total = (await latecomers_of(tx, self._catalog.get(latecomers.journey), latecomers)).people
            else:
                total = await count_reached(tx, reach)
            whom = reach if latecomers is None else latecomers
            batch_id = new_id()
            row = {
                "id": batch_id,
                "action": action.value,
                "reach": whom.model_dump(mode="json", exclude_defaults=True),
                "state": "running",
                "rate": rate,
                "total": total,
                "done": 0,
                "left_out": 0,
                "place": "",
                "by": by,
                "reason": reason,
                "recorded_at": await database_time(tx),
            }
            await tx.execute(insert(tx, Batch).values(**row))
            return batch_id

        return await self._database.transact(work)

    async def at_once(
        self, action: Action, enrollment_id: str, *, by: str, properties: dict[str, JsonValue], reason: str | None
    ) -> list[Pending]:
        """Tell one enrollment, and keep who ordered it. Deliver what is returned.

        Nothing comes of it where the enrollment has ended.
        """

        async def work(tx: AsyncConnection) -> list[Pending]:
            reach = Reach(enrollment=enrollment_id)
            rows = await page_reached(tx, reach, after="", limit=1)
            now = await database_time(tx)
            kept = {"reach": reach.model_dump(mode="json", exclude_defaults=True), "rate": 1.0, "place": ""}
            counted = {"total": len(rows), "done": len(rows), "left_out": 0, "state": "done"}
            said = {"by": by, "reason": reason, "recorded_at": now, "finished_at": now}
            await tx.execute(insert(tx, Batch).values(id=new_id(), action=action.value, **kept, **counted, **said))
            return await tell(tx, [_told(action.value, row, properties) for row in rows])

        return await self._database.transact(work)

    async def stop(self, batch_id: UUID) -> bool:
        """Do no more of it. False: it had ended before, or never was."""

        async def work(tx: AsyncConnection) -> bool:
            return await _finish(tx, batch_id, "stopped")

        return await self._database.transact(work)

    async def running(self) -> list[UUID]:
        """What there is to do, the oldest first."""
        batches = table(Batch)
        async with self._database.read() as tx:
            found = await tx.execute(
                select(batches.c.id).where(batches.c.state == "running").order_by(batches.c.recorded_at)
            )
            return list(found.scalars().all())

    async def page(self, batch_id: UUID) -> list[Pending]:
        """Carry out the next of an order, as many as its rate allows now. Deliver what is returned."""

        async def work(tx: AsyncConnection) -> list[Pending]:
            batches = table(Batch)
            mine = select(batches).where(batches.c.id == batch_id, batches.c.state == "running")
            row = (await tx.execute(mine.with_for_update(skip_locked=True))).one_or_none()
            if row is None:
                return []
            allowed = await allowance(tx, f"batch {batch_id}", row.rate, most=PAGE)
            if not allowed:
                return []
            worked = await self._work(tx, row, allowed)
            moved = {
                "done": row.done + worked.done,
                "left_out": row.left_out + worked.looked_at - worked.done,
                "place": worked.place,
            }
            await tx.execute(update(batches).where(batches.c.id == batch_id).values(**moved))
            if worked.looked_at < allowed:
                await _finish(tx, batch_id, "done")
            return worked.pending

        return await self._database.transact(work, Lane.OUTBOX)

    async def _work(self, tx: AsyncConnection, row: AnyRow, limit: int) -> _Worked:
        if row.action == Action.ENTER.value:
            return await self._enter(tx, row, limit)
        rows = await page_reached(tx, Reach.model_validate(row.reach), after=row.place, limit=limit)
        place = rows[-1].id if rows else row.place
        targets = [found.id for found in rows]
        match row.action:
            case Action.PAUSE.value:
                done = await put(tx, self._clock, Scope.ENROLLMENT, targets, by=row.by, reason=row.reason)
                return _Worked([], len(rows), done, place)
            case Action.RESUME.value:
                pauses = table(Pause)
                own = (pauses.c.scope == Scope.ENROLLMENT.value) & pauses.c.target.in_(targets)
                return _Worked([], len(rows), await lift(tx, own, by=row.by), place)
            case _:
                pending = await tell(tx, [_told(row.action, found, {}) for found in rows])
                return _Worked(pending, len(rows), len(rows), place)

    async def _enter(self, tx: AsyncConnection, row: AnyRow, limit: int) -> _Worked:
        latecomers = Latecomers.model_validate(row.reach)
        spec = self._catalog.get(latecomers.journey)
        entered = await latecomers.enter(tx, spec, self._clock, after=row.place, limit=limit, cause=f"golive:{row.id}")
        return _Worked(entered.pending, entered.looked_at, len(entered.pending), entered.place)


async def _finish(tx: AsyncConnection, batch_id: UUID, state: str) -> bool:
    batches, paces = table(Batch), table(Pace)
    ended = await tx.execute(
        update(batches)
        .where(batches.c.id == batch_id, batches.c.state == "running")
        .values(state=state, finished_at=await database_time(tx))
    )
    await tx.execute(delete(paces).where(paces.c.name == f"batch {batch_id}"))
    return ended.rowcount > 0


def _told(action: str, row: AnyRow, properties: dict[str, JsonValue]) -> Told:
    return Told(row.id, row.contact_id, _SIGNALS[action], properties)
