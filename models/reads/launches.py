"""What state journeys are in, and how many people are inside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import AnyRow, database_time, table
from models.enrollment import Enrollment
from models.latecomers import Latecomers, latecomers_of
from models.launch import EntryRefused, JourneyState, JourneyStateChange
from models.reads.shapes import Shown
from tabiji.domain.journeys import JourneySpec
from tabiji.domain.launch import Fact, Launch, Pilot

LAST = timedelta(days=30)
"""How far back the audience of a journey is looked for."""


class PilotShown(Shown):
    """How a pilot does."""

    rule: Pilot
    words: str
    entered: int
    complaints: int
    unsubscribes: int
    errors: int


class LaunchShown(Shown):
    """One journey's state. Test contacts count nowhere."""

    journey: str
    state: Launch
    by: str | None = Field(description="who put it there; null: nobody has, a setting decides")
    reason: str | None
    since: datetime | None
    stopped: str | None = Field(description="why a pilot stopped itself")
    pilot: PilotShown | None
    inside: int
    refused: dict[str, int] = Field(description="how many were kept out by its state, by reason")


class LaunchChange(Shown):
    """Who changed it from what to what."""

    before: str
    state: str
    by: str
    reason: str | None
    recorded_at: datetime


class Audience(Shown):
    """Whom a journey would reach."""

    days: int
    by_events: int = Field(description="contacts who did in these days what starts it")
    by_schedule: int = Field(description="contacts its schedules name now")
    exact: bool = Field(description="false: there were too many events to read all of them; at least so many")
    since: datetime


async def show_launches(tx: AsyncConnection, specs: Sequence[JourneySpec]) -> list[LaunchShown]:
    """The states of journeys, in their order."""
    names = [spec.name for spec in specs]
    states, enrollments, refusals = table(JourneyState), table(Enrollment), table(EntryRefused)
    said = {row.journey: row for row in await tx.execute(select(states).where(states.c.journey.in_(names)))}
    counted = await tx.execute(
        select(enrollments.c.journey, func.count())
        .where(enrollments.c.state == "running", enrollments.c.test.is_(False), enrollments.c.journey.in_(names))
        .group_by(enrollments.c.journey)
    )
    inside = {row[0]: row[1] for row in counted.all()}
    kept_out = await tx.execute(
        select(refusals.c.journey, refusals.c.reason, func.sum(refusals.c.times))
        .where(refusals.c.journey.in_(names))
        .group_by(refusals.c.journey, refusals.c.reason)
    )
    refused: dict[str, dict[str, int]] = {}
    for journey, reason, times in kept_out.all():
        refused.setdefault(journey, {})[reason] = int(times)
    return [_shown(spec, said.get(spec.name), inside.get(spec.name, 0), refused.get(spec.name, {})) for spec in specs]


async def show_changes(tx: AsyncConnection, journey: str, *, limit: int) -> list[LaunchChange]:
    """What has been said about a journey's state, latest first."""
    changes = table(JourneyStateChange)
    rows = await tx.execute(
        select(changes).where(changes.c.journey == journey).order_by(changes.c.id.desc()).limit(limit)
    )
    return [LaunchChange.model_validate(row, from_attributes=True) for row in rows.all()]


async def show_audience(tx: AsyncConnection, spec: JourneySpec) -> Audience:
    """How many a journey would have taken in lately, and how many it would take by its schedules."""
    since = await database_time(tx) - LAST
    events = await latecomers_of(tx, spec, Latecomers(journey=spec.name, since=since))
    named = await latecomers_of(tx, spec, Latecomers(journey=spec.name, source="audience"))
    return Audience(days=LAST.days, by_events=events.people, by_schedule=named.people, exact=events.exact, since=since)


async def stopped_pilots(tx: AsyncConnection) -> int:
    """Pilots that have stopped themselves and about which nobody has said anything since."""
    states = table(JourneyState)
    return await tx.scalar(select(func.count()).select_from(states).where(states.c.stopped.is_not(None))) or 0


def _shown(spec: JourneySpec, row: AnyRow | None, inside: int, refused: dict[str, int]) -> LaunchShown:
    if row is None:
        return LaunchShown(
            journey=spec.name,
            state=spec.unlaunched,
            by=None,
            reason=None,
            since=None,
            stopped=None,
            pilot=None,
            inside=inside,
            refused=refused,
        )
    return LaunchShown(
        journey=spec.name,
        state=Launch(row.state),
        by=row.by,
        reason=row.reason,
        since=row.recorded_at,
        stopped=row.stopped,
        pilot=_pilot(row),
        inside=inside,
        refused=refused,
    )


def _pilot(row: AnyRow) -> PilotShown | None:
    if row.pilot is None:
        return None
    rule = Pilot.model_validate(row.pilot)
    counts = {fact.value: getattr(row, fact.value) for fact in Fact}
    return PilotShown(rule=rule, words=str(rule), entered=row.entered, **counts)
