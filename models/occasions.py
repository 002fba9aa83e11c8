"""Enters those whose moment has come: a page of contacts at a time, each in a short transaction, nobody twice.

An entry counts once by its cause, which names the journey, the contact and the occurrence. So a sweep may look again
at what an earlier one has seen, and does: for as long as it may still catch up. Whom the journey did not take, this
process does not ask for again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Text, cast, false, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from models.audience import members
from models.clock import Clock
from models.contact import Contact
from models.database import AnyRow, Database, lock_contacts, table
from models.enroll import Entry, Pending, enroll
from models.enrollment import Enrollment
from models.launch import JourneyState
from models.record import Outbox
from tabiji.domain.dates import ContactDate
from tabiji.domain.journeys import Catalog, JourneySpec
from tabiji.domain.launch import Launch
from tabiji.domain.occasions import Schedule
from tabiji.domain.orders import Happened
from tabiji.domain.sweeps import SweepOrder
from tabiji.errors import UnknownContact

DATE_REACHED = "Date Reached"
"""Name of the event a journey finds as its trigger when a date has started it. Properties: date, occurrence."""
SCHEDULED = "Scheduled"
"""Name of the event when a schedule has. Property: schedule."""
REMEMBERED = 100_000
"""So many refusals a process keeps in mind."""


@dataclass(frozen=True)
class Occasion:
    """Why a contact is to enter."""

    contact: UUID
    cause: str
    at: datetime
    trigger: Happened


@dataclass(frozen=True)
class Page:
    """Whom one look has found, and the contact after whom the next look begins; None: that was the last."""

    occasions: tuple[Occasion, ...]
    cursor: UUID | None


@dataclass(frozen=True)
class _Launched:
    """Whom a journey takes at all, and since when."""

    state: Launch
    since: datetime | None

    @property
    def reach(self) -> ColumnElement[bool]:
        """Contacts it can take. A draft takes test contacts; who else was asked would be refused, one by one."""
        if self.state is Launch.CLOSING:
            return false()
        return table(Contact).c.tempo.is_not(None) if self.state is Launch.DRAFT else true()


class Occasions:
    """Finds and enters. `zone` is that of contacts whose own is unknown."""

    def __init__(self, database: Database, catalog: Catalog, clock: Clock, outbox: Outbox, *, zone: tzinfo) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock
        self._outbox = outbox
        self._zone = zone
        self._refused: set[str] = set()

    async def page(self, order: SweepOrder, *, after: UUID | None, limit: int) -> Page:
        """Look at the next contacts. Reads only; who has entered for an occasion already is left out.

        Raises:
            UnknownJourney: The journey is not loaded here.
        """
        spec = self._catalog.get(order.journey)
        async with self._database.read() as tx:
            launched = await _launched(tx, spec)
            if order.schedule is not None:
                rows, cursor = await members(tx, order.schedule.who, after=after, limit=limit, among=launched.reach)
            else:
                rows, cursor = await self._with_a_date(tx, order, launched.reach, after, limit)
            found = [
                occasion
                for row in rows
                for occasion in self._occasions(order, row)
                if launched.since is None or occasion.at > launched.since
            ]
            decided = await _known(tx, [occasion.cause for occasion in found]) | self._refused
        return Page(tuple(occasion for occasion in found if occasion.cause not in decided), cursor)

    async def enter(self, order: SweepOrder, occasions: Sequence[Occasion]) -> int:
        """Enter these contacts in one transaction, as far as what was found still holds under their locks.

        Returns:
            How many began.

        Raises:
            UnknownContact: One of them is gone; nobody was entered.
        """
        spec = self._catalog.get(order.journey)

        async def work(tx: AsyncConnection) -> tuple[list[Pending], list[str]]:
            locked = await lock_contacts(tx, [occasion.contact for occasion in occasions])
            recorded_at = await self._database.now(tx)
            pending: list[Pending] = []
            refused: list[str] = []
            for occasion in occasions:
                contact = locked[occasion.contact]
                if occasion not in self._occasions(order, contact):
                    continue
                entry = Entry(
                    contact=contact,
                    entered_at=self._clock.now(),
                    entered_wall=self._clock.wall(),
                    recorded_at=recorded_at,
                    trigger=occasion.trigger,
                    cause=occasion.cause,
                    by_clock=True,
                )
                enrolled = await enroll(tx, spec, entry)
                pending += enrolled.pending
                refused += [] if enrolled.entered else [occasion.cause]
            return pending, refused

        pending, refused = await self._database.transact(work)
        self._outbox.offer(pending)
        self._remember(refused)
        return len(pending)

    async def enter_those_left(self, order: SweepOrder, occasions: Sequence[Occasion]) -> int:
        """`enter`, where one who is gone by now does not keep the others out."""
        try:
            return await self.enter(order, occasions)
        except UnknownContact:
            if len(occasions) == 1:
                return 0
            return sum([await self.enter_those_left(order, [occasion]) for occasion in occasions])

    async def _with_a_date(
        self, tx: AsyncConnection, order: SweepOrder, reach: ColumnElement[bool], after: UUID | None, limit: int
    ) -> tuple[list[AnyRow], UUID | None]:
        contacts = table(Contact)
        since, until = self._window(order)
        page = (
            select(contacts)
            .where(
                contacts.c.merged_into.is_(None), reach, or_(*(_may_be_due(when, since, until) for when in order.dates))
            )
            .order_by(contacts.c.id)
            .limit(limit)
        )
        rows = list((await tx.execute(page if after is None else page.where(contacts.c.id > after))).all())
        return rows, rows[-1].id if len(rows) == limit else None

    def _occasions(self, order: SweepOrder, contact: AnyRow) -> Iterator[Occasion]:
        """What a contact's row gives reason for now."""
        if order.schedule is not None:
            yield self._by_schedule(order, order.schedule, contact.id)
            return
        since, until = self._window(order)
        zone = self._zone_of(contact)
        for when in order.dates:
            value = contact.attributes.get(when.attribute)
            due = when.due(value, zone, since=since, until=until)
            if due is not None:
                trigger = Happened(
                    event=DATE_REACHED, at=due.at, properties={"date": when.attribute, "occurrence": due.name}
                )
                cause = f"date:{order.journey}/{contact.id}:{when.attribute}:{due.name}"
                yield Occasion(contact.id, cause, due.at, trigger)

    def _by_schedule(self, order: SweepOrder, schedule: Schedule, contact: UUID) -> Occasion:
        moment = _moment(order)
        # Named by the clock on the wall: what it shows twice, when it is set back, is one occurrence.
        shown = moment.astimezone(ZoneInfo(schedule.timezone) if schedule.timezone else self._zone)
        return Occasion(
            contact,
            f"schedule:{order.journey}/{contact}:{shown:%Y-%m-%dT%H:%M:%S}",
            moment,
            Happened(event=SCHEDULED, at=moment.astimezone(UTC), properties={"schedule": str(schedule)}),
        )

    def _remember(self, refused: Sequence[str]) -> None:
        if len(self._refused) > REMEMBERED:
            self._refused.clear()
        self._refused.update(refused)

    def _window(self, order: SweepOrder) -> tuple[datetime, datetime]:
        """From when to when dates are due, in journey time."""
        moment = _moment(order)
        shift = self._clock.now() - self._clock.wall()
        return max(order.begins, moment - order.catch_up) + shift, moment + shift

    def _zone_of(self, contact: AnyRow) -> tzinfo:
        try:
            return ZoneInfo(contact.timezone) if contact.timezone else self._zone
        except (ValueError, OSError, KeyError):
            return self._zone


def _moment(order: SweepOrder) -> datetime:
    if order.moment is None:
        raise ValueError("a sweep's order names its moment before it is carried out")
    return order.moment


def _may_be_due(when: ContactDate, since: datetime, until: datetime) -> ColumnElement[bool]:
    """All attributes that can be due between two moments, and others: what they hold is read by `ContactDate`."""
    attributes = table(Contact).c.attributes
    findable = when.attribute.isascii() and when.attribute.isidentifier()
    text = attributes[when.attribute].as_string() if findable else cast(attributes, Text)
    return or_(*(text.contains(day) for day in sorted(when.days_between(since, until))))


async def _launched(tx: AsyncConnection, spec: JourneySpec) -> _Launched:
    states = table(JourneyState)
    row = (await tx.execute(select(states.c.state, states.c.at).where(states.c.journey == spec.name))).one_or_none()
    return _Launched(spec.unlaunched, None) if row is None else _Launched(Launch(row.state), row.at)


async def _known(tx: AsyncConnection, causes: Sequence[str]) -> set[str]:
    enrollments = table(Enrollment)
    found = await tx.execute(select(enrollments.c.cause).where(enrollments.c.cause.in_(causes)))
    return set(found.scalars().all())
