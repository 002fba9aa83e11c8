"""What the tests of control share: people who have met a pause, and a look at what they were told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from models.base import new_id
from models.batch import Pace
from models.batches import Batches
from models.contact import Contact
from models.control import pass_gate
from models.database import Database, insert, table
from models.enrollment import Dispatch, Enrollment
from models.launches import Launches
from models.pauses import Pauses
from models.release import release
from tabiji.domain.journeys import JourneySpec
from tabiji.domain.orders import StepOrder
from tabiji.errors import Paused
from tests.road.parts import Road, did


class Act(StepOrder):
    """Any effect."""

    activity = "act"
    answer = StepOrder


class Scene(Road):
    """The road, and what steers it."""

    def __init__(self, database: Database, *specs: JourneySpec) -> None:
        super().__init__(database, *specs)
        self.pauses = Pauses(database, self.clock)
        self.batches = Batches(database, self.catalog, self.clock)
        self.launches = Launches(database, self.clock)

    async def enters(self, who: str = "visitor", **fields: Any) -> Act:
        """Somebody begins the journey; what their first effect would be."""
        [recorded] = await self.recorder.record([did("Form Submitted", who=who, **fields)])
        [enrollment_id] = recorded.entered
        return act(enrollment_id, recorded.contact_id)

    async def enters_both(self, who: str) -> list[Act]:
        """Somebody begins every journey this event starts."""
        [recorded] = await self.recorder.record([did("Form Submitted", who=who)])
        return [act(enrollment_id, recorded.contact_id) for enrollment_id in recorded.entered]

    async def meets_a_pause(self, order: StepOrder) -> bool:
        """Whether an effect is stopped."""
        try:
            await pass_gate(self.database, order)
        except Paused:
            return True
        return False

    async def release(self, *, rate: float = 1000, most: int = 1000) -> int:
        """One round of telling those who are free."""
        return len(await self.database.transact(lambda tx: release(tx, rate=rate, most=most)))

    async def told(self) -> list[str]:
        """Whom a resume has been written for, in the order in which it was."""
        rows = await self.rows(Dispatch, kind="signal")
        return [row.enrollment_id for row in rows if row.payload["event"] == "resume"]

    async def time_passes(self, by: timedelta) -> None:
        """For rates alone."""
        async with self.database.write() as tx:
            for row in await self.rows(Pace):
                await tx.execute(update(table(Pace)).where(table(Pace).c.name == row.name).values(at=row.at - by))

    async def crowd(self, size: int, journey: str = "nurture") -> Sequence[Act]:
        """So many enrollments, written at once: what made them is not what is tested."""
        now = datetime.now(UTC)
        people = [new_id() for _ in range(size)]
        contacts: list[dict[str, Any]] = [
            {"id": id, "attributes": {}, "score": 0, "created_at": now, "recorded_at": now} for id in people
        ]
        rows = [_enrollment(journey, id, now) for id in people]
        async with self.database.write() as tx:
            await tx.execute(table(Contact).insert(), contacts)
            await tx.execute(insert(tx, Enrollment), rows)
        return [act(row["id"], row["contact_id"]) for row in rows]


def act(enrollment_id: str, contact_id: UUID) -> Act:
    return Act(enrollment_id=enrollment_id, contact_id=str(contact_id), step="s", visit=1, at=datetime.now(UTC))


def _enrollment(journey: str, contact_id: UUID, now: datetime) -> dict[str, Any]:
    return {
        "id": f"{journey}/{contact_id}/1",
        "journey": journey,
        "contact_id": contact_id,
        "n": 1,
        "entry_key": "",
        "entry_seq": 0,
        "state": "running",
        "path": [],
        "tempo": 1.0,
        "test": False,
        "start_confirmed": True,
        "entered_at": now,
        "entered_wall": now,
        "recorded_at": now,
    }
