"""Stops everything without the API."""

from __future__ import annotations

from models.clock import SystemClock
from models.database import Database
from models.pause import Scope
from models.pauses import Pauses


async def stop(url: str, *, by: str, reason: str | None) -> None:
    """Pause everything.

    Raises:
        DatabaseDown: The database does not answer either.
    """
    database = Database(url, pool=1)
    try:
        await Pauses(database, SystemClock()).pause(Scope.EVERYTHING, "", by=by, reason=reason)
    finally:
        await database.close()
