"""Statements given to the driver itself, for what is done for every event: SQLAlchemy's way to PostgreSQL and back
costs as much as a short statement does.

They run in the transaction SQLAlchemy has begun, and fail as its own do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs] # it has no types
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection


async def fetch(tx: AsyncConnection, sql: str, values: Sequence[Any]) -> Sequence[Any]:
    """Rows as the driver gives them: they can be unpacked, and are in the order of the columns."""
    connection = _of_postgresql(tx)
    if connection is None:
        return (await tx.exec_driver_sql(sql, tuple(values))).all()
    try:
        rows: list[Any] = await connection.fetch(sql, *values)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise _as_sqlalchemy_says(sql, error, connection) from error
    return rows


async def run(tx: AsyncConnection, sql: str, values: Any) -> int:
    """Write; returns how many rows. On SQLite `values` may be a list of tuples: the statement runs for each."""
    connection = _of_postgresql(tx)
    if connection is None:
        return (await tx.exec_driver_sql(sql, values)).rowcount
    try:
        status: str = await connection.execute(sql, *values)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise _as_sqlalchemy_says(sql, error, connection) from error
    return int(status.rpartition(" ")[2])


def _of_postgresql(tx: AsyncConnection) -> Any:
    """The driver's connection; None where SQLAlchemy is asked: on SQLite, and for the first statement, with which it
    begins the transaction.
    """
    if tx.dialect.name != "postgresql" or tx.sync_connection is None:
        return None
    connection: Any = tx.sync_connection.connection.driver_connection
    return connection if connection.is_in_transaction() else None


def _as_sqlalchemy_says(sql: str, error: Exception, connection: Any) -> DBAPIError:
    kind = DBAPIError if isinstance(error, asyncpg.PostgresError) else InterfaceError
    return kind(sql, None, error, hide_parameters=True, connection_invalidated=connection.is_closed())
