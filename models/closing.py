"""Ends of enrollments: who is told, and whom they take along; and the ends that a journey cannot write down itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update

from models.change import Change, Moment
from models.clock import SystemClock
from models.database import AnyRow, Database, table
from models.enroll import Pending, dispatch
from models.enrollment import Enrollment
from models.pilots import note_failure
from models.record import Outbox, Recorder
from models.sqlite import Lane
from tabiji.domain.facts import Fact
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import Ending


class Closing:
    """Ends enrollments that have no last word: terminated in Temporal, timed out, never started."""

    def __init__(self, database: Database, catalog: Catalog, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = SystemClock()
        self._recorder = Recorder(database, catalog, self._clock, outbox, lane=Lane.OUTBOX)

    async def close(self, enrollment_id: str, ending: Ending, reason: str, *, at: datetime | None) -> bool:
        """Write the end down, tell the enrollment that waits for it, and end those it was waiting for.

        Args:
            enrollment_id: Whose.
            ending: How.
            reason: Why, in a few words.
            at: When, by the wall clock, where Temporal knows.

        Returns:
            Whether it was running until now.
        """
        enrollments = table(Enrollment)
        async with self._database.read() as tx:
            row = (await tx.execute(select(enrollments).where(enrollments.c.id == enrollment_id))).one_or_none()
        if row is None or row.state != "running":
            return False

        async def work(change: Change) -> tuple[bool, Sequence[Pending]]:
            if not await _end(change, row, ending, reason, at):
                return False, ()
            if ending is Ending.FAILED:
                await note_failure(change.tx, enrollment_id)
            if row.parent_id is not None:
                tell_parent(change, row.parent_id, enrollment_id, ending, reason)
            # What it was waiting for it cannot say any more: all it began and waited for at some time.
            mine = select(enrollments.c.id).where(enrollments.c.parent_id == enrollment_id)
            return True, await cancel(change, (await change.tx.execute(mine)).scalars().all())

        closed, pending = await self._recorder.change(
            row.contact_id, work, source=f"{enrollment_id}/closed", moment=self._moment(row, at)
        )
        self._outbox.offer(pending)
        return closed

    def _moment(self, row: AnyRow, at: datetime | None) -> Moment:
        wall = at or self._clock.wall()
        passed = max(wall - row.entered_wall, timedelta(0)) * row.tempo
        return Moment(row.entered_at + passed, wall, row.tempo if row.test else None, row.test)


async def _end(change: Change, row: AnyRow, ending: Ending, reason: str, at: datetime | None) -> bool:
    enrollments = table(Enrollment)
    changed = await change.tx.execute(
        update(enrollments)
        .where(enrollments.c.id == row.id, enrollments.c.state == "running")
        .values(state=ending.value, reason=reason, ended_wall=at)
    )
    return changed.rowcount > 0


def tell_parent(change: Change, parent: str, enrollment_id: str, ending: Ending, reason: str) -> None:
    """The enrollment that waits for this end hears of it, nobody else."""
    properties = {
        "journey": enrollment_id.partition("/")[0],
        "enrollment": enrollment_id,
        "ending": ending.value,
        "reason": reason[:500],
    }
    change.tell(Fact.JOURNEY_ENDED, properties, only=parent)


async def cancel(change: Change, enrollments: Sequence[str]) -> list[Pending]:
    """Cancel those of these enrollments that are under way. They are the same contact's."""
    if not enrollments:
        return []
    rows = table(Enrollment)
    running = select(rows.c.id).where(rows.c.id.in_(enrollments), rows.c.state == "running").order_by(rows.c.id)
    return [
        await dispatch(change.tx, _contact(change), id, kind="cancel", happened=None, now=change.recorded_at)
        for id in (await change.tx.execute(running)).scalars().all()
    ]


def _contact(change: Change) -> UUID:
    contact: UUID = change.contact.id
    return contact
