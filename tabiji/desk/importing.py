"""Reads a file of people and has them kept, group by group; counts and reports what it meets."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from pydantic import JsonValue

from tabiji.desk.csv_files import Sheet, Source
from tabiji.domain.csv.orders import ImportOrder, Job, Pair, Standing, Store, Tally
from tabiji.domain.csv.people import PersonRead, Problem, read_person
from tabiji.domain.csv.rows import Row
from tabiji.domain.csv.similar import Likely, traits_of
from tabiji.errors import Refused

SMALLEST, FIRST, LARGEST = 50, 100, 500
"""People in a group. Below the smallest, what a group costs whatever its size is all that is left."""
LOOKED_AT = 500
"""People asked for at once, where nothing is written."""
AT_MOST = 0.03
"""Seconds the shorter transaction of a group may take: the other stays below what others may have to wait."""

Watch = Callable[[int, "Report"], None]
"""Told after each group: how many bytes have been read, and what has been counted."""


@dataclass
class Report:
    """What was met and done."""

    job: UUID | None = None
    lines: int = 0
    people: int = 0
    known: int = 0
    refused: int = 0
    again: int = 0
    """Lines about somebody whom an earlier line is about."""
    problems: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    pairs: Sequence[Pair] = ()
    new_pairs: int = 0

    @property
    def new(self) -> int:
        """People nobody knew."""
        return self.people - self.known - self.again


@dataclass(frozen=True)
class Wanted:
    """What is to be done with a file. With `dry_run` nothing is written but reports."""

    dry_run: bool = False
    trigger: bool = False
    rate: float | None = None
    resume: UUID | None = None
    compare: bool = True


@dataclass(frozen=True)
class _UnderWay:
    """A group that is being recorded."""

    people: Sequence[tuple[PersonRead, Row]]
    tally: Tally
    recording: asyncio.Task[list[UUID]]


class Importing:
    """One file on its way in."""

    def __init__(self, source: Source, store: Store, errors: Sheet, wanted: Wanted, watch: Watch) -> None:
        self._source = source
        self._store = store
        self._errors = errors
        self._wanted = wanted
        self._watch = watch
        self._job: Job | None = None
        self._size = FIRST
        self._tally = Tally()
        self._first: dict[str, int] = {}
        self._likely = Likely[str]()
        self._inside: dict[tuple[str, str], Pair] = {}
        self._pending: list[tuple[PersonRead, Row]] = []
        self._under_way: _UnderWay | None = None
        self.report = Report()
        self.people: dict[str, PersonRead] = {}
        """Of the file, by contact, or by line where nobody has written them."""

    async def run(self, job: Job | None) -> Report:
        """Read all of it. `job` is None where nothing is to be written.

        Raises:
            Superseded: Another process goes on with this import.
        """
        self._job = job
        if job is not None:
            self.report.job = job.id
            self._tally.place = job.place
        try:
            await self._go_through()
        finally:
            # Cut off in the middle: what is under way ends before the store is closed.
            if self._under_way is not None:
                await asyncio.gather(self._under_way.recording, return_exceptions=True)
        if self._wanted.compare:
            await self._compare()
        if job is not None:
            await self._store.finish(job, self._tally)
        self._watch(self._source.size, self.report)
        return self.report

    async def _go_through(self) -> None:
        began = time.monotonic()
        for row, position in self._source.rows():
            self._read(row)
            if len(self._pending) >= self._group:
                await self._flush()
                self._watch(position, self.report)
                await self._keep_to_rate(began)
        await self._flush()
        await self._drain()

    def _read(self, row: Row) -> None:
        self.report.lines += 1
        person, problems = read_person(row, self._source.plan)
        if problems:
            self._note(row, problems, refused=person is None)
        if person is None:
            self.report.refused += 1
            self._count(row.line, refused=1, problems=len(problems))
            return
        self._count(row.line, problems=len(problems))
        self._pending.append((person, row))

    def _count(self, line: int, *, refused: int = 0, problems: int = 0) -> None:
        if self._job is None or line > self._job.place:
            self._tally.refused += refused
            self._tally.problems += problems

    def _note(self, row: Row, problems: Sequence[Problem], *, refused: bool) -> None:
        for problem in problems:
            self.report.problems[problem.field, problem.reason] += 1
        reasons = "; ".join(str(problem) for problem in problems)
        self._errors.add([str(row.line), "left out" if refused else "imported without it", reasons, *row.cells])

    @property
    def _group(self) -> int:
        if self._job is None or (self._pending and self._pending[0][0].line <= self._job.place):
            return LOOKED_AT
        return min(self._size, max(1, int(self._wanted.rate / 2))) if self._wanted.rate else self._size

    async def _flush(self) -> None:
        """Deal with who is pending. Those an earlier run has written are only looked up."""
        pending, self._pending = self._pending, []
        place = self._job.place if self._job else 0
        done = [one for one in pending if self._job is None or one[0].line <= place]
        rest = pending[len(done) :]
        if done:
            standing = await self._store.look([person for person, _ in done])
            self._tell_standing(done, standing)
            self._remember(
                [
                    (person, str(found.contact or f"line {person.line}"))
                    for (person, _), found in zip(done, standing, strict=True)
                ]
            )
        if rest and self._job is not None:
            await self._write(self._job, rest)

    async def _write(self, job: Job, pending: Sequence[tuple[PersonRead, Row]]) -> None:
        """Record a group while the one before is settled: the database and this process work at the same time."""
        people = [person for person, _ in pending]
        known = self._tell_standing(pending, await self._store.look(people))
        tally = replace(self._tally, place=people[-1].line, people=len(people), known=known)
        self._tally = Tally(place=people[-1].line)
        before, self._under_way = self._under_way, None
        if before is not None:
            await before.recording
        recording = asyncio.create_task(self._store.record(job, people))
        self._under_way = _UnderWay(pending, tally, recording)
        if before is not None:
            await self._settle(job, before)

    async def _settle(self, job: Job, group: _UnderWay) -> None:
        people = [person for person, _ in group.people]
        contacts = await group.recording
        began = time.monotonic()
        problems = await self._store.settle(job, people, contacts, group.tally)
        took = time.monotonic() - began
        self._size = max(SMALLEST, min(LARGEST, int(self._size * min(2.0, AT_MOST / max(took, 0.001)))))
        rows = {person.line: row for person, row in group.people}
        for problem in problems:
            self._tally.problems += 1
            self._note(rows[problem.line], [problem], refused=False)
        self._remember(list(zip(people, map(str, contacts), strict=True)))

    async def _drain(self) -> None:
        """Settle the last group."""
        group, self._under_way = self._under_way, None
        if group is not None and self._job is not None:
            await self._settle(self._job, group)

    def _tell_standing(self, pending: Sequence[tuple[PersonRead, Row]], standing: Sequence[Standing]) -> int:
        """Count who is there already, and who stands in the file before. Returns the first."""
        known = 0
        for (person, row), found in zip(pending, standing, strict=True):
            self.report.people += 1
            earlier = self._earlier(person)
            if earlier:
                self.report.again += 1
            elif found.contact:
                known += 1
            if found.by_user and found.by_email and found.by_user != found.by_email:
                words = "the user id and the e-mail address lead to two different contacts; the user id was followed"
                self._note(row, [Problem(row.line, "", words)], refused=False)
        self.report.known += known
        return known

    def _earlier(self, person: PersonRead) -> int | None:
        keys = [f"user:{person.user_id}"] if person.user_id else []
        keys += [f"email:{person.email}"] if person.email else []
        earlier = min((self._first[key] for key in keys if key in self._first), default=None)
        for key in keys:
            self._first.setdefault(key, person.line)
        return earlier

    def _remember(self, found: Sequence[tuple[PersonRead, str]]) -> None:
        if not self._wanted.compare:
            return
        for person, who in found:
            traits = traits_of(person.attributes, person.email)
            if self._job is None:
                for other, like in self._likely.like(traits):
                    if other != who:
                        self._inside.setdefault((other, who), Pair(other, who, like.score, like.reasons))
            if who not in self.people:
                self._likely.add(who, traits)
            self.people[who] = person

    async def _compare(self) -> None:
        pairs = [*self._inside.values(), *await self._store.alike(self._likely)]
        self.report.pairs = sorted(pairs, key=lambda pair: -pair.score)
        if self._job is not None:
            self.report.new_pairs = await self._store.keep(self._job, self.report.pairs)

    async def _keep_to_rate(self, began: float) -> None:
        if self._wanted.rate and self._job is not None:
            due = began + self.report.people / self._wanted.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))


async def job_for(store: Store, source: Source, wanted: Wanted) -> Job | None:
    """The import to work on: a new one, one to go on with, or none where nothing is to be written.

    Raises:
        UnknownImport: There is none of that id.
        Refused: It is of another file, or done.
    """
    if wanted.dry_run:
        return None
    if wanted.resume is None:
        reading: dict[str, JsonValue] = {
            "encoding": source.dialect.encoding,
            "delimiter": source.dialect.delimiter,
            "mapping": source.plan.mapped.model_dump(mode="json", exclude_defaults=True),
        }
        as_of = source.plan.mapped.as_of
        old = as_of if isinstance(as_of, datetime) else None
        order = ImportOrder(source.path.name, source.digest, reading, wanted.trigger, wanted.rate, old)
        return await store.begin(order)
    job = await store.take_over(wanted.resume)
    if job.order.digest != source.digest:
        raise Refused(f"import {job.id} is of another file ({job.order.name}), or the file has been changed since.")
    if job.state == "done":
        raise Refused(f"import {job.id} is done: nothing is left to go on with.")
    return job
