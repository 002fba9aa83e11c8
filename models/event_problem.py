"""What came in otherwise than it is declared: which event, which problem, how often. No value of anybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel

from models.base import JsonColumn
from models.database import Database, insert, table
from tabiji.domain.events import Problem, shape_in_words
from tabiji.domain.values import Properties

MOST_ROWS = 2_000
MOST_KEPT = 500
"""Problems a process keeps between two writes."""
OTHERS = "(others)"
"""The event under which problems are counted once there are too many: names come from outside."""


class EventProblem(SQLModel, table=True):
    """One problem of one event. `shape` is the names and kinds of the properties it was last seen with."""

    __tablename__ = "event_problem"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant

    name: str = Field(primary_key=True, max_length=200)
    property: str = Field(primary_key=True, max_length=100, description="empty: the whole event is meant")
    problem: str = Field(primary_key=True, max_length=200)
    count: int = Field(sa_column=Column(BigInteger(), nullable=False))
    shape: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JsonColumn, nullable=False))
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Noticed:
    """One problem since the last write."""

    count: int
    first_at: datetime
    last_at: datetime
    shape: dict[str, str]


Key = tuple[str, str, str]


class ProblemTally:
    """Counts problems in memory, so that an event pays nothing for them, and writes them down now and then.

    What a process has counted since its last write is lost with it: these are hints for engineers, not accounts.
    """

    def __init__(self) -> None:
        self._noticed: dict[Key, Noticed] = {}

    def notice(self, name: str, problem: Problem, properties: Properties, at: datetime) -> None:
        """Count one."""
        key = (name[:200], problem.property[:100], problem.problem[:200])
        known = self._noticed.get(key)
        if known is not None:
            self._noticed[key] = replace(known, count=known.count + 1, last_at=at)
        elif len(self._noticed) < MOST_KEPT:
            self._noticed[key] = Noticed(1, at, at, shape_in_words(properties))
        else:
            self._count_elsewhere(problem.problem[:200], Noticed(1, at, at, {}))

    async def write(self, database: Database) -> int:
        """Write down what was counted since the last time. Returns how many problems that were.

        Raises:
            DatabaseDown: They are kept for the next time.
        """
        if not self._noticed:
            return 0
        noticed, self._noticed = self._noticed, {}
        try:
            await database.transact(lambda tx: _write(tx, noticed))
        except BaseException:
            for key, one in noticed.items():
                self._noticed[key] = _both(self._noticed[key], one) if key in self._noticed else one
            raise
        return len(noticed)

    def _count_elsewhere(self, problem: str, one: Noticed) -> None:
        key = (OTHERS, "", problem if problem in ("missing", "not declared", "unknown event") else OTHERS)
        self._noticed[key] = _both(self._noticed[key], one) if key in self._noticed else one


async def problems(tx: AsyncConnection, *, limit: int = 200) -> Sequence[EventProblem]:
    """The latest first."""
    rows = table(EventProblem)
    found = await tx.execute(select(rows).order_by(rows.c.last_at.desc(), rows.c.name, rows.c.property).limit(limit))
    return [EventProblem(**row) for row in found.mappings()]


async def _write(tx: AsyncConnection, noticed: dict[Key, Noticed]) -> None:
    rows = table(EventProblem)
    room = MOST_ROWS - (await tx.scalar(select(func.count()).select_from(rows)) or 0)
    # In one order in every process: two that write the same rows would otherwise wait for each other.
    for key, one in sorted(noticed.items(), key=lambda item: item[0]):
        if room > 0:
            await _count(tx, key, one)
            room -= 1
        elif not await _count_known(tx, key, one):
            await _count(tx, (OTHERS, "", "too many different problems to keep apart"), replace(one, shape={}))


async def _count(tx: AsyncConnection, key: Key, one: Noticed) -> None:
    name, prop, problem = key
    rows = table(EventProblem)
    new = insert(tx, EventProblem).values(
        name=name, property=prop, problem=problem, count=one.count, shape=one.shape,
        first_at=one.first_at, last_at=one.last_at,
    )  # fmt: skip # one row
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["name", "property", "problem"],
            set_={"count": rows.c.count + one.count, "last_at": one.last_at, "shape": new.excluded.shape},
        )
    )


async def _count_known(tx: AsyncConnection, key: Key, one: Noticed) -> bool:
    rows = table(EventProblem)
    name, prop, problem = key
    changed = await tx.execute(
        update(rows)
        .where(rows.c.name == name, rows.c.property == prop, rows.c.problem == problem)
        .values(count=rows.c.count + one.count, last_at=one.last_at)
    )
    return bool(changed.rowcount)


def _both(one: Noticed, other: Noticed) -> Noticed:
    return Noticed(
        one.count + other.count, min(one.first_at, other.first_at), max(one.last_at, other.last_at), one.shape
    )
