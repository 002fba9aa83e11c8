"""What parameters have been turned to: every version, by whom and when. Nothing is changed or deleted.

await turn(tx, PARAM, value, by="web shop", at=…, recorded_at=…)
await read(tx, "nudge-after", entered_recorded_at=…, moves=False)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import JsonValue
from sqlalchemy import Column, Index, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel

from models.base import JsonColumn
from models.database import AnyRow, insert, table
from tabiji.domain.params import Param


class ParamValue(SQLModel, table=True):
    """One version of one parameter. Version 0 is the author's default, which has no row."""

    __tablename__ = "param_value"  # pyright: ignore[reportAssignmentType] # SQLModel declares it as a property, a name is meant
    __table_args__ = (Index("ix_param_value_name_recorded_at", "name", "recorded_at"),)

    name: str = Field(primary_key=True, max_length=100)
    version: int = Field(primary_key=True)
    value: Any = Field(sa_column=Column(JsonColumn, nullable=False))
    before: Any = Field(sa_column=Column(JsonColumn, nullable=False))
    set_by: str = Field(max_length=200, description="who turned it, in the words of the caller")
    key: str = Field(max_length=100, description="name of the access key that was used")
    recorded_at: datetime = Field(description="database time")


async def turn(
    tx: AsyncConnection, param: Param[Any], value: JsonValue, *, by: str, key: str, recorded_at: datetime
) -> AnyRow:
    """Keep a new version; the present one where nothing changes. Returns the row.

    Two at a time: the second comes to a version that is there and fails as any clash does; `transact` repeats it.

    Raises:
        InvalidParam: The value is none the author allows.
    """
    kept = param.dump(param.parse(value))
    present = await newest(tx, param.name)
    before = present.value if present is not None else param.dump(param.default)
    if present is not None and before == kept and type(before) is type(kept):
        return present
    rows = table(ParamValue)
    version = 1 if present is None else present.version + 1
    written = await tx.execute(
        insert(tx, ParamValue)
        .values(
            name=param.name, version=version, value=kept, before=before, set_by=by, key=key, recorded_at=recorded_at
        )
        .on_conflict_do_nothing(index_elements=["name", "version"])
        .returning(*rows.c)
    )
    row = written.one_or_none()
    # Somebody was quicker by a moment: ours is the later word.
    return row if row is not None else await turn(tx, param, value, by=by, key=key, recorded_at=recorded_at)


async def read(
    tx: AsyncConnection, name: str, *, entered_recorded_at: datetime | None, moves: bool = False
) -> JsonValue:
    """The value in force for somebody; None: the author's default.

    Args:
        tx: Reads.
        name: Of the parameter.
        entered_recorded_at: Database time at which they entered the journey; None: the newest.
        moves: The newest at this moment, whenever they entered.
    """
    rows = table(ParamValue)
    query = select(rows.c.value).where(rows.c.name == name).order_by(rows.c.version.desc()).limit(1)
    if entered_recorded_at is not None and not moves:
        query = query.where(rows.c.recorded_at <= entered_recorded_at)
    value: JsonValue = await tx.scalar(query)
    return value


async def newest(tx: AsyncConnection, name: str) -> AnyRow | None:
    """The version in force for who enters now; None: the author's default."""
    rows = table(ParamValue)
    query = select(rows).where(rows.c.name == name).order_by(rows.c.version.desc()).limit(1)
    return (await tx.execute(query)).one_or_none()


async def newest_of_all(tx: AsyncConnection) -> dict[str, AnyRow]:
    """The version in force of every parameter that was ever turned."""
    rows = table(ParamValue)
    last = select(rows.c.name, func.max(rows.c.version).label("version")).group_by(rows.c.name).subquery()
    query = select(rows).join(last, (rows.c.name == last.c.name) & (rows.c.version == last.c.version))
    return {row.name: row for row in (await tx.execute(query)).all()}


async def history(tx: AsyncConnection, name: str, *, limit: int = 100) -> Sequence[AnyRow]:
    """Its versions, the latest first."""
    rows = table(ParamValue)
    query = select(rows).where(rows.c.name == name).order_by(rows.c.version.desc()).limit(limit)
    return (await tx.execute(query)).all()
