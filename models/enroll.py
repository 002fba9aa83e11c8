"""Enters a contact into a journey. Whether they may is decided here alone, under their lock: by the journey's rule of
re-entry, and by whether it is a draft, a pilot, live or closing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.breaker import watch_entries
from models.bulk import Rows
from models.database import AnyRow, insert, table
from models.enrollment import Dispatch, Enrollment, Listener
from models.launches import refusal, state_of
from models.listeners import ends_of
from models.look_back import last_seq
from tabiji.domain.journeys import JourneySpec
from tabiji.domain.launch import Launch
from tabiji.domain.orders import Entered, Happened

_DISPATCHES = Rows(Dispatch, ("contact_id", "enrollment_id", "kind", "payload", "state", "attempts", "recorded_at"))


@dataclass(frozen=True)
class Pending:
    """A dispatch that has been written and not yet delivered."""

    id: int
    contact_id: UUID
    enrollment_id: str


@dataclass(frozen=True)
class Entry:
    """Who enters, why, and when.

    `cause` makes an entry count once: the step of another journey, or its goal. `parent` is the enrollment that waits
    for the end of this one. `entered_at` is journey time,
    `entered_wall` the clock of the workflow to be. What happened after `entry_seq` counts; where it is not given,
    that is what happens after the trigger, or after now. `by_clock`: a date or a schedule enters them.
    """

    contact: AnyRow
    entered_at: datetime
    entered_wall: datetime
    recorded_at: datetime
    trigger: Happened | None = None
    cause: str | None = None
    parent: str | None = None
    entry_seq: int | None = None
    entry_key: str = ""
    by_clock: bool = False
    tempo: float | None = None
    test: bool = False


@dataclass(frozen=True)
class Enrolled:
    """The result, and what must be delivered after the commit."""

    entered: Entered
    pending: tuple[Pending, ...] = ()


@dataclass(frozen=True)
class Due:
    """What must reach Temporal, before it is written down."""

    contact_id: UUID
    enrollment_id: str
    kind: Literal["start", "signal", "cancel"]
    happened: Happened | None = None


@dataclass(frozen=True)
class Begun:
    """An entry that has been written down, but for the start that must reach Temporal: `start` has it, where there is
    one. `listeners` are the rows of the journey's ends.
    """

    entered: Entered
    start: Due | None = None
    listeners: tuple[dict[str, Any], ...] = ()


async def enroll(tx: AsyncConnection, spec: JourneySpec, entry: Entry) -> Enrolled:
    """Write the enrollment, its goal listeners and the start that must reach Temporal.

    The contact must be locked by this transaction.
    """
    begun = await begin(tx, spec, entry)
    starts = [begun.start] if begun.start is not None else []
    if starts and counts_as_let_in(entry):
        await watch_entries(tx, spec.name, entry.entered_at)
    return Enrolled(begun.entered, tuple(await dispatch_all(tx, starts, now=entry.recorded_at)))


def counts_as_let_in(entry: Entry) -> bool:
    """Whether events or the API let somebody in, at whatever rate they come."""
    return entry.cause is None and not entry.test


async def begin(tx: AsyncConnection, spec: JourneySpec, entry: Entry) -> Begun:
    """The same without the start: who calls it writes that down, in this transaction."""
    enrollments = table(Enrollment)
    contact_id: UUID = entry.contact.id
    if entry.cause is not None:
        known = await tx.scalar(select(enrollments.c.id).where(enrollments.c.cause == entry.cause))
        if known is not None:
            return Begun(Entered(enrollment_id=known))
    same = (enrollments.c.contact_id == contact_id) & (enrollments.c.journey == spec.name)
    known_so_far = select(func.coalesce(func.max(enrollments.c.n), 0), state_of(spec.name)).where(same)
    n, state = (await tx.execute(known_so_far)).one()
    tempo = entry.tempo or entry.contact.tempo
    test = entry.test or tempo is not None
    refused = await _refusal(tx, spec, entry) if n else None
    if refused is None:
        launch = Launch(state) if state is not None else spec.unlaunched
        refused = await refusal(tx, spec.name, launch, entry.contact, test=test)
    if refused is not None:
        return Begun(Entered(refused=refused))
    enrollment_id = f"{spec.name}/{contact_id}/{n + 1}"
    entry_seq = entry.entry_seq or (entry.trigger.seq if entry.trigger else None) or await last_seq(tx, contact_id)
    await tx.execute(
        insert(tx, Enrollment).values(
            id=enrollment_id,
            journey=spec.name,
            contact_id=contact_id,
            n=n + 1,
            entry_key=entry.entry_key,
            entry_seq=entry_seq,
            cause=entry.cause,
            parent_id=entry.parent,
            trigger=entry.trigger.model_dump(mode="json") if entry.trigger else None,
            state="running",
            path=[],
            tempo=tempo or 1.0,
            test=test,
            start_confirmed=False,
            entered_at=entry.entered_at,
            entered_wall=entry.entered_wall,
            recorded_at=entry.recorded_at,
        )
    )
    listeners = tuple(ends_of(enrollment_id, contact_id, spec.goals, spec.exits, since=entry_seq))
    if listeners:
        await tx.execute(insert(tx, Listener), list(listeners))
    return Begun(Entered(enrollment_id=enrollment_id), Due(contact_id, enrollment_id, "start"), listeners)


async def dispatch_all(tx: AsyncConnection, dues: Sequence[Due], *, now: datetime) -> list[Pending]:
    """Write down what must reach Temporal, in this order for each contact."""
    if not dues:
        return []
    rows = [(due.contact_id, due.enrollment_id, due.kind, _payload(due.happened), "pending", 0, now) for due in dues]
    numbered = await _DISPATCHES.numbered(tx, rows)
    return [Pending(id, due.contact_id, due.enrollment_id) for (id,), due in zip(numbered, dues, strict=True)]


async def dispatch(
    tx: AsyncConnection,
    contact_id: UUID,
    enrollment_id: str,
    *,
    kind: Literal["start", "signal", "cancel"],
    happened: Happened | None,
    now: datetime,
) -> Pending:
    """Write down one start, signal or cancellation that must reach Temporal."""
    [pending] = await dispatch_all(tx, [Due(contact_id, enrollment_id, kind, happened)], now=now)
    return pending


def _payload(happened: Happened | None) -> dict[str, Any]:
    return happened.model_dump(mode="json") if happened else {}


async def _refusal(tx: AsyncConnection, spec: JourneySpec, entry: Entry) -> str | None:
    enrollments = table(Enrollment)
    earlier = (
        await tx.execute(
            select(enrollments.c.state, enrollments.c.entered_at).where(
                enrollments.c.contact_id == entry.contact.id,
                enrollments.c.journey == spec.name,
                enrollments.c.entry_key == entry.entry_key,
            )
        )
    ).all()
    if any(row.state == "running" for row in earlier):
        return "already in it"
    last = max((row.entered_at for row in earlier), default=None)
    if not spec.reentry.allows(last_entered=last, now=entry.entered_at, by_clock=entry.by_clock):
        return "has been in it before" if spec.reentry.rule in ("never", "each") else "was in it too recently"
    if spec.reentry.at_once is not None and await _running(tx, spec, entry) >= spec.reentry.at_once:
        return "is in it as often as may be at once"
    return None


async def _running(tx: AsyncConnection, spec: JourneySpec, entry: Entry) -> int:
    """How many enrollments of this contact are under way, whatever their keys."""
    enrollments = table(Enrollment)
    return (
        await tx.scalar(
            select(func.count()).where(
                enrollments.c.contact_id == entry.contact.id,
                enrollments.c.journey == spec.name,
                enrollments.c.state == "running",
            )
        )
        or 0
    )
