"""Keeps people a file names, in groups, through the same entrance as events.

    async with open_store(settings, trigger=False) as store:
        job = await store.begin(order)
        contacts = await store.record(job, people)
        await store.settle(job, people, contacts, tally)

A group is two short transactions. The first records each line as an event whose message id is made of import and
line, with what it says of the person; the second puts tags, lists and decisions, and how far the import is. Whoever
dies between the two does the group again: the first then stores nothing, and the second is of such a kind that twice
is once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import new_id
from models.bulk import Rows
from models.change import Change, Moment
from models.clock import Clock, SystemClock
from models.contact import ContactTag
from models.database import AnyRow, Database, insert, lock_contacts, table
from models.decisions import Said, decide
from models.duplicates import Duplicates
from models.edits import add_tag, join_list
from models.enroll import Pending
from models.import_job import ImportJob
from models.incoming import IMPORTED as ITS_KIND
from models.incoming import NOBODY, Incoming
from models.record import Recorder
from models.roster import ContactList, ListMember
from models.schema import check
from models.sqlite import Lane
from models.surroundings import look
from tabiji.domain.csv.orders import IMPORTED, ImportOrder, Job, Standing, Tally
from tabiji.domain.csv.people import PersonRead, Problem
from tabiji.domain.identities import EMAIL, USER, Key
from tabiji.domain.journeys import Catalog
from tabiji.errors import Superseded, UnknownImport
from tabiji.journey.discovery import discover
from tabiji.settings import Settings

_TAGS = Rows(ContactTag, ("contact_id", "tag", "at", "recorded_at"), unless="contact_id, tag")
_MEMBERS = Rows(ListMember, ("contact_id", "list", "at", "recorded_at"), unless="contact_id, list")
_COUNTED = ("people", "known", "refused", "problems")


class LeftToTheSweep:
    """An outbox of a process that delivers nothing itself: the API's and the workers' sweeps find what it wrote."""

    def offer(self, pending: Sequence[Pending]) -> None:
        """See `Outbox`."""


@dataclass(frozen=True)
class _Kept:
    """One person with the contact they are now."""

    person: PersonRead
    contact: UUID
    at: datetime


class Imports(Duplicates):
    """Keeps what files say."""

    def __init__(self, database: Database, recorder: Recorder, clock: Clock) -> None:
        super().__init__(database)
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._holder = str(uuid4())
        self._began: dict[UUID, datetime] = {}

    async def begin(self, order: ImportOrder) -> Job:
        """See `Store`."""
        at = min(order.as_of or self._clock.now(), self._clock.now())

        async def work(tx: AsyncConnection) -> Job:
            job = new_id()
            row: dict[str, Any] = {
                "id": job,
                "name": Path(order.name).name[:255],
                "digest": order.digest,
                "reading": order.reading,
                "trigger": order.trigger,
                "rate": order.rate,
                "state": "running",
                "holder": self._holder,
                "at": at,
                "recorded_at": await self._database.now(tx),
            }
            await tx.execute(insert(tx, ImportJob).values(**row, **dict.fromkeys(("place", *_COUNTED), 0)))
            return Job(job, order)

        job = await self._database.transact(work)
        self._began[job.id] = at
        return job

    async def take_over(self, job: UUID) -> Job:
        """See `Store`."""
        jobs = table(ImportJob)

        async def work(tx: AsyncConnection) -> AnyRow | None:
            mine = update(jobs).where(jobs.c.id == job).values(holder=self._holder).returning(*jobs.c)
            return (await tx.execute(mine)).one_or_none()

        row = await self._database.transact(work)
        if row is None:
            raise UnknownImport(job)
        self._began[job] = row.at
        order = ImportOrder(row.name, row.digest, row.reading, row.trigger, row.rate)
        return Job(row.id, order, row.place, row.state)

    async def look(self, people: Sequence[PersonRead]) -> list[Standing]:
        """See `Store`."""
        keys: set[Key] = {(USER, one.user_id) for one in people if one.user_id}
        keys |= {(EMAIL, one.email) for one in people if one.email}
        async with self._database.read() as tx:
            found = {key: row.contact_id for key, row in (await look(tx, keys)).items()}
        return [Standing(found.get((USER, one.user_id or "")), found.get((EMAIL, one.email or ""))) for one in people]

    async def record(self, job: Job, people: Sequence[PersonRead]) -> list[UUID]:
        """See `Store`."""
        items = [_item(job, one, self._at(job, one)) for one in people]
        return [one.contact_id for one in await self._recorder.record(items)]

    async def settle(
        self, job: Job, people: Sequence[PersonRead], contacts: Sequence[UUID], tally: Tally
    ) -> list[Problem]:
        """See `Store`."""
        kept = [_Kept(one, contact, self._at(job, one)) for one, contact in zip(people, contacts, strict=True)]
        if job.order.trigger:
            for one in kept:
                await self._change(job, one)
        return await self._database.transact(lambda tx: self._settle(tx, job, kept, tally), Lane.OUTBOX)

    async def finish(self, job: Job, tally: Tally) -> None:
        """See `Store`."""

        async def work(tx: AsyncConnection) -> None:
            await self._advance(tx, job, tally, state="done", finished_at=await self._database.now(tx))

        await self._database.transact(work)

    def _at(self, job: Job, person: PersonRead) -> datetime:
        """A later line was said later, so that of two about one person it is the one that counts."""
        return self._began[job.id] + timedelta(microseconds=person.line)

    async def _change(self, job: Job, one: _Kept) -> None:
        """Tags and lists as changes that are told."""
        if not one.person.tags and not one.person.lists:
            return

        async def work(change: Change) -> None:
            for tag in one.person.tags:
                await add_tag(change, tag)
            for name in one.person.lists:
                await join_list(change, name)

        moment = Moment(one.at, self._clock.wall())
        await self._recorder.change(one.contact, work, source=_source(job, one.person), moment=moment)

    async def _settle(self, tx: AsyncConnection, job: Job, kept: Sequence[_Kept], tally: Tally) -> list[Problem]:
        locked = await lock_contacts(tx, [one.contact for one in kept])
        recorded_at = await self._database.now(tx)
        here = [_Kept(one.person, locked[one.contact].id, one.at) for one in kept]
        tags = [(one, tag) for one in here for tag in one.person.tags]
        lists = [(one, name) for one in here for name in one.person.lists]
        await _TAGS.write(tx, _rows(tags, recorded_at))
        if lists:
            made = [{"name": name, "recorded_at": recorded_at} for name in sorted({name for _, name in lists})]
            await tx.execute(insert(tx, ContactList).on_conflict_do_nothing(), made)
            await _MEMBERS.write(tx, _rows(lists, recorded_at))
        said = [
            Said(one.person.line, one.contact, _identity(one.person), decision, decision.at or self._clock.now())
            for one in here
            for decision in one.person.decisions
        ]
        problems = await decide(tx, said, recorded_at) if said else []
        await self._advance(tx, job, tally)
        return problems

    async def _advance(self, tx: AsyncConnection, job: Job, tally: Tally, **more: Any) -> None:
        jobs = table(ImportJob)
        counted = {name: jobs.c[name] + getattr(tally, name) for name in _COUNTED}
        moved = await tx.execute(
            update(jobs)
            .where(jobs.c.id == job.id, jobs.c.holder == self._holder)
            .values(**counted, place=tally.place, **more)
        )
        if moved.rowcount == 0:
            raise Superseded(f"another process has taken over import {job.id}; this one stops.")


def _rows(found: Sequence[tuple[_Kept, str]], recorded_at: datetime) -> list[tuple[Any, ...]]:
    """Of a name that stands with somebody twice, the first."""
    rows = {(one.contact, name): (one.contact, name, one.at, recorded_at) for one, name in reversed(found)}
    return list(rows.values())


def _item(job: Job, person: PersonRead, at: datetime) -> Incoming:
    return Incoming(
        kind=ITS_KIND,
        name=IMPORTED,
        message_id=_source(job, person),
        at=at,
        properties={"import": str(job.id), "file": job.order.name, "line": person.line},
        user_id=person.user_id,
        email=person.email,
        traits=person.traits,
        enrollment_id=None if job.order.trigger else NOBODY,
    )


def _source(job: Job, person: PersonRead) -> str:
    return f"import:{job.id}:{person.line}"


def _identity(person: PersonRead) -> str:
    return f"user:{person.user_id}" if person.user_id else f"email:{person.email}"


@asynccontextmanager
async def open_store(settings: Settings, *, trigger: bool) -> AsyncGenerator[Imports]:
    """The store as the settings say. Journeys are loaded only where something may set them going."""
    specs = (journey.spec for journey in discover()) if trigger else ()
    database = Database(settings.database, pool=2)
    clock = SystemClock(settings.clock_shift)
    recorder = Recorder(database, Catalog(specs, unlaunched=settings.unlaunched), clock, LeftToTheSweep())
    try:
        await check(database)
        yield Imports(database, recorder, clock)
    finally:
        await database.close()
