"""Finds out that a connection to PostgreSQL is gone before work is given to it, where that is likely.

SQLAlchemy's own look at each connection before each use costs three round trips to the server, as many as a short
transaction has itself. One that was in use a moment ago is good, or says that it is not.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine

PAUSE = 1.0
"""Seconds of rest after which a connection is looked at."""


def ping_after_a_pause(engine: AsyncEngine) -> None:
    """Look at connections of this engine that have rested, and at those whose end is known here already."""

    def rest(_connection: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    def wake(connection: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get("rests_since")
        if since is None:
            return  # it is new
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError
        if time.monotonic() - since > PAUSE:
            try:
                connection.ping()
            except (DBAPIError, engine.dialect.loaded_dbapi.Error) as error:
                raise InvalidatePoolError from error

    event.listen(engine.sync_engine, "checkin", rest)
    event.listen(engine.sync_engine, "checkout", wake)
