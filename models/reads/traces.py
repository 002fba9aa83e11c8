"""What became of events: who was meant, what they started and woke, whether that reached Temporal; or why nothing.

All of it is read from what the entrance wrote, so that an event pays nothing for being looked at. What is said of
refusals holds for now: whether a journey was a draft at that moment, nobody kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.bulk import among
from models.database import AnyRow, database_time, table
from models.enrollment import Dispatch, Enrollment, Listener
from models.event import Event
from models.incoming import NOBODY
from models.launch import JourneyState
from models.listeners import pattern_of
from models.reads.shapes import Shown
from tabiji.domain.conditions import Condition
from tabiji.domain.event_catalog import EventCatalog
from tabiji.domain.journeys import Catalog, JourneySpec
from tabiji.domain.launch import Launch

SETTLED = timedelta(milliseconds=300)
"""Younger events are not shown yet: one with an earlier place in the order may still be on its way into it."""
MOST_OF_A_PAGE = 5_000
"""Enrollments and dispatches looked through for a page of events: the latest."""


class Started(Shown):
    """A journey the event entered them into."""

    journey: str
    enrollment_id: str
    dispatch: str = Field(
        description="pending: on its way to Temporal; delivered, late (it had ended), dead, cancelled"
    )


class Woken(Shown):
    """A wait, a goal or an exit the event answered."""

    journey: str
    enrollment_id: str
    step: str = Field(description="goal and exit: the end of the journey")
    dispatch: str


class Passed(Shown):
    """A journey that starts on such events, and was not started by this one; or one that waits for another of them."""

    journey: str
    why: str


class Trace(Shown):
    """One event and what became of it."""

    seq: int
    message_id: str
    kind: str
    name: str
    properties: dict[str, Any]
    contact_id: UUID
    identity: str | None = Field(description="what it came under, kind:value; null: the contact itself")
    at: datetime = Field(description="journey time: when it happened")
    recorded_at: datetime = Field(description="when the database took it down")
    problems: list[str] = Field(description="where it is not as it is declared; it counts all the same")
    started: list[Started]
    woke: list[Woken]
    passed: list[Passed]
    nothing: str | None = Field(description="why nothing came of it, where nothing did")


@dataclass(frozen=True)
class Wanted:
    """Which events.

    `after` leaves out what has been seen, and the oldest come first; without it: the latest.
    """

    limit: int
    after: int | None = None
    contact_id: UUID | None = None
    name: str | None = None


@dataclass
class _Around:
    """What stands around a page of events."""

    enrollments: dict[UUID, list[AnyRow]] = field(default_factory=lambda: defaultdict(list))
    dispatches: dict[str, list[AnyRow]] = field(default_factory=lambda: defaultdict(list))
    listeners: dict[tuple[UUID, str], list[Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    states: dict[str, Launch] = field(default_factory=dict[str, Launch])


async def traces(tx: AsyncConnection, catalog: Catalog, events: EventCatalog, wanted: Wanted) -> list[Trace]:
    """What became of these events, in the order they were recorded."""
    found = await _events(tx, wanted)
    around = await _around(tx, found)
    return [_trace(row, around, catalog, events) for row in found]


async def _events(tx: AsyncConnection, wanted: Wanted) -> Sequence[AnyRow]:
    rows = table(Event)
    query = select(rows).where(rows.c.recorded_at < await database_time(tx) - SETTLED)
    if wanted.after is not None:
        query = query.where(rows.c.seq > wanted.after)
    if wanted.contact_id is not None:
        query = query.where(rows.c.contact_id == wanted.contact_id)
    if wanted.name is not None:
        query = query.where(rows.c.name == wanted.name)
    query = query.order_by(rows.c.seq if wanted.after is not None else rows.c.seq.desc()).limit(wanted.limit)
    return sorted((await tx.execute(query)).all(), key=lambda row: row.seq)


async def _around(tx: AsyncConnection, events: Sequence[AnyRow]) -> _Around:
    around = _Around()
    contacts = {row.contact_id for row in events}
    if not contacts:
        return around
    enrollments, dispatches = table(Enrollment), table(Dispatch)
    listeners, states = table(Listener), table(JourneyState)
    mine = select(enrollments).where(among(tx, enrollments.c.contact_id, contacts))
    for row in await tx.execute(mine.order_by(enrollments.c.recorded_at.desc()).limit(MOST_OF_A_PAGE)):
        around.enrollments[row.contact_id].append(row)
    sent = select(dispatches).where(among(tx, dispatches.c.contact_id, contacts))
    for row in await tx.execute(sent.order_by(dispatches.c.id.desc()).limit(MOST_OF_A_PAGE)):
        around.dispatches[row.enrollment_id].append(row)
    waits = select(listeners).where(
        among(tx, listeners.c.contact_id, contacts), listeners.c.event.in_({row.name for row in events})
    )
    for listener in (await tx.execute(waits.limit(MOST_OF_A_PAGE))).mappings():
        around.listeners[listener["contact_id"], listener["event"]].append(dict(listener))
    around.states = {row.journey: Launch(row.state) for row in await tx.execute(select(states))}
    return around


def _trace(row: AnyRow, around: _Around, catalog: Catalog, events: EventCatalog) -> Trace:
    started, woke = list(_started(row, around)), list(_woke(row, around))
    begun = {one.journey for one in started}
    passed = [*_not_started(row, around, catalog, begun), *_not_woken(row, around, woke)]
    nothing = None if started or woke else _why_nothing(row, passed, catalog)
    return Trace(
        seq=row.seq,
        message_id=row.message_id,
        kind=row.kind,
        name=row.name,
        properties=row.properties,
        contact_id=row.contact_id,
        identity=row.identity,
        at=row.at,
        recorded_at=row.recorded_at,
        problems=[f"{one.property}: {one.problem}".lstrip(": ") for one in events.problems(row.name, row.properties)],
        started=started,
        woke=woke,
        passed=passed,
        nothing=nothing,
    )


def _started(row: AnyRow, around: _Around) -> Iterator[Started]:
    for one in around.enrollments[row.contact_id]:
        if one.trigger is not None and one.trigger.get("seq") == row.seq:
            start = next((sent.state for sent in around.dispatches[one.id] if sent.kind == "start"), "pending")
            yield Started(journey=one.journey, enrollment_id=one.id, dispatch=start)


def _woke(row: AnyRow, around: _Around) -> Iterator[Woken]:
    for one in around.enrollments[row.contact_id]:
        for sent in around.dispatches[one.id]:
            if sent.kind == "signal" and sent.payload.get("seq") == row.seq:
                step = sent.payload.get("step") or "wait"
                yield Woken(journey=one.journey, enrollment_id=one.id, step=step, dispatch=sent.state)


def _not_started(row: AnyRow, around: _Around, catalog: Catalog, begun: set[str]) -> Iterator[Passed]:
    if row.enrollment_id is not None:
        return
    for spec, trigger in catalog.started_by(row.name):
        if spec.name not in begun:
            yield Passed(journey=spec.name, why=_why_not(row, spec, trigger, around))


def _why_not(row: AnyRow, spec: JourneySpec, trigger: Condition, around: _Around) -> str:
    failed = [str(test) for test in trigger.where if not test.holds(row.properties)]
    if failed:
        return f"starts only where {' and '.join(failed)}"
    key = spec.reentry.entry_key(row.properties)
    if key is None:
        return f"its property {spec.reentry.key!r} is missing or no text or number, and re-entry is decided by it"
    earlier = [
        one
        for one in around.enrollments[row.contact_id]
        if (one.journey, one.entry_key) == (spec.name, key) and one.recorded_at <= row.recorded_at
    ]
    if any(one.ended_at is None for one in earlier):
        return "they are in it already"
    if earlier:
        return f"they have been in it before, and it may be entered again: {spec.reentry}"
    match around.states.get(spec.name, spec.unlaunched):
        case Launch.DRAFT:
            return f"it is a draft; `tabiji golive {spec.name}` lets people in"
        case Launch.PILOT:
            return "it is a pilot, and does not take them"
        case Launch.CLOSING:
            return "it is closing: nobody new enters"
        case _:
            return "nothing speaks against it now: the process that took the event did not know this journey yet"


def _not_woken(row: AnyRow, around: _Around, woke: Sequence[Woken]) -> Iterator[Passed]:
    answered = {(one.enrollment_id, one.step) for one in woke}
    journeys = {one.id: one.journey for one in around.enrollments[row.contact_id]}
    for listener in around.listeners[row.contact_id, row.name]:
        enrollment_id, step = listener["enrollment_id"], listener["step"]
        if (enrollment_id, step) in answered or enrollment_id not in journeys:
            continue
        if listener["since_seq"] >= row.seq:
            why = f"{step} began to wait after this event"
        elif row.enrollment_id not in (None, enrollment_id):
            why = f"{step} is not who it was for"
        else:
            why = f"{step} waits for {pattern_of(listener)}"
        yield Passed(journey=journeys[enrollment_id], why=why)


def _why_nothing(row: AnyRow, passed: Sequence[Passed], catalog: Catalog) -> str:
    if row.enrollment_id == NOBODY:
        return "it came as history: what is imported starts and wakes nothing"
    if passed:
        return "; ".join(f"{one.journey}: {one.why}" for one in passed)
    if catalog.started_by(row.name):
        return "it was for one journey alone"
    return f"no journey starts on {row.name!r}, and none of theirs waits for it"
