"""The API and the commands over it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from models.database import Database
from models.message import Message
from tests.api.conftest import Door, opened, settings_for
from tests.broadcasts.hall import LIST, addresses, crowd

SALE = {"name": "sale", "template": "whitepaper/welcome", "list": LIST}


@pytest.fixture
async def door(sqlite: Database, tmp_path: Path) -> AsyncGenerator[Door]:
    async with opened(sqlite, settings_for(sqlite, tmp_path, quiet_hours=None)) as made:
        yield made


async def made(door: Door, **more: Any) -> dict[str, Any]:
    answer = await door.full.post("/v1/broadcasts", json=SALE | more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def told(door: Door, one: dict[str, Any], what: str) -> dict[str, Any]:
    answer = await door.full.post(f"/v1/broadcasts/{one['id']}/{what}", json={} if what == "pause" else None)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_broadcast_is_made_paused_resumed_and_cancelled(door: Door) -> None:
    one = await made(door, rate=20)
    assert (one["state"], one["paused"], one["total"], one["rate"]) == ("scheduled", False, None, 20)
    assert (await told(door, one, "pause"))["paused"]
    assert not (await told(door, one, "resume"))["paused"]
    assert (await told(door, one, "cancel"))["state"] == "cancelled"
    again = await door.full.post(f"/v1/broadcasts/{one['id']}/cancel")
    assert again.status_code == 409
    listed = (await door.full.get("/v1/broadcasts")).json()["broadcasts"]
    assert [found["id"] for found in listed] == [one["id"]]


async def test_people_are_named_in_a_draft_and_who_is_not_known_is_said(door: Door) -> None:
    first, second, _ = await crowd(door.parts.database, addresses(3))
    one = await made(door, list=None, people=True)
    assert one["state"] == "draft"
    named = [
        {"contact_id": str(first)},
        {"contact_id": str(second)},
        {"contact_id": str(first)},
        {"email": "no@example.jp"},
    ]
    path = f"/v1/broadcasts/{one['id']}"
    answer = (await door.full.post(f"{path}/people", json={"people": named})).json()
    assert answer["added"] == 2
    assert [found["email"] for found in answer["unknown"]] == ["no@example.jp"]
    preview = (await door.full.get(f"{path}/preview")).json()
    assert preview == {"recipients": 2, "would_get": 2, "later": {}, "refused": {}}
    assert (await told(door, one, "start"))["state"] == "scheduled"
    late = await door.full.post(f"{path}/people", json={"people": named})
    assert late.status_code == 409


async def test_a_preview_says_who_would_get_it_and_why_the_others_not(door: Door) -> None:
    await crowd(door.parts.database, addresses(4))
    await crowd(door.parts.database, ["no@example.jp"], consent=False)
    await crowd(door.parts.database, [None, "花子@example.jp"])
    answer = await door.full.post("/v1/broadcasts/preview", json=SALE)
    assert answer.json() == {
        "recipients": 7,
        "would_get": 4,
        "later": {},
        "refused": {"no_consent": 1, "no_address": 1, "invalid_address": 1},
    }
    assert await door.rows(Message) == 0


@pytest.mark.parametrize(
    ("more", "status", "says"),
    [
        ({"template": "no/such"}, 422, "no file email/no/such.html"),
        ({"template": "../../secret"}, 422, "no file"),
        ({"tag": "vip"}, 409, "One of them"),
        ({"list": None}, 409, "say to whom"),
        ({"list": None, "segment": "vip"}, 409, "segment"),
        ({"at": "2030-01-01T09:00:00Z", "local_at": "2030-01-01T09:00"}, 409, "not both"),
        ({"local_at": "2030-01-01T09:00:00Z"}, 422, "local_at"),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_what_to_do(
    door: Door, more: dict[str, Any], status: int, says: str
) -> None:
    answer = await door.full.post("/v1/broadcasts", json=SALE | more)
    assert answer.status_code == status, answer.text
    assert says in answer.text


async def test_an_unknown_one_is_not_found_and_a_reader_changes_nothing(door: Door) -> None:
    assert (await door.full.get(f"/v1/broadcasts/{UUID(int=1)}")).status_code == 404
    assert (await door.ingest.post("/v1/broadcasts", json=SALE)).status_code == 403
