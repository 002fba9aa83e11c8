"""What is counted of an experiment: who was given which arm, and who converted in their time.

Only people whose time to convert is over are counted, so that nobody's outcome can still change: early conversions of
people who came late would favour whatever is given out more at the moment.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import AnyRow, table
from models.event import Event
from models.exposure import Exposure
from models.message import Message
from tabiji.domain.experiments import Design
from tabiji.domain.stats.tally import Batch, Tally

_Group = tuple[str, str]
"""How arms were chosen, and the weights as JSON."""


@dataclass
class Counted:
    """Of one experiment, at one moment. Test contacts are left out."""

    batches: list[Batch] = field(default_factory=list[Batch])
    """Drawn by shares, their time over."""
    given: list[Batch] = field(default_factory=list[Batch])
    """Drawn by shares, all of them."""
    people: Counter[str] = field(default_factory=Counter[str])
    """By arm, however they came by it."""
    waiting: Counter[str] = field(default_factory=Counter[str])
    """By arm, those whose time is not over."""
    by_winner: Counter[str] = field(default_factory=Counter[str])
    """By arm, those who got it because it was decided."""
    bandit: dict[str, Tally] = field(default_factory=dict[str, Tally])
    """By arm, those a bandit has chosen it for, their time over."""


@dataclass(frozen=True, slots=True)
class Fates:
    """Of the mails of one arm: what people, not programs, did."""

    sent: int = 0
    opened: int = 0
    clicked: int = 0
    replied: int = 0
    unsubscribed: int = 0
    complained: int = 0


async def counted(tx: AsyncConnection, experiment: str, design: Design, *, kind: str, now: datetime) -> Counted:
    """Count. `now` is journey time."""
    converted = await _converted(tx, experiment, design, kind=kind, now=now)
    found = Counted()
    over: dict[_Group, dict[str, Tally]] = {}
    all_: dict[_Group, dict[str, Tally]] = {}
    for row in await _groups(tx, experiment, now - design.within):
        group = (row.chosen, _as_text(row.weights))
        tally = Tally(row.over, converted[row.arm, *group])
        found.people[row.arm] += row.people
        found.waiting[row.arm] += row.people - row.over
        if row.chosen == "winner":
            found.by_winner[row.arm] += row.people
        elif row.chosen == "bandit":
            found.bandit[row.arm] = found.bandit.get(row.arm, Tally()) + tally
        else:
            over.setdefault(group, {})[row.arm] = tally
            all_.setdefault(group, {})[row.arm] = Tally(row.people)
    found.batches = [Batch(json.loads(weights), tallies) for (_, weights), tallies in over.items()]
    found.given = [Batch(json.loads(weights), tallies) for (_, weights), tallies in all_.items()]
    return found


async def fates(tx: AsyncConnection, experiment: str) -> dict[str, Fates]:
    """What became of the mails of a test of content, by arm."""
    messages = table(Message)
    seen = ("opened", "clicked", "replied", "unsubscribed", "complained")
    query = (
        select(messages.c.variant, func.count().label("sent"))
        .add_columns(*(func.count(messages.c[f"{one}_at"]).label(one) for one in seen))
        .where(messages.c.experiment == experiment, messages.c.state == "sent", messages.c.test.is_(False))
        .group_by(messages.c.variant)
    )
    rows = (await tx.execute(query)).all()
    return {row.variant: Fates(row.sent, *(getattr(row, one) for one in seen)) for row in rows}


async def _groups(tx: AsyncConnection, experiment: str, before: datetime) -> list[AnyRow]:
    rows = table(Exposure)
    over = func.sum(case((rows.c.at <= before, 1), else_=0)).label("over")
    query = (
        select(rows.c.arm, rows.c.weights, rows.c.chosen, func.count().label("people"), over)
        .where(rows.c.experiment == experiment, rows.c.test.is_(False))
        .group_by(rows.c.arm, rows.c.weights, rows.c.chosen)
    )
    return list((await tx.execute(query)).all())


async def _converted(
    tx: AsyncConnection, experiment: str, design: Design, *, kind: str, now: datetime
) -> Counter[tuple[str, str, str]]:
    """By arm, how it was chosen and weights: people whose time is over and who converted in it."""
    if not design.goals and kind != "content":
        return Counter()
    read = _by_goals if design.goals else _by_clicks
    found: dict[UUID, tuple[str, str, str]] = {}
    before = now - design.within
    for row, event in await read(tx, experiment, design):
        in_time = row.at < event <= row.at + design.within
        if in_time and row.at <= before and row.contact_id not in found:
            found[row.contact_id] = (row.arm, row.chosen, _as_text(row.weights))
    return Counter(found.values())


async def _by_goals(tx: AsyncConnection, experiment: str, design: Design) -> list[tuple[AnyRow, datetime]]:
    rows, events = table(Exposure), table(Event)
    asks = any(goal.where for goal in design.goals)
    query = (
        select(rows.c.contact_id, rows.c.arm, rows.c.weights, rows.c.chosen, rows.c.at)
        .add_columns(events.c.at.label("happened"), events.c.name)
        .join(events, (events.c.contact_id == rows.c.contact_id) & (events.c.at > rows.c.at))
        .where(
            rows.c.experiment == experiment,
            rows.c.test.is_(False),
            events.c.name.in_(sorted({goal.event for goal in design.goals})),
        )
    )
    query = query.add_columns(events.c.properties)
    found: list[tuple[AnyRow, datetime]] = []
    for row in await tx.execute(query):
        # What a mail program or a link scanner did is nobody's conversion.
        if row.properties.get("machine") is True:
            continue
        if not asks or any(goal.matches(row.name, row.properties) for goal in design.goals):
            found.append((row, row.happened))
    return found


async def _by_clicks(tx: AsyncConnection, experiment: str, _: Design) -> list[tuple[AnyRow, datetime]]:
    """A click in the mail itself, by a person."""
    rows, messages = table(Exposure), table(Message)
    query = (
        select(rows.c.contact_id, rows.c.arm, rows.c.weights, rows.c.chosen, rows.c.at, messages.c.clicked_at)
        .join(messages, (messages.c.contact_id == rows.c.contact_id) & (messages.c.experiment == rows.c.experiment))
        .where(rows.c.experiment == experiment, rows.c.test.is_(False), messages.c.clicked_at.is_not(None))
    )
    return [(row, row.clicked_at) for row in await tx.execute(query)]


def _as_text(weights: Any) -> str:
    return json.dumps(weights, sort_keys=True)
