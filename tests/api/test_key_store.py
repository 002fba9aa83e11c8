from __future__ import annotations

import re
from typing import Any

import pytest

from models.database import Database, table
from models.key import ApiKey
from models.keys import create_key, find_key, list_keys
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
