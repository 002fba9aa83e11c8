"""`group` makes an account and a membership; what is known of it is what was said last, whenever it came in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from models.account import Account, AccountMember
from models.database import Database
from models.incoming import GroupSaid, Incoming
from tests.api.conftest import Door
from tests.identity.world import NOON
from tests.road.parts import Road, did


def _group(account: str, *, at: datetime = NOON, traits: dict[str, Any] | None = None, **fields: Any) -> Incoming:
    return replace(did("Group", group=GroupSaid(account, traits or {}), **fields), at=at, kind="group")


async def test_an_account_knows_what_was_said_last_whenever_it_came_in(database: Database) -> None:
    road = Road(database)
    late = _group("acme", user_id="u1", at=NOON - timedelta(days=1), traits={"plan": "free", "city": "Osaka"})
    await road.recorder.record([_group("acme", user_id="u2", traits={"plan": "pro", "seats": None})])
    await road.recorder.record([late])
    await road.recorder.record([late])

    [account] = await road.rows(Account)
    assert account.attributes == {"plan": "pro", "city": "Osaka"}
    assert [row.identity for row in await road.rows(AccountMember)] == ["user:u1", "user:u2"]


async def test_membership_follows_whom_it_is_of(database: Database) -> None:
    road = Road(database)
    await road.recorder.record([_group("acme", anonymous_id="v")])
    [known] = await road.recorder.record([did("Identify", user_id="u", anonymous_id="v")])
    await road.recorder.record([_group("acme", user_id="u")])
    assert {row.contact_id for row in await road.rows(AccountMember)} == {known.contact_id}


async def test_the_api_shows_an_account_and_who_belongs_to_it(door: Door) -> None:
    for user in ("u1", "u2", "u3"):
        body = {"userId": user, "groupId": "acme/tokyo", "traits": {"name": "Acme"}}
        assert (await door.full.post("/v1/group", json=body)).status_code == 200

    first = (await door.full.get("/v1/accounts/acme/tokyo", params={"limit": 2})).json()
    rest = (await door.full.get("/v1/accounts/acme/tokyo", params={"limit": 2, "after": first["next"]})).json()

    assert (first["id"], first["attributes"], first["contacts"]) == ("acme/tokyo", {"name": "Acme"}, 3)
    assert len(first["members"] + rest["members"]) == 3
    assert rest["next"] is None
    assert (await door.contact(user_id="u1"))["accounts"] == ["acme/tokyo"]
    missing = await door.full.get("/v1/accounts/emca")
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown_account")
