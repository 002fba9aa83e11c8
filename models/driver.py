"""Statements given to the driver itself, for what is done for every event: SQLAlchemy's way there and back costs
as much as a short statement does.

They run in the transaction SQLAlchemy has begun, and fail as its own do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import asyncpg  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs] # it has no types
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection


async def fetch(tx: AsyncConnection, sql: str, values: Sequence[Any]) -> Sequence[Any]:
    """Rows as the driver gives them: they can be unpacked, and are in the order of the columns."""
    connection = _driver_of(tx)
    rows: Sequence[Any]
    try:
        if connection is None:
            rows = (await tx.exec_driver_sql(sql, tuple(values))).all()
        elif tx.dialect.name == "postgresql":
            rows = await connection.fetch(sql, *values)
        else:
            rows = list(await connection.execute_fetchall(sql, values))
    except _FAILURES as error:
        raise _as_sqlalchemy_says(sql, error, connection) from error
    return rows


async def run(tx: AsyncConnection, sql: str, values: Any) -> int:
    """Write; returns how many rows. On SQLite `values` is a list of tuples: the statement runs for each."""
    connection = _driver_of(tx)
    try:
        if connection is None:
            return (await tx.exec_driver_sql(sql, values)).rowcount
        if tx.dialect.name == "postgresql":
            status: str = await connection.execute(sql, *values)
            return int(status.rpartition(" ")[2])
        async with connection.executemany(sql, values) as cursor:
            written: int = cursor.rowcount
            return written
    except _FAILURES as error:
        raise _as_sqlalchemy_says(sql, error, connection) from error


_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, sqlite3.Error, OSError)


def _driver_of(tx: AsyncConnection) -> Any:
    """The driver's connection; None for the first statement on PostgreSQL, with which SQLAlchemy begins."""
    connection: Any = tx.sync_connection.connection.driver_connection if tx.sync_connection is not None else None
    begun = connection is not None and (tx.dialect.name != "postgresql" or connection.is_in_transaction())
    return connection if begun else None


def _as_sqlalchemy_says(sql: str, error: Exception, connection: Any) -> DBAPIError:
    match error:
        case sqlite3.OperationalError():
            return OperationalError(sql, None, error, hide_parameters=True)
        case sqlite3.Error():
            return DBAPIError(sql, None, error, hide_parameters=True)
        case asyncpg.PostgresError():
            return DBAPIError(sql, None, error, hide_parameters=True, connection_invalidated=connection.is_closed())
        case _:
            return InterfaceError(sql, None, error, hide_parameters=True, connection_invalidated=True)
