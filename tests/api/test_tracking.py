from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from models.contact import Contact, Identity
from models.enrollment import Dispatch
from models.event import Event
from tests.api.conftest import Door


async def test_an_identify_a_track_and_a_page_are_one_contacts_history(door: Door) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("/v1/page", {"anonymousId": "a1", "name": "Pricing", "properties": {"path": "/pricing", "title": None}}),
        (
            "/v1/identify",
            {"userId": "u1", "anonymousId": "a1", "traits": {"email": "Hanako@Example.com", "first_name": "花子"}},
        ),
        ("/v1/track", {"userId": "u1", "event": "資料請求", "properties": {"会社": "例株式会社", "n": 3}}),
    ]
    for path, body in calls:
        answer = await door.ingest.post(path, json=body)
        assert (answer.status_code, answer.json()) == (200, {"success": True})

    contact = await door.contact(email="HANAKO@example.com")

    assert contact["email"] == "hanako@example.com"
    assert contact["attributes"] == {"first_name": "花子"}
    events = [entry for entry in contact["timeline"] if entry["kind"] == "event"]
    assert [entry["name"] for entry in events] == ["資料請求", "Identified", "Page Viewed"]
    assert events[0]["properties"] == {"会社": "例株式会社", "n": 3}
    assert events[2]["properties"] == {"path": "/pricing", "name": "Pricing"}


async def test_a_second_copy_of_a_message_is_accepted_and_stored_once(door: Door) -> None:
    body = {"userId": "u1", "event": "Order Completed", "messageId": "m1"}

    answers = [await door.ingest.post("/v1/track", json=body) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {200}
    assert await door.rows(Event) == 1


async def test_traits_in_the_context_count_and_the_bodys_own_win(door: Door) -> None:
    await door.ingest.post(
        "/v1/identify",
        json={
            "userId": "u1",
            "traits": {"plan": "pro", "city": None},
            "context": {
                "traits": {"plan": "free", "city": "大阪", "email": "a@example.com"},
                "timezone": "Asia/Tokyo",
                "locale": "ja-JP",
                "ip": "192.0.2.1",
                "campaign": {"source": "fair"},
            },
        },
    )

    contact = await door.contact(user_id="u1")

    assert contact["attributes"] == {"plan": "pro", "city": "大阪"}
    assert (contact["email"], contact["timezone"], contact["locale"]) == ("a@example.com", "Asia/Tokyo", "ja-JP")
    event, *changes = await door.all(Event)
    assert {change.name for change in changes} == {"Attribute Changed"}
    assert event.context == {"campaign": {"source": "fair"}, "timezone": "Asia/Tokyo", "locale": "ja-JP"}


async def test_what_happened_earlier_keeps_its_own_time_by_the_age_the_client_saw(door: Door) -> None:
    """The client's clock is years off; only the hour between the two instants is believed."""
    await door.ingest.post(
        "/v1/track",
        json={
            "userId": "u1",
            "event": "Visited",
            "timestamp": "2021-05-01T08:00:00Z",
            "sentAt": "2021-05-01T18:00:00+09:00",
        },
    )

    (event,) = await door.all(Event)
    assert 3595 < (event.recorded_at - event.at).total_seconds() < 3660


async def test_what_a_client_says_will_happen_has_happened_now(door: Door) -> None:
    await door.ingest.post("/v1/track", json={"userId": "u1", "event": "V", "timestamp": "2099-01-01T00:00:00Z"})

    (event,) = await door.all(Event)
    assert abs((event.recorded_at - event.at).total_seconds()) < 60


async def test_only_a_full_key_makes_test_contacts(door: Door) -> None:
    body = {"userId": "u1", "context": {"tabiji": {"tempo": 86400}}}

    refused = await door.ingest.post("/v1/identify", json=body)
    assert refused.status_code == 403
    assert "admin" in refused.json()["detail"]
    assert await door.rows(Contact) == 0

    assert (await door.full.post("/v1/identify", json=body)).status_code == 200
    contact = await door.contact(user_id="u1")
    assert (contact["test"], contact["tempo"]) == (True, 86400)


async def test_an_event_that_starts_a_journey_is_accepted_while_temporal_is_away(door: Door) -> None:
    answer = await door.ingest.post(
        "/v1/track", json={"userId": "u1", "event": "Form Submitted", "properties": {"form": "whitepaper"}}
    )

    assert answer.status_code == 200
    (dispatch,) = await door.all(Dispatch)
    assert (dispatch.kind, dispatch.state) == ("start", "pending")


JSON = {"Content-Type": "application/json"}
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("/v1/track", {"event": "X"}, "userId"),
    ("/v1/identify", {"traits": {"first_name": "x"}}, "userId"),
    ("/v1/track", {"userId": None, "anonymousId": None, "event": "X"}, "userId"),
    ("/v1/track", {"userId": "", "event": "X"}, "userId"),
    ("/v1/track", {"userId": "   ", "event": "X"}, "userId"),
    ("/v1/track", {"userId": 7, "event": "X"}, "userId"),
    ("/v1/track", {"userId": "x" * 257, "event": "X"}, "userId"),
    ("/v1/track", {"userId": "u"}, "event"),
    ("/v1/track", {"userId": "u", "event": None}, "event"),
    ("/v1/track", {"userId": "u", "event": ""}, "event"),
    ("/v1/track", {"userId": "u", "event": "旅" * 201}, "event"),
    ("/v1/track", {"userId": "u", "event": "X", "properties": ["a"]}, "properties"),
    ("/v1/track", {"userId": "u", "event": "X", "messageId": "m" * 257}, "messageId"),
    ("/v1/track", {"userId": "u", "event": "X", "timestamp": "yesterday"}, "timestamp"),
    ("/v1/track", {"userId": "u", "event": "X", "timestamp": "2026-01-01T00:00:00"}, "timestamp"),
    ("/v1/track", {"userId": "u", "event": "X", "timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp"),
    ("/v1/track", {"userId": "u", "event": "X", "timestamp": 12345}, "timestamp"),
    ("/v1/identify", {"userId": "u", "traits": {"email": "nobody"}}, "traits.email"),
    ("/v1/identify", {"userId": "u", "traits": {"email": 3}}, "traits.email"),
    ("/v1/identify", {"userId": "u", "traits": {"email": "a@" + "b" * 250 + ".com"}}, "traits.email"),
    ("/v1/identify", {"userId": "u", "context": {"traits": {"email": "x"}}}, "context.traits.email"),
    ("/v1/identify", {"userId": "u", "context": {"timezone": "Asia/Edo"}}, "context.timezone"),
    ("/v1/identify", {"userId": "u", "traits": {"timezone": "../etc/passwd"}}, "traits.timezone"),
    ("/v1/identify", {"userId": "u", "context": {"locale": "x" * 40}}, "context.locale"),
    ("/v1/identify", {"userId": "u", "context": {"tabiji": {"tempo": 0}}}, "context.tabiji.tempo"),
    ("/v1/identify", {"userId": "u", "context": {"tabiji": {"tempo": True}}}, "context.tabiji.tempo"),
    ("/v1/identify", {"userId": "u", "context": {"tabiji": {"tempo": 1e9}}}, "context.tabiji.tempo"),
    ("/v1/page", {"userId": "u", "name": ["a"]}, "name"),
    ("/v1/page", {"userId": "u", "category": "\n"}, "category"),
]


async def test_wrong_input_is_refused_by_the_name_of_its_field_and_stores_nothing(door: Door) -> None:
    for path, body, field in BAD:
        answer = await door.full.post(path, json=body)

        assert answer.status_code == 422, (body, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert field in [error["field"] for error in answer.json()["errors"]], (body, answer.text)
    assert (await door.rows(Event), await door.rows(Contact), await door.rows(Identity)) == (0, 0, 0)


DEEP = "[" * 15000 + "]" * 15000
HOSTILE: list[tuple[bytes, int, str | None]] = [
    (b'{"userId":"u","event":"X","properties":{"n":NaN}}', 422, "properties.n"),
    (b'{"userId":"u","event":"X","properties":{"n":-Infinity}}', 422, "properties.n"),
    (b'{"userId":"u","event":"X","properties":{"n":1e999}}', 422, "properties.n"),
    (b'{"userId":"u","event":"X","properties":{"n":' + b"9" * 5000 + b"}}", 422, "properties.n"),
    (b'{"userId":"u","event":"X","properties":{"n":9223372036854775808}}', 422, "properties.n"),
    (b'{"userId":"u","event":"X\\u0000"}', 422, "event"),
    (b'{"userId":"u","event":"X","properties":{"a\\u0000":1}}', 422, "properties"),
    (b'{"userId":"\\ud800","event":"X"}', 422, "userId"),
    (b'{"userId":"u","event":"X","properties":{"\\udfff":1}}', 422, "properties"),
    (f'{{"userId":"u","event":"X","properties":{{"d":{DEEP}}}}}'.encode(), 422, "body"),
    (
        f'{{"userId":"u","event":"X","properties":{{"d":{"[" * 20}{"]" * 20}}}}}'.encode(),
        422,
        "properties.d" + ".0" * 15,
    ),
    (b"", 422, "body"),
    (b"null", 422, "body"),
    (b"[]", 422, "body"),
    (b'"text"', 422, "body"),
    (b"{", 400, None),
    (b"\xff\xfe{}", 400, None),
    (b'{"userId":"\xed\xa0\x80","event":"X"}', 400, None),
]


async def test_what_a_database_could_not_keep_is_refused_before_it_gets_there(door: Door) -> None:
    for body, status, field in HOSTILE:
        answer = await door.ingest.post("/v1/track", content=body, headers=JSON)

        assert answer.status_code == status, (body[:100], answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        if field is not None:
            assert field in [error["field"] for error in answer.json()["errors"]], (body[:100], answer.text)
    assert await door.rows(Event) == 0


async def test_what_is_not_json_is_told_so(door: Door) -> None:
    for headers in ({"Content-Type": "text/xml"}, {**JSON, "Content-Encoding": "br"}, {"Content-Type": ""}):
        answer = await door.ingest.post("/v1/track", content=b'{"userId":"u","event":"X"}', headers=headers)
        assert answer.status_code == 415, headers
    assert await door.rows(Event) == 0


async def test_a_body_of_more_than_32_kilobytes_is_too_large_announced_or_not(door: Door) -> None:
    body = json.dumps({"userId": "u", "event": "X", "properties": {"a": "b" * 32_768}}).encode()

    async def in_pieces() -> AsyncIterator[bytes]:
        for place in range(0, len(body), 1000):
            yield body[place : place + 1000]

    whole: httpx2.Response = await door.ingest.post("/v1/track", content=body, headers=JSON)
    streamed = await door.ingest.post("/v1/track", content=in_pieces(), headers=JSON)

    assert (whole.status_code, streamed.status_code) == (413, 413)
    assert whole.json()["code"] == "too_large"
    assert await door.rows(Event) == 0


async def test_the_largest_bodies_and_odd_but_true_text_are_kept_as_they_came(door: Door) -> None:
    odd = {
        "emoji": "👩‍👩‍👧",
        "quote": "'; DROP TABLE event; --",
        "html": "<script>",
        "long": "あ" * 9000,
        "empty": "",
        "zero": 0,
    }

    answer = await door.ingest.post("/v1/track", json={"userId": "u", "event": "X", "properties": odd})

    assert answer.status_code == 200, answer.text
    (event,) = await door.all(Event)
    assert event.properties == odd


async def test_an_address_that_is_somebody_elses_is_no_error(door: Door) -> None:
    await door.ingest.post("/v1/identify", json={"userId": "u1", "traits": {"email": "a@example.com"}})
    await door.ingest.post("/v1/identify", json={"userId": "u2", "traits": {"email": "b@example.com"}})

    answer = await door.ingest.post("/v1/identify", json={"userId": "u1", "traits": {"email": "b@example.com"}})

    assert answer.status_code == 200
    assert (await door.contact(email="b@example.com"))["id"] == (await door.contact(user_id="u2"))["id"]
