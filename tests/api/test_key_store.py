from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.known_keys import KnownKeys
from models.database import Database, table
from models.key import ApiKey
from models.keys import create_key, find_key, key_named, list_keys, revoke_key, rotate_key
from tabiji.errors import ConfigurationError


async def test_a_key_is_shown_once_and_kept_as_a_hash(database: Database) -> None:
    key = await create_key(database, "web", "write")

    assert re.fullmatch(r"tbj_[A-Za-z0-9_-]{43}", key)
    async with database.read() as tx:
        row: Any = (await tx.execute(table(ApiKey).select())).one()
    assert key not in str(tuple(row))
    found = await find_key(database, key)
    assert found is not None
    assert (found.name, found.scope) == ("web", "write")
    assert [one.name for one in await list_keys(database)] == ["web"]


async def test_two_keys_cannot_share_a_name(database: Database) -> None:
    await create_key(database, "web", "write")

    with pytest.raises(ConfigurationError, match="'web'"):
        await create_key(database, "web", "admin")


async def test_a_rotated_key_keeps_scope_and_origins_and_the_old_one_is_good_for_the_grace(database: Database) -> None:
    old = await create_key(database, "page", "browser", ["https://Shop.example.com/"])

    new = await rotate_key(database, "page", timedelta(hours=24))

    before, after = await find_key(database, old), await find_key(database, new)
    assert before is not None
    assert after is not None
    assert (after.scope, after.origins, after.until) == ("browser", ("https://shop.example.com",), None)
    assert before.until is not None
    assert timedelta(hours=23) < before.until - datetime.now(UTC) < timedelta(hours=25)
    assert [one.name for one in await list_keys(database)] == ["page", "page"]


async def test_without_grace_the_old_key_is_refused_at_once(database: Database) -> None:
    old = await create_key(database, "web", "write")

    new = await rotate_key(database, "web", timedelta(0))

    assert await find_key(database, old) is None
    assert await find_key(database, new) is not None


async def test_revoking_a_name_refuses_the_key_it_replaced_too_and_it_cannot_be_rotated(database: Database) -> None:
    old = await create_key(database, "web", "write")
    new = await rotate_key(database, "web", timedelta(hours=1))

    assert await revoke_key(database, "web")

    assert [await find_key(database, one) for one in (old, new)] == [None, None]
    assert await key_named(database, "web") is None
    with pytest.raises(ConfigurationError, match="no key called 'web' is in force"):
        await rotate_key(database, "web", timedelta(hours=1))


async def test_the_day_a_key_was_last_used_is_written_once_a_day(database: Database) -> None:
    key, known = await create_key(database, "web", "write"), KnownKeys()
    assert [one.used_on for one in await list_keys(database)] == [None]

    await known.find(database, key)
    await known.write(database)

    assert [one.used_on for one in await list_keys(database)] == [datetime.now(UTC).date()]
    again = KnownKeys()
    await again.find(database, key)
    assert not again.unwritten


@pytest.mark.parametrize("origin", ["shop.example.com", "https://", "https://a.example/path", "https://*", "null"])
async def test_an_origin_is_scheme_and_host(sqlite: Database, origin: str) -> None:
    with pytest.raises(ConfigurationError, match="origin of a page"):
        await create_key(sqlite, "page", "browser", [origin])


async def test_origins_are_for_browser_keys(sqlite: Database) -> None:
    with pytest.raises(ConfigurationError, match="scope browser"):
        await create_key(sqlite, "server", "write", ["https://shop.example.com"])
