"""Makes, finds, rotates and revokes access keys. A key is shown once; only its hash is kept."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import AnyRow, Database, insert, table
from models.key import ApiKey, Scope
from tabiji.errors import ConfigurationError

PREFIX = "tbj_"
_KEY = re.compile(r"tbj_[A-Za-z0-9_-]{43}")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")


@dataclass(frozen=True)
class Key:
    """A key as people may see it: everything but the key.

    Attributes:
        origins: Of the pages it may be shown from; empty: any.
        until: When it stops, because a newer one of the name has taken its place.
        used_on: The last day it was shown, UTC.
    """

    name: str
    scope: Scope
    recorded_at: datetime
    revoked_at: datetime | None = None
    origins: tuple[str, ...] = ()
    until: datetime | None = None
    used_on: date | None = None


def digest(key: str) -> str:
    """What is stored of a key. It has 256 random bits, so that no slow hash is needed."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def looks_like_a_key(text: str) -> bool:
    """Whether it has a key's form, so that asking the database makes sense."""
    return _KEY.fullmatch(text) is not None


async def create_key(database: Database, name: str, scope: Scope, origins: Sequence[str] = ()) -> str:
    """Make a key and return it. It cannot be shown again.

    Args:
        database: Where it is kept.
        name: Says who uses it.
        scope: What it may do.
        origins: Of a browser key: the pages it may be shown from, e.g. https://shop.example.com; none: any.

    Raises:
        ConfigurationError: A key of that name is there already, revoked or not; the name is empty, or an origin none.
    """
    if not name.strip() or len(name) > 100:
        raise ConfigurationError("a key needs a name of 1 to 100 characters that says who uses it, e.g. 'web shop'.")
    pages = [_origin(one) for one in origins]
    if pages and scope != "browser":
        raise ConfigurationError(f"origins are for keys of scope browser; {name!r} is to have scope {scope}.")
    async with database.write() as tx:
        key = await _add(tx, database, name, scope, pages)
    if key is None:
        raise ConfigurationError(
            f"a key called {name!r} is there already. Choose another name, or `tabiji key rotate` this one."
        )
    return key


async def rotate_key(database: Database, name: str, grace: timedelta) -> str:
    """Make a new key of a name and return it. What it may do stays; the old one is good until the grace is over.

    Raises:
        ConfigurationError: No key of that name is in force.
    """
    keys = table(ApiKey)
    async with database.write() as tx:
        query = select(keys).where(keys.c.name == name, keys.c.until.is_(None), keys.c.revoked_at.is_(None))
        old = (await tx.execute(query.with_for_update())).one_or_none()
        if old is None:
            raise ConfigurationError(f"no key called {name!r} is in force. `tabiji key list` shows them.")
        until = await database.now(tx) + grace
        await tx.execute(update(keys).where(keys.c.hash == old.hash).values(until=until))
        key = await _add(tx, database, name, old.scope, old.origins)
        if key is None:
            raise ConfigurationError(f"somebody else has just rotated {name!r}. `tabiji key list` shows it.")
    return key


async def find_key(database: Database, key: str) -> Key | None:
    """The key somebody shows, unless it is unknown, revoked or replaced for longer than its grace."""
    if not looks_like_a_key(key):
        return None
    keys = table(ApiKey)
    async with database.read() as tx:
        row = (await tx.execute(select(keys).where(keys.c.hash == digest(key)))).one_or_none()
        if row is None or row.revoked_at is not None:
            return None
        if row.until is not None and row.until <= await database.now(tx):
            return None
    return _key(row)


async def key_named(database: Database, name: str) -> Key | None:
    """The newest key of a name, unless it is revoked."""
    keys = table(ApiKey)
    query = select(keys).where(keys.c.name == name, keys.c.until.is_(None), keys.c.revoked_at.is_(None))
    async with database.read() as tx:
        row = (await tx.execute(query)).one_or_none()
    return None if row is None else _key(row)


async def list_keys(database: Database) -> list[Key]:
    """All keys, revoked and replaced ones too, oldest first."""
    keys = table(ApiKey)
    async with database.read() as tx:
        rows = (await tx.execute(select(keys).order_by(keys.c.recorded_at, keys.c.name))).all()
    return [_key(row) for row in rows]


async def revoke_key(database: Database, name: str) -> bool:
    """Refuse every key of a name from now on. False when none was in force.

    API processes remember a key they have seen for a few seconds.
    """
    keys = table(ApiKey)
    async with database.write() as tx:
        now = await database.now(tx)
        in_force = keys.c.until.is_(None) | (keys.c.until > now)
        revoked = await tx.execute(
            update(keys).where(keys.c.name == name, keys.c.revoked_at.is_(None), in_force).values(revoked_at=now)
        )
    return revoked.rowcount > 0


async def note_use(database: Database, hashes: Sequence[str]) -> None:
    """Write down that these keys were shown today.

    Raises:
        DatabaseDown: It is not written.
    """
    keys = table(ApiKey)
    async with database.write() as tx:
        today = (await database.now(tx)).date()
        await tx.execute(update(keys).where(keys.c.hash.in_(hashes)).values(used_on=today))


async def _add(tx: AsyncConnection, database: Database, name: str, scope: str, origins: Sequence[str]) -> str | None:
    key = PREFIX + secrets.token_urlsafe(32)
    values: dict[str, Any] = {"hash": digest(key), "name": name, "scope": scope, "origins": list(origins)}
    values["recorded_at"] = await database.now(tx)
    statement = insert(tx, ApiKey).values(**values).on_conflict_do_nothing()
    return key if (await tx.execute(statement)).rowcount else None


def _key(row: AnyRow) -> Key:
    scope = cast("Scope", row.scope)
    return Key(row.name, scope, row.recorded_at, row.revoked_at, tuple(row.origins), row.until, row.used_on)


def _origin(text: str) -> str:
    origin = text.strip().lower().rstrip("/")
    if not _ORIGIN.fullmatch(origin):
        raise ConfigurationError(
            f"{text!r} is not the origin of a page. Say scheme and host, e.g. https://shop.example.com."
        )
    return origin
