"""Pauses things and ends pauses: one row each, however many people are reached."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import new_id
from models.clock import Clock
from models.database import Database, database_time, insert, table
from models.pause import Pause, Scope


class Pauses:
    """Begins and ends pauses. Who met one is told by `models.release`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def pause(self, scope: Scope, target: str, *, by: str, reason: str | None) -> tuple[UUID, bool]:
        """Pause, from the next effect on. Where it is paused already that pause stays as it is.

        Returns:
            The pause, and whether it is new.
        """

        async def work(tx: AsyncConnection) -> tuple[UUID, bool]:
            new = await put(tx, self._clock, scope, [target], by=by, reason=reason)
            return await in_force(tx, scope, target), bool(new)

        return await self._database.transact(work)

    async def resume(self, pause_id: UUID, *, by: str) -> bool:
        """End a pause. False: it had ended before, or never was."""

        async def work(tx: AsyncConnection) -> bool:
            return await lift(tx, table(Pause).c.id == pause_id, by=by) > 0

        return await self._database.transact(work)

    async def resume_target(self, scope: Scope, target: str, *, by: str) -> UUID | None:
        """End the pause of one target. None: there was none in force."""

        async def work(tx: AsyncConnection) -> UUID | None:
            pauses = table(Pause)
            mine = (pauses.c.scope == scope.value) & (pauses.c.target == target)
            found: UUID | None = await tx.scalar(select(pauses.c.id).where(mine, pauses.c.resumed_at.is_(None)))
            await lift(tx, mine, by=by)
            return found

        return await self._database.transact(work)


async def put(
    tx: AsyncConnection, clock: Clock, scope: Scope, targets: Sequence[str], *, by: str, reason: str | None
) -> int:
    """Write pauses of one scope; returns how many are new."""
    now, recorded_at = {"since": clock.now(), "since_wall": clock.wall()}, await database_time(tx)
    said = {"scope": scope.value, "by": by, "reason": reason, "recorded_at": recorded_at, **now}
    rows = [{"id": new_id(), "target": target, **said} for target in targets]
    if not rows:
        return 0
    written = await tx.execute(insert(tx, Pause).on_conflict_do_nothing().returning(table(Pause).c.id), rows)
    return len(written.all())


async def lift(tx: AsyncConnection, which: object, *, by: str) -> int:
    """End those pauses of which a clause is true; returns how many were in force."""
    pauses = table(Pause)
    ended = await tx.execute(
        update(pauses)
        .where(which, pauses.c.resumed_at.is_(None))  # type: ignore[arg-type] # a clause
        .values(resumed_at=await database_time(tx), resumed_by=by)
    )
    return ended.rowcount


async def in_force(tx: AsyncConnection, scope: Scope, target: str) -> UUID:
    """The pause of a target that is paused."""
    pauses = table(Pause)
    mine = (pauses.c.scope == scope.value) & (pauses.c.target == target)
    found: UUID = (await tx.execute(select(pauses.c.id).where(mine, pauses.c.resumed_at.is_(None)))).scalar_one()
    return found
