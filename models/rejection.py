"""What was sent and refused: the latest, for whoever looks for an event that never arrived. No value of anybody."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Column, Integer, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel

from models.database import Database, insert, table

MOST_ROWS = 1_000
MOST_WAITING = 200
"""Refusals a process keeps between two writes: of a flood the latest tell as much as all."""


class Rejection(SQLModel, table=True):
    """One call, or one item of a batch, that was not stored."""

    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    )
    key: str | None = Field(default=None, max_length=100, description="its name; null: it is unknown, or was not shown")
    call: str = Field(max_length=16, description="track, page, batch …")
    status: int
    field: str = Field(default="", max_length=100)
    problem: str = Field(max_length=300)
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """One refusal, before it is written down."""

    call: str
    status: int
    problem: str
    field: str = ""
    key: str | None = None


class Rejections:
    """Keeps refusals in memory, so that a flood of them costs no transaction, and writes them down now and then."""

    def __init__(self) -> None:
        self._waiting: deque[Refused] = deque(maxlen=MOST_WAITING)

    def note(self, refused: Refused) -> None:
        """Keep one."""
        self._waiting.append(refused)

    async def write(self, database: Database) -> None:
        """Write down what was refused since the last time.

        Raises:
            DatabaseDown: They are lost, as those of a process that dies are: hints, no accounts.
        """
        if not self._waiting:
            return
        waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]

        async def work(tx: AsyncConnection) -> None:
            now, rows = await database.now(tx), table(Rejection)
            await tx.execute(insert(tx, Rejection), [_row(one, now) for one in waiting])
            newest = select(func.max(rows.c.id)).scalar_subquery()
            await tx.execute(delete(rows).where(rows.c.id <= newest - MOST_ROWS))

        await database.transact(work)


async def rejections(tx: AsyncConnection, *, after: int, limit: int) -> Sequence[Rejection]:
    """Those after a place, oldest first; of a beginning the latest."""
    rows = table(Rejection)
    query = select(rows).where(rows.c.id > after).order_by(rows.c.id if after else rows.c.id.desc()).limit(limit)
    found = [Rejection(**row) for row in (await tx.execute(query)).mappings()]
    return sorted(found, key=lambda one: one.id or 0)


def _row(one: Refused, now: datetime) -> dict[str, object]:
    return {
        "key": one.key,
        "call": one.call[:16],
        "status": one.status,
        "field": one.field[:100],
        "problem": one.problem[:300],
        "recorded_at": now,
    }
