"""A browser key stands in the source of pages: whoever takes it can say what a visitor does, and nothing else."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import pytest

from api import limits
from models.database import Database
from models.enrollment import Enrollment
from models.event import Event
from models.keys import create_key
from tabiji.domain.facts import NAMES as FACTS
from tabiji.domain.facts import NOTED
from tabiji.domain.user_hash import user_hash, user_secret
from tests.api.conftest import SECRET, Door

PAGE = "https://shop.example.com"


@pytest.fixture
def database(sqlite: Database) -> Database:
    """What a key may do does not depend on the database."""
    return sqlite


@pytest.fixture
async def browser(door: Door) -> AsyncGenerator[httpx2.AsyncClient]:
    key = await create_key(door.parts.database, "page", "browser", [PAGE])
    transport = httpx2.ASGITransport(app=door.app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {key}", "Origin": PAGE}
    async with httpx2.AsyncClient(transport=transport, base_url="http://tabiji.example", headers=headers) as client:
        yield client


def signed(user: str) -> dict[str, Any]:
    return {"tabiji": {"userHash": user_hash(user_secret(SECRET, "page"), user)}}


async def identify(client: httpx2.AsyncClient, who: str, email: str, **more: Any) -> None:
    answer = await client.post("/v1/identify", json={"userId": who, "traits": {"email": email}, **more})
    assert answer.status_code == 200, answer.text


async def test_it_is_refused_from_pages_it_is_not_for(browser: httpx2.AsyncClient) -> None:
    body = {"anonymousId": "a", "event": "X"}

    assert (await browser.post("/v1/track", json=body)).status_code == 200
    for origin in ("https://evil.example.com", "https://shop.example.com.evil.example", "null", ""):
        answer = await browser.post("/v1/track", json=body, headers={"Origin": origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_what_tabiji_records_itself_it_cannot_send(browser: httpx2.AsyncClient) -> None:
    for fact in FACTS | NOTED:
        assert (await browser.post("/v1/track", json={"userId": "u", "event": fact})).status_code == 403, fact


async def test_a_batch_of_what_it_may_not_is_refused_item_by_item(door: Door, browser: httpx2.AsyncClient) -> None:
    items: list[dict[str, Any]] = [
        {"type": "track", "anonymousId": "a", "event": "Fine"},
        {"type": "alias", "userId": "u", "previousId": "v"},
        {"type": "group", "userId": "u", "groupId": "g"},
        {"type": "track", "userId": "u", "event": min(FACTS)},
        {"type": "track", "userId": "u", "event": "X", "context": {"tabiji": {"tempo": 9}}},
    ]

    answer = (await browser.post("/v1/batch", json={"batch": items})).json()

    assert (answer["accepted"], [one["index"] for one in answer["rejected"]]) == (1, [1, 2, 3, 4])
    assert await door.rows(Event) == 1


async def test_it_changes_nobodys_known_address(door: Door, browser: httpx2.AsyncClient) -> None:
    await identify(door.ingest, "u1", "hanako@example.com")

    await identify(browser, "u1", "thief@example.com")

    assert (await door.contact(user_id="u1"))["email"] == "hanako@example.com"


async def test_it_takes_over_no_address_that_leads_to_somebody_else(door: Door, browser: httpx2.AsyncClient) -> None:
    await identify(door.ingest, "u1", "hanako@example.com")

    await identify(browser, "thief", "hanako@example.com", anonymousId="a-thief")
    await browser.post("/v1/track", json={"anonymousId": "a-thief", "event": "X"})

    assert (await door.contact(email="hanako@example.com"))["id"] == (await door.contact(user_id="u1"))["id"]
    assert (await door.contact(user_id="thief"))["id"] != (await door.contact(user_id="u1"))["id"]


async def test_with_the_servers_signature_a_known_user_gets_their_new_address(
    door: Door, browser: httpx2.AsyncClient
) -> None:
    await identify(door.ingest, "u1", "hanako@example.com")

    await identify(browser, "u1", "new@example.com", context=signed("u1"))

    assert (await door.contact(user_id="u1"))["email"] == "new@example.com"


@pytest.mark.parametrize("forged", [signed("u2"), {"tabiji": {"userHash": ""}}, {"tabiji": {"userHash": "0" * 64}}])
async def test_a_signature_of_another_user_or_none_proves_nothing(
    door: Door, browser: httpx2.AsyncClient, forged: dict[str, Any]
) -> None:
    await identify(door.ingest, "u1", "hanako@example.com")

    await identify(browser, "u1", "thief@example.com", context=forged)

    assert (await door.contact(user_id="u1"))["email"] == "hanako@example.com"


async def test_with_a_guessed_message_id_it_keeps_out_nothing_that_a_server_sends(
    door: Door, browser: httpx2.AsyncClient
) -> None:
    order = {"userId": "u1", "event": "Order Completed", "messageId": "order-17"}
    await browser.post("/v1/track", json={"anonymousId": "thief", "event": "X", "messageId": "order-17"})

    await door.ingest.post("/v1/track", json=order)

    assert sorted(row.name for row in await door.all(Event) if row.name in ("X", "Order Completed")) == [
        "Order Completed",
        "X",
    ]


async def test_what_it_sends_enters_no_journey_by_name_and_gives_no_consent(
    door: Door, browser: httpx2.AsyncClient
) -> None:
    await identify(door.ingest, "u1", "hanako@example.com")
    contact = (await door.contact(user_id="u1"))["id"]

    entered = await browser.post("/v1/journeys/whitepaper-nurture/enrollments", json={"user_id": "u1"})
    agreed = await browser.post(f"/v1/contacts/{contact}/consents", json={"topic": "marketing", "given": True})

    assert (entered.status_code, agreed.status_code) == (403, 403)
    assert await door.rows(Enrollment) == 0


async def test_who_tries_keys_is_stopped_before_the_database_is_asked(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HELD", 0)
    assert (await door.full.get("/v1/journeys")).status_code == 200
    door.app.state.parts = dataclasses.replace(door.parts, limits=limits.Limits(address_rate=1))

    async def tried(number: int) -> int:
        header = {"Authorization": "Bearer tbj_" + f"{number:043d}"}
        return (await door.nobody.get("/v1/journeys", headers=header)).status_code

    found = await asyncio.gather(*(tried(number) for number in range(50)))

    assert set(found) == {401, 429}
    assert (await door.full.get("/v1/journeys")).status_code == 200  # a key that was good once is not a stranger


async def test_a_form_asked_for_without_end_meets_a_limit_and_health_and_links_in_mails_do_not(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HELD", 0)
    door.app.state.parts = dataclasses.replace(door.parts, limits=limits.Limits(address_rate=1))
    found = await asyncio.gather(*(door.nobody.get("/f/nonsense") for _ in range(20)))

    assert {answer.status_code for answer in found} == {404, 429}
    refused = next(answer for answer in found if answer.status_code == 429)
    assert re.fullmatch("[1-9]", refused.headers["retry-after"])
    assert (refused.json()["code"], refused.headers["content-type"]) == ("too_many", "application/problem+json")
    for path, status in (("/healthz", 200), ("/o/x.gif", 200), ("/c/nonsense", 404), ("/u/nonsense", 404)):
        assert {(await door.nobody.get(path)).status_code for _ in range(20)} == {status}, path
