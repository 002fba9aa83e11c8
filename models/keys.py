"""Makes, finds and revokes access keys. A key is shown once; only its hash is kept."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import select, update

from models.database import Database, insert, table
from models.key import ApiKey, Scope
from tabiji.errors import ConfigurationError

PREFIX = "tbj_"
_KEY = re.compile(r"tbj_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Key:
    """A key as people may see it: everything but the key."""

    name: str
    scope: Scope
    recorded_at: datetime
    revoked_at: datetime | None


def digest(key: str) -> str:
    """What is stored of a key. It has 256 random bits, so that no slow hash is needed."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


async def create_key(database: Database, name: str, scope: Scope) -> str:
    """Make a key and return it. It cannot be shown again.

    Raises:
        ConfigurationError: A key of that name is there already, revoked or not, or the name is empty.
    """
    if not name.strip() or len(name) > 100:
        raise ConfigurationError("a key needs a name of 1 to 100 characters that says who uses it, e.g. 'web shop'.")
    key = PREFIX + secrets.token_urlsafe(32)
    async with database.write() as tx:
        values = {"hash": digest(key), "name": name, "scope": scope, "recorded_at": await database.now(tx)}
        statement = insert(tx, ApiKey).values(**values).on_conflict_do_nothing(index_elements=["name"])
        if not (await tx.execute(statement)).rowcount:
            raise ConfigurationError(f"a key called {name!r} is there already. Choose another name.")
    return key


async def find_key(database: Database, key: str) -> Key | None:
    """The key somebody shows, unless it is unknown or revoked."""
    if not _KEY.fullmatch(key):
        return None
    keys = table(ApiKey)
    async with database.read() as tx:
        row = (await tx.execute(select(keys).where(keys.c.hash == digest(key)))).one_or_none()
    if row is None or row.revoked_at is not None:
        return None
    return Key(row.name, cast("Scope", row.scope), row.recorded_at, row.revoked_at)


async def list_keys(database: Database) -> list[Key]:
    """All keys, revoked ones too, oldest first."""
    keys = table(ApiKey)
    async with database.read() as tx:
        rows = (await tx.execute(select(keys).order_by(keys.c.recorded_at, keys.c.name))).all()
    return [Key(row.name, cast("Scope", row.scope), row.recorded_at, row.revoked_at) for row in rows]


async def revoke_key(database: Database, name: str) -> bool:
    """Refuse a key from now on. False when no key of that name was in force.

    API processes remember a key they have seen for a few seconds.
    """
    keys = table(ApiKey)
    async with database.write() as tx:
        revoked = await tx.execute(
            update(keys)
            .where(keys.c.name == name, keys.c.revoked_at.is_(None))
            .values(revoked_at=await database.now(tx))
        )
    return revoked.rowcount > 0
