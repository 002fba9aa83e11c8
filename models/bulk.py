"""Many rows, or the rows of many keys, in one statement.

    _EVENTS = Rows(Event, ("contact_id", "name", "message_id", …), unless="message_id")
    await _EVENTS.write(tx, rows)                 rows are tuples in the order of the columns
    await _EVENTS.numbered(tx, rows, "message_id")  and what was written, by the number the database gave it
    select(…).where(among(tx, contacts.c.id, ids))
    _LISTENERS = Matching(Listener, ("contact_id", "event"))
    await _LISTENERS.read(tx, {(contact, "Page Viewed"), …})

SQLAlchemy works for every value of every row. Here PostgreSQL gets one array for each column, SQLite one prepared
statement, and the text of a statement is the same whatever the number of rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Float,
    Integer,
    Uuid,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from models.database import table
from models.driver import fetch, run

Encoder = Callable[[Any], Any]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def as_json(value: Any) -> str:
    """JSON text, as every reader of a column takes it."""
    try:
        return _encode(value).decode()
    except UnicodeEncodeError:
        return json.dumps(value)  # half a pair of surrogates: it can be written as an escape only


class Rows:
    """Writes rows into these columns of a table."""

    def __init__(self, model: type[SQLModel], columns: Sequence[str], *, unless: str | None = None) -> None:
        """Prepare.

        Args:
            model: The table.
            columns: Those that are given, in the order of the tuples; the others take their defaults in the database.
            unless: A unique column: a row whose value there is taken is left out.
        """
        self._into = table(model)
        self._columns = [self._into.c[name] for name in columns]
        names, conflict = ", ".join(columns), f" ON CONFLICT ({unless}) DO NOTHING" if unless else ""
        self._name = self._into.name
        values = ", ".join("?" * len(columns))
        self._sqlite = f"INSERT INTO {self._name} ({names}) VALUES ({values}){conflict}"  # noqa: S608 # our own names
        arrays = ", ".join(f"${place}::{type_of(one)}[]" for place, one in enumerate(self._columns, 1))
        given = ", ".join(f"given.c{place}{cast_of(one)}" for place, one in enumerate(self._columns))
        aliases = ", ".join(f"c{place}" for place, _ in enumerate(self._columns))
        # Numbers are given out in the order of the rows.
        self._postgresql = (
            f"INSERT INTO {self._name} ({names}) SELECT {given} FROM unnest({arrays}) "  # noqa: S608 # see above
            f"WITH ORDINALITY AS given({aliases}, place) ORDER BY given.place{conflict}"
        )

    async def write(self, tx: AsyncConnection, rows: Sequence[Sequence[Any]]) -> int:
        """Write them; returns how many have been, without those that were left out."""
        return await run(tx, *self._statement(tx, rows)) if rows else 0

    async def numbered(self, tx: AsyncConnection, rows: Sequence[Sequence[Any]], *names: str) -> list[tuple[Any, ...]]:
        """Write them into a table whose rows the database numbers.

        Returns:
            Of each row that was written its number and the values of these columns, as the driver gives them, in
            the order of the rows.
        """
        if not rows:
            return []
        [number] = self._into.primary_key.columns
        wanted = ", ".join((number.name, *names))
        sql, values = self._statement(tx, rows)
        if tx.dialect.name == "postgresql":
            written = await fetch(tx, f"{sql} RETURNING {wanted}", values)
        else:
            # Nobody else writes meanwhile: what has a higher number than any before is what was written.
            last = "SELECT seq FROM sqlite_sequence WHERE name = ?"
            before = await fetch(tx, last, (self._name,))
            await run(tx, sql, values)
            query = f"SELECT {wanted} FROM {self._name} WHERE {number.name} > ?"  # noqa: S608 # our own names
            written = await fetch(tx, query, (before[0][0] if before else 0,))
        return sorted(tuple(row) for row in written)

    def _statement(self, tx: AsyncConnection, rows: Sequence[Sequence[Any]]) -> tuple[str, Any]:
        columns = zip(*rows, strict=True)
        if tx.dialect.name == "postgresql":
            pairs = zip(self._columns, columns, strict=True)
            return self._postgresql, tuple(_each(_to_postgresql(column), values) for column, values in pairs)
        encoded = (_each(_to_sqlite(column), values) for column, values in zip(self._columns, columns, strict=True))
        return self._sqlite, list(zip(*encoded, strict=True))


class Matching:
    """Reads the rows whose columns have one of these combinations of values."""

    def __init__(self, model: type[SQLModel], by: Sequence[str]) -> None:
        """Prepare.

        Args:
            model: The table.
            by: The columns compared, together, with each combination; an index begins with them.
        """
        of = table(model)
        self._by = [of.c[name] for name in by]
        self._columns = list(of.columns)
        names = ", ".join(f"t.{column.name}" for column in self._columns)
        arrays = ", ".join(f"${place}::{type_of(one)}[]" for place, one in enumerate(self._by, 1))
        aliases = ", ".join(f"c{place}" for place, _ in enumerate(self._by))
        same = " AND ".join(f"t.{name} = given.c{place}" for place, name in enumerate(by))
        self._postgresql = f"SELECT {names} FROM unnest({arrays}) AS given({aliases}) JOIN {of.name} t ON {same}"  # noqa: S608 # our own names
        same = " AND ".join(f"t.{name} = given.value ->> {place}" for place, name in enumerate(by))
        # CROSS JOIN: SQLite goes through what is given and not through the table.
        self._sqlite = f"SELECT {names} FROM json_each(?) given CROSS JOIN {of.name} t ON {same}"  # noqa: S608 # see above

    async def read(self, tx: AsyncConnection, keys: Collection[Sequence[Any]]) -> list[dict[str, Any]]:
        """The rows of these combinations, no two of which are the same, by the names of their columns."""
        names = [column.name for column in self._columns]
        return [dict(zip(names, row, strict=True)) for row in await self.rows(tx, keys)]

    async def rows(self, tx: AsyncConnection, keys: Collection[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        """The same as sequences, in the order of the columns."""
        if not keys:
            return []
        values = zip(*keys, strict=True)
        if tx.dialect.name == "postgresql":  # its driver knows all these types
            return await fetch(tx, self._postgresql, tuple(map(list, values)))
        encoded = (_each(_to_sqlite(column), given) for column, given in zip(self._by, values, strict=True))
        rows = await fetch(tx, self._sqlite, (as_json(list(zip(*encoded, strict=True))),))
        decode = [_from_sqlite(column) for column in self._columns]
        columns = [_each(one, values) for one, values in zip(decode, zip(*rows, strict=True), strict=False)]
        return list(zip(*columns, strict=True))


def among(tx: AsyncConnection, column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether a column has one of these values; the statement is the same for any number of them."""
    listed = list(values)
    if tx.dialect.name == "postgresql":
        return column == func.any(bindparam(None, listed, type_=postgresql.ARRAY(column.type), unique=True))
    given = as_json(_each(_to_sqlite(column), listed))
    return column.in_(select(func.json_each(given).table_valued("value").c.value))


def encoded(dialect: str, column: Column[Any], values: Iterable[Any]) -> list[Any]:
    """Values of a column as the driver takes them."""
    return _each(_to_postgresql(column) if dialect == "postgresql" else _to_sqlite(column), values)


def sqlite_instant(at: datetime) -> str:
    """An instant as SQLite keeps it."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.isoformat(" ", "microseconds")[:26]


def _hex(value: UUID) -> str:
    return value.hex


def _each(encode: Encoder | None, values: Iterable[Any]) -> list[Any]:
    if encode is None:
        return list(values)
    if encode is sqlite_instant:
        values = list(values)
        if values and values.count(values[0]) == len(values):  # one moment of all
            return [None if values[0] is None else encode(values[0])] * len(values)
    return [None if value is None else encode(value) for value in values]


def _to_sqlite(column: Column[Any]) -> Encoder | None:
    match column.type:
        case Uuid():
            return _hex
        case UTCDateTime():
            return sqlite_instant
        case JSON():
            return as_json
        case _:
            return None


def _to_postgresql(column: Column[Any]) -> Encoder | None:
    return as_json if isinstance(column.type, JSON) else None


def _from_sqlite(column: Column[Any]) -> Encoder | None:
    match column.type:
        case Uuid():
            return UUID
        case UTCDateTime():
            return _instant
        case JSON():
            return _decode
        case Boolean():
            return bool
        case _:
            return None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def type_of(column: Column[Any]) -> str:
    """As PostgreSQL is to take an array of its values."""
    match column.type:
        case Uuid():
            return "uuid"
        case UTCDateTime() | DateTime():
            return "timestamptz"
        case BigInteger() | Integer():
            return "bigint"
        case Float():
            return "float8"
        case Boolean():
            return "boolean"
        case _:
            return "text"  # and not varchar(n): a cast would cut off what an insert refuses


def cast_of(column: Column[Any]) -> str:
    """What turns a value of such an array into one of the column."""
    return "::jsonb" if isinstance(column.type, JSON) else ""
