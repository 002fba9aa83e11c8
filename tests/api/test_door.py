"""What Segment's own clients do beyond plain `track`: compression, pages of any origin, keys in bodies, batches."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from api.ingest.calls import LARGEST_BATCH
from models.database import Database
from models.enrollment import Dispatch
from models.event import Event
from models.incoming import NOBODY
from models.keys import create_key
from tabiji.domain.user_hash import user_hash
from tests.api.conftest import Door

TRACK = {"userId": "u1", "event": "Order Completed", "properties": {"total": 4900}}
WHITEPAPER = {"userId": "u1", "event": "Form Submitted", "properties": {"form": "whitepaper"}}


@pytest.fixture
def database(sqlite: Database) -> Database:
    """How events come in does not depend on the database."""
    return sqlite


async def batch(door: Door, items: list[Any], path: str = "/v1/batch", **more: Any) -> httpx2.Response:
    return await door.ingest.post(path, json={"batch": items, **more})


async def browser(door: Door, *origins: str) -> str:
    return await create_key(door.parts.database, "page", "browser", origins)


# Bodies


async def test_compressed_bodies_are_read(door: Door) -> None:
    plain = json.dumps(TRACK).encode()
    for encoding, body in (
        ("gzip", gzip.compress(plain)),
        ("deflate", zlib.compress(plain)),
        ("deflate", zlib.compress(plain, wbits=-15)),
    ):
        headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
        answer = await door.ingest.post("/v1/track", content=body, headers=headers)
        assert answer.status_code == 200, answer.text

    assert await door.rows(Event) == 3


async def test_what_unpacks_to_more_than_is_allowed_is_not_unpacked(door: Door) -> None:
    bomb = gzip.compress(b" " * 300_000_000, 1)[: 32 * 1024]
    small = gzip.compress(b'{"userId":"u","event":"' + b"x" * 40_000 + b'"}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}

    for body, status in ((bomb, 413), (small, 413), (b"plain", 400), (b"", 400)):
        answer = await door.ingest.post("/v1/track", content=body, headers=headers)
        assert answer.status_code == status, answer.text
    cut = gzip.compress(json.dumps(TRACK).encode())[:-4]
    assert (await door.ingest.post("/v1/track", content=cut, headers=headers)).status_code == 400
    assert await door.rows(Event) == 0


async def test_a_browsers_short_form_in_plain_text_with_the_key_in_the_body_is_answered(door: Door) -> None:
    key = await browser(door)
    body = json.dumps({**TRACK, "type": "track", "writeKey": key, "integrations": {}, "_metadata": {"bundled": []}})

    answer = await door.nobody.post("/v1/t", content=body, headers={"Content-Type": "text/plain;charset=UTF-8"})

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert await door.rows(Event) == 1


async def test_a_page_may_ask_before_it_sends(door: Door) -> None:
    for path, method in (("/v1/t", "POST"), ("/v1/batch", "POST"), ("/v1/projects/tbj_x/settings", "GET")):
        answer = await door.nobody.options(
            path, headers={"Origin": "https://shop.example.com", "Access-Control-Request-Headers": "authorization"}
        )
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "authorization" in answer.headers["access-control-allow-headers"]
        assert answer.headers["access-control-allow-methods"] == method


async def test_refusals_can_be_read_by_pages_and_say_nothing_to_who_has_no_key(door: Door) -> None:
    for content in (b"{", b'{"event":"X"}', b'{"writeKey":"tbj_nothing","event":"X"}', b""):
        answer = await door.nobody.post("/v1/t", content=content, headers={"Content-Type": "text/plain"})
        assert answer.status_code == 401
        assert answer.headers["access-control-allow-origin"] == "*"
    got = await door.ingest.get("/v1/track")
    assert (got.status_code, got.headers["allow"]) == (405, "POST")


async def test_the_browser_client_is_told_where_to_send_and_nothing_else_to_load(door: Door) -> None:
    key = await browser(door)

    answer = await door.nobody.get(f"/v1/projects/{key}/settings", headers={"Origin": "https://shop.example.com"})

    assert answer.status_code == 200
    told = answer.json()
    assert list(told["integrations"]) == ["Segment.io"]
    assert told["integrations"]["Segment.io"]["apiKey"] == key
    assert told["integrations"]["Segment.io"]["apiHost"].endswith("/v1")
    assert told["remotePlugins"] == []
    assert (await door.nobody.get("/v1/projects/tbj_x/settings")).status_code == 401


async def test_a_key_that_must_not_stand_in_a_page_gets_no_settings(door: Door) -> None:
    key = await create_key(door.parts.database, "server", "write")

    answer = await door.nobody.get(f"/v1/projects/{key}/settings")

    assert answer.status_code == 403
    assert "browser" in answer.json()["detail"]


async def test_basic_with_the_key_as_user_name_is_what_servers_send(door: Door) -> None:
    key = await create_key(door.parts.database, "node", "write")
    header = {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}

    answer = await door.nobody.post("/v1/batch", json={"batch": [{"type": "track", **TRACK}]}, headers=header)

    assert answer.json() == {"success": True, "accepted": 1, "rejected": []}


# Calls


async def test_screens_groups_and_aliases_are_readable_events(door: Door) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("screen", {"userId": "u1", "name": "Pricing", "properties": {"tab": 2}}),
        ("group", {"userId": "u1", "groupId": "example-kk", "traits": {"name": "Example K.K.", "employees": 120}}),
        ("alias", {"userId": "u1", "previousId": "guest-7"}),
    ]
    for path, body in calls:
        answer = await door.ingest.post(f"/v1/{path}", json=body)
        assert answer.status_code == 200, answer.text

    events = {event.name: event for event in await door.all(Event) if event.kind in ("screen", "group", "alias")}
    assert events["Screen Viewed"].properties == {"tab": 2, "name": "Pricing"}
    joined = {"group_id": "example-kk", "name": "Example K.K.", "employees": 120}
    assert events["Group Identified"].properties == joined
    assert events["Aliased"].properties == {"previous_id": "guest-7"}
    assert (await door.contact(user_id="u1"))["attributes"] == {}, (
        "what is known of an account is not known of a person"
    )


async def test_a_campaign_becomes_properties_a_journey_can_ask_for(door: Door) -> None:
    campaign = {"name": "spring", "source": "mail", "medium": "cpc", "term": None}
    context = {"campaign": campaign, "userAgent": "Chrome", "page": {"path": "/pricing"}, "ip": "192.0.2.7"}

    await door.ingest.post("/v1/page", json={"userId": "u1", "context": context, "properties": {"utm_medium": "own"}})

    (event,) = await door.all(Event)
    assert event.properties == {
        "path": "/pricing",
        "utm_source": "mail",
        "utm_medium": "own",
        "utm_campaign": "spring",
    }
    assert event.context == {"campaign": campaign, "userAgent": "Chrome", "page": {"path": "/pricing"}}


async def test_a_browser_that_does_not_know_its_zone_is_believed(door: Door) -> None:
    answer = await door.ingest.post("/v1/track", json={**TRACK, "context": {"timezone": "Etc/Unknown"}})

    assert answer.status_code == 200
    assert (await door.contact(user_id="u1"))["timezone"] is None


# Batches


async def test_of_a_batch_what_is_good_is_stored_and_the_rest_is_named(door: Door) -> None:
    answer = await batch(
        door,
        [
            {"type": "track", **TRACK, "messageId": "m0"},
            {"type": "track", "userId": "u1", "messageId": "m1"},
            {"type": "page", "userId": "u2"},
            {"type": "dance", "userId": "u2"},
            {"type": "track", **TRACK, "properties": {"long": "x" * 33_000}, "messageId": "m4"},
            ["no call"],
            {"type": "track", **TRACK, "properties": {"n": 2**63}},
            {"type": "track", "userId": "u\x00", "event": "X"},
            {"type": "identify", "userId": "u1", "traits": {"email": "nobody"}},
        ],
    )

    assert answer.status_code == 200
    told = answer.json()
    assert (told["success"], told["accepted"]) == (True, 2)
    wrong = {one["index"]: [error["field"] for error in one["errors"]] for one in told["rejected"]}
    assert wrong == {
        1: ["event"],
        3: ["type"],
        4: ["body"],
        5: ["body"],
        6: ["properties.n"],
        7: ["userId"],
        8: ["traits.email"],
    }
    assert [one["messageId"] for one in told["rejected"]][:3] == ["m1", None, "m4"]
    assert await door.rows(Event) == 2


async def test_one_number_no_json_has_spoils_one_item_and_not_its_neighbours(door: Door) -> None:
    items = b'{"type":"page","userId":"u1"},{"type":"page","userId":"u2","properties":{"n":NaN}}'

    answer = await door.ingest.post(
        "/v1/batch", content=b'{"batch":[%s]}' % items, headers={"Content-Type": "application/json"}
    )

    assert answer.json()["accepted"] == 1
    assert answer.json()["rejected"][0]["errors"][0]["field"] == "properties.n"


async def test_where_nothing_of_a_batch_is_good_it_is_refused(door: Door) -> None:
    wrong: list[tuple[Any, str]] = [
        ({"batch": [{"type": "track", "userId": "u1"}]}, "batch.0.event"),
        ({"batch": []}, "batch"),
        ({"batch": {}}, "batch"),
        ({}, "batch"),
        ([], "body"),
    ]
    for body, field in wrong:
        answer = await door.ingest.post("/v1/batch", json=body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"] == field, answer.text


async def test_a_batch_of_more_than_500_kilobytes_is_too_large(door: Door) -> None:
    items = [{"type": "track", **TRACK, "properties": {"long": "x" * 30_000}}] * 18

    assert (await batch(door, items)).status_code == 413
    assert (await batch(door, items[:10])).json()["accepted"] == 10
    assert LARGEST_BATCH == 500 * 1024


async def test_what_a_batch_says_for_all_counts_for_each(door: Door) -> None:
    happened, sent = "2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z"
    item = {"type": "track", **TRACK, "timestamp": happened, "context": {"app": {"name": "shop"}}}

    await batch(door, [item], sentAt=sent, context={"timezone": "Asia/Tokyo", "app": {"name": "other"}})

    (event, *_) = await door.all(Event)
    assert event.context == {"app": {"name": "shop"}, "timezone": "Asia/Tokyo"}
    assert 7195 < (event.recorded_at - event.at).total_seconds() < 7260


async def test_a_batch_sent_twice_is_stored_once(door: Door) -> None:
    items = [{"type": "track", **TRACK, "messageId": f"m{number}"} for number in range(50)]

    answers = await asyncio.gather(*(batch(door, items) for _ in range(4)))

    assert {answer.json()["accepted"] for answer in answers} == {50}
    assert await door.rows(Event) == 50


# Imports


async def test_history_is_stored_and_starts_nobody(door: Door) -> None:
    year = datetime.now(UTC) - timedelta(days=365)
    item = {"type": "track", **WHITEPAPER, "timestamp": year.isoformat()}
    person = {"type": "identify", "userId": "u1", "traits": {"plan": "pro"}, "timestamp": year.isoformat()}

    answer = await batch(door, [item, person, {"type": "track", **WHITEPAPER}], "/v1/import")

    assert answer.json()["accepted"] == 2
    assert answer.json()["rejected"][0]["errors"][0]["field"] == "timestamp"
    events = await door.all(Event)
    assert {event.enrollment_id for event in events} == {NOBODY}
    assert {event.name for event in events} == {"Form Submitted", "Identified", "Attribute Changed"}
    assert all(abs((event.at - year).total_seconds()) < 60 for event in events)
    assert (await door.contact(user_id="u1"))["attributes"] == {"plan": "pro"}
    assert await door.rows(Dispatch) == 0


# Keys


async def test_a_page_may_track_and_identify_and_nothing_more(door: Door) -> None:
    header = {"Authorization": f"Bearer {await browser(door)}"}
    for path, status in (("track", 200), ("identify", 200), ("group", 403), ("alias", 403), ("import", 403)):
        body = {**TRACK, "groupId": "g", "previousId": "p", "batch": [{"type": "track", **TRACK}]}
        answer = await door.nobody.post(f"/v1/{path}", json=body, headers=header)
        assert answer.status_code == status, (path, answer.text)
    items = [{"type": kind, **TRACK, "groupId": "g", "previousId": "p"} for kind in ("track", "group", "alias")]
    told = (await door.nobody.post("/v1/b", json={"batch": items}, headers=header)).json()
    assert [one["index"] for one in told["rejected"]] == [1, 2]


async def test_only_an_admin_key_speaks_as_tabiji_itself_in_a_batch_too(door: Door) -> None:
    items = [{"type": "track", "userId": "u", "event": "Tag Added", "properties": {"tag": "vip"}}, {"type": "page"}]
    items += [{"type": "page", "userId": "u", "context": {"tabiji": {"tempo": 60}}}, {"type": "page", "userId": "u"}]

    told = (await batch(door, items)).json()

    assert {one["index"]: one["errors"][0]["field"] for one in told["rejected"]} == {
        0: "event",
        1: "userId",
        2: "context.tabiji.tempo",
    }


async def test_a_page_cannot_make_the_servers_word_a_copy_of_its_own(door: Door) -> None:
    header = {"Authorization": f"Bearer {await browser(door)}"}
    forged = {**TRACK, "messageId": "order-o-17"}
    for _ in range(2):
        await door.nobody.post("/v1/track", json=forged, headers=header)
    await door.nobody.post("/v1/track", json={**TRACK, "messageId": "m" * 256}, headers=header)
    for _ in range(2):
        await door.ingest.post("/v1/track", json=forged)

    assert await door.rows(Event) == 3


async def test_a_page_that_shows_the_sites_signature_of_a_user_is_trusted(door: Door) -> None:
    key = await browser(door)
    await door.ingest.post("/v1/identify", json={"userId": "u1", "traits": {"email": "a@example.com"}})
    secret = door.parts.keys.user_secret(door.parts.settings, "page")
    body = {"userId": "u1", "traits": {"email": "b@example.com"}, "writeKey": key}

    await door.nobody.post("/v1/i", json={**body, "context": {"tabiji": {"userHash": "0" * 64}}})
    assert (await door.contact(user_id="u1"))["email"] == "a@example.com"

    await door.nobody.post("/v1/i", json={**body, "context": {"tabiji": {"userHash": user_hash(secret, "u1")}}})
    assert (await door.contact(user_id="u1"))["email"] == "b@example.com"
