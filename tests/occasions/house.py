"""What the tests of dates and schedules share: contacts, a clock that is set by hand, an outbox that only keeps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update

from models.base import new_id
from models.contact import Consent, Contact, ContactTag
from models.database import AnyRow, Database, insert, table
from models.enroll import Pending
from models.enrollment import Dispatch, Enrollment, Listener
from models.launches import Launches
from models.occasions import Occasion, Occasions
from models.roster import ContactList, ListMember
from tabiji.domain.dates import ContactDate
from tabiji.domain.journeys import Catalog, JourneySpec, Reentry, each_time
from tabiji.domain.launch import Launch, Pilot
from tabiji.domain.occasions import Schedule
from tabiji.domain.sweeps import SweepOrder

TOKYO = ZoneInfo("Asia/Tokyo")
DAY = timedelta(days=1)


class Kept:
    """An outbox that delivers nothing."""

    def __init__(self) -> None:
        self.pending: list[Pending] = []

    def offer(self, pending: Sequence[Pending]) -> None:
        """See `Outbox`."""
        self.pending += pending


class Hand:
    """A clock that stands where it was set."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.shift = timedelta(0)

    def wall(self) -> datetime:
        """See `Clock`."""
        return self.at

    def now(self) -> datetime:
        """See `Clock`."""
        return self.at + self.shift


class House:
    """One journey that starts by the clock, and its contacts."""

    def __init__(
        self, database: Database, *triggers: ContactDate | Schedule, now: datetime, reentry: Reentry = each_time
    ) -> None:
        self.database = database
        self.clock = Hand(now)
        self.outbox = Kept()
        self.spec = JourneySpec(
            name="festive",
            title="Festive",
            triggers=(),
            goals=(),
            dates=tuple(one for one in triggers if isinstance(one, ContactDate)),
            schedules=tuple(one for one in triggers if isinstance(one, Schedule)),
            reentry=reentry,
        )
        self.begins = now - timedelta(days=365)
        self.occasions = Occasions(database, Catalog([self.spec]), self.clock, self.outbox, zone=TOKYO)

    def order(self, **fields: Any) -> SweepOrder:
        """What Temporal would send at this moment."""
        return SweepOrder(
            journey="festive",
            dates=self.spec.dates,
            schedule=next(iter(self.spec.schedules), None),
            begins=self.begins,
            catch_up=DAY,
            moment=self.clock.at,
        ).model_copy(update=fields)

    async def sweep(self, at: datetime | None = None, *, limit: int = 500, **fields: Any) -> int:
        """One whole sweep. Returns how many entered."""
        self.clock.at = at or self.clock.at
        entered, after = 0, None
        while True:
            page = await self.occasions.page(self.order(**fields), after=after, limit=limit)
            entered += await self.enter(*page.occasions) if page.occasions else 0
            after = page.cursor
            if after is None:
                return entered

    async def enter(self, *occasions: Occasion) -> int:
        """Enter what a page has found."""
        return await self.occasions.enter_those_left(self.order(), occasions)

    async def contact(
        self,
        *,
        tags: Sequence[str] = (),
        lists: Sequence[str] = (),
        stage: str | None = None,
        consents: Sequence[tuple[str, bool]] = (),
        score: int = 0,
        timezone: str | None = None,
        **attributes: Any,
    ) -> UUID:
        """Make one."""
        id = new_id()
        stamp = {"at": self.clock.at, "recorded_at": self.clock.at}
        made = {"created_at": self.clock.at, "recorded_at": self.clock.at}
        async with self.database.write() as tx:
            values = {"attributes": attributes, "score": score, "timezone": timezone, "stage": stage}
            await tx.execute(insert(tx, Contact).values(id=id, **values, **made))
            for name in lists:
                known = insert(tx, ContactList).values(name=name, recorded_at=self.clock.at)
                await tx.execute(known.on_conflict_do_nothing())
                await tx.execute(insert(tx, ListMember).values(contact_id=id, list=name, **stamp))
            for tag in tags:
                await tx.execute(insert(tx, ContactTag).values(contact_id=id, tag=tag, **stamp))
            for topic, given in consents:
                consent = {"topic": topic, "given": given, "source": "test"}
                await tx.execute(insert(tx, Consent).values(contact_id=id, **consent, **stamp))
        return id

    async def change(self, contact: UUID, **values: Any) -> None:
        """Set columns of a contact."""
        contacts = table(Contact)
        async with self.database.write() as tx:
            await tx.execute(update(contacts).where(contacts.c.id == contact).values(**values))

    async def launch(self, state: str, **fields: Any) -> None:
        """Put the journey into a state."""
        launches = Launches(self.database, self.clock)
        pilot = Pilot.model_validate(fields["pilot"]) if "pilot" in fields else None
        await launches.set("festive", Launch(state), unlaunched=Launch.LIVE, by="ops", reason=None, pilot=pilot)

    async def end_all(self) -> None:
        """All journeys come to their ends."""
        async with self.database.write() as tx:
            await tx.execute(update(table(Enrollment)).values(state="completed", ended_at=self.clock.at))

    async def forget(self, contact: UUID) -> None:
        """Erase a contact and what is theirs."""
        async with self.database.write() as tx:
            for model in (Listener, Dispatch, Enrollment):
                await tx.execute(delete(table(model)).where(table(model).c.contact_id == contact))
            await tx.execute(delete(table(Contact)).where(table(Contact).c.id == contact))

    async def enrollments(self) -> list[AnyRow]:
        """All of them, the earliest first."""
        enrollments = table(Enrollment)
        async with self.database.read() as tx:
            return list((await tx.execute(select(enrollments).order_by(enrollments.c.entered_at))).all())


def tokyo(*parts: int) -> datetime:
    """A moment on Tokyo's clocks."""
    return datetime(*parts, tzinfo=TOKYO).astimezone(UTC)  # type: ignore[arg-type, misc] # year, month, day …
