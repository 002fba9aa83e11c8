"""Finds keys in the database, and remembers those it found for a moment."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from models.database import Database
from models.keys import Key, digest, find_key, note_use
from tabiji.domain.user_hash import user_secret
from tabiji.settings import Settings

REMEMBERED = 3.0
"""Seconds a key is known without asking the database: so long a revoked key may still get in."""
MOST_REMEMBERED = 1000


class KnownKeys:
    """One process's memory of keys, by their hashes."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Key]] = {}
        self._used: set[str] = set()
        self._secrets: dict[str, str] = {}

    @property
    def unwritten(self) -> int:
        """How many keys were used today and are not yet written down."""
        return len(self._used)

    def has_met(self, key: str) -> bool:
        """Whether the key was good when it was last asked for. It may be revoked by now."""
        return digest(key) in self._known

    def remembered(self, key: str) -> Key | None:
        """The key, where it was found in the last moment."""
        until, known = self._known.get(digest(key), (0.0, None))
        return known if time.monotonic() < until else None

    async def find(self, database: Database, key: str) -> Key | None:
        """The key in force behind what a caller shows.

        Raises:
            DatabaseDown: Nobody can say whether it is good.
        """
        if (known := self.remembered(key)) is not None:
            return known
        hashed = digest(key)
        found = await find_key(database, key)
        if found is None:
            self._known.pop(hashed, None)
            return None
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[hashed] = (time.monotonic() + REMEMBERED, found)
        if found.used_on != datetime.now(UTC).date():
            self._used.add(hashed)
        return found

    def user_secret(self, settings: Settings, name: str) -> str:
        """What user ids are signed with for a key of that name."""
        if name not in self._secrets:
            self._secrets[name] = user_secret(settings.signing_secret, name)
        return self._secrets[name]

    async def write(self, database: Database) -> None:
        """Write down which keys were used today: once a day for each.

        Raises:
            DatabaseDown: Not written; the next call does it.
        """
        used = sorted(self._used)
        if used:
            await note_use(database, used)
            self._used.difference_update(used)
