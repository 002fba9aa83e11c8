"""A click in a mail says to a site of ours who comes; to nobody else, not for long, and of one visitor."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.event import Event
from tabiji.channels.email.links import VISIT, VISIT_COUNTS_FOR, Links
from tests.api.conftest import Door
from tests.api.test_mails import mailed, path_of

LINKS = Links("s" * 32, "https://mail.example.com")
THEN = datetime.fromisoformat("2026-11-22T09:00:00+09:00")
PAGE = "https://www.example.com/料金?plan=b%20c#年額"


async def token_of(door: Door, url: str = PAGE, message: str = "m1") -> str | None:
    """What a reader's browser has in its address bar after a click."""
    answer = await door.nobody.get(path_of(door.parts.links.click(message, url)))
    assert answer.status_code == 302
    (token,) = parse_qs(urlsplit(answer.headers["location"]).query).get(VISIT, [None])
    return token


async def came(door: Door, token: str | None, anonymous_id: object = "a-1") -> int:
    """The script says who has come. Returns the status."""
    body = json.dumps({"token": token, "anonymousId": anonymous_id})
    answer = await door.nobody.post("/t/visit", content=body, headers={"Content-Type": "text/plain;charset=UTF-8"})
    return answer.status_code


async def looked(door: Door, anonymous_id: str, path: str) -> None:
    sent = await door.full.post("/v1/page", json={"anonymousId": anonymous_id, "properties": {"path": path}})
    assert sent.status_code == 200, sent.text


async def pages_of(door: Door, **identity: str) -> list[str]:
    contact = (await door.contact(**identity))["id"]
    return [
        str(event.properties["path"])
        for event in await door.all(Event)
        if event.kind == "page" and str(event.contact_id) == contact
    ]


async def recognized(door: Door) -> list[dict[str, Any]]:
    return [event.properties for event in await door.all(Event) if event.name == "Visitor Recognized"]


async def test_a_visit_belongs_to_whom_the_mail_went_to(door: Door) -> None:
    await mailed(door)
    await looked(door, "a-1", "/before")

    assert await came(door, await token_of(door)) == 204
    await looked(door, "a-1", "/pricing")

    assert await pages_of(door, user_id="u1") == ["/before", "/pricing"]
    assert await recognized(door) == [{"template": "whitepaper/welcome", "message": "m1"}]


async def test_the_link_leads_where_it_led_and_says_one_thing_more(sqlite_door: Door) -> None:
    await mailed(sqlite_door)
    answer = await sqlite_door.nobody.get(path_of(sqlite_door.parts.links.click("m1", PAGE)))

    page, _, place = answer.headers["location"].partition("#")
    before, _, token = page.partition(f"&{VISIT}=")
    assert before == "https://www.example.com/%E6%96%99%E9%87%91?plan=b%20c"
    assert place == "%E5%B9%B4%E9%A1%8D"
    assert token
    clicked = [event.properties["url"] for event in await sqlite_door.all(Event) if event.name == "Email Link Clicked"]
    assert clicked == [PAGE], "what is recorded is the link as it stands in the mail"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "https://www.example.com.evil.example/",
        "https://evil.example/www.example.com",
        "https://shop.example.com/",
        "https://shop.example.com:9443/",
    ],
)
async def test_other_hosts_hear_nothing(sqlite_door: Door, url: str) -> None:
    await mailed(sqlite_door)
    answer = await sqlite_door.nobody.get(path_of(sqlite_door.parts.links.click("m1", url)))
    assert answer.headers["location"] == url


async def test_who_only_asks_where_a_link_leads_is_nobody(sqlite_door: Door) -> None:
    await mailed(sqlite_door)
    answer = await sqlite_door.nobody.head(path_of(sqlite_door.parts.links.click("m1", PAGE)))
    assert VISIT not in answer.headers["location"]


async def test_a_mail_that_was_passed_on_hands_nobody_over(door: Door) -> None:
    await mailed(door)
    await came(door, await token_of(door))
    shared = await token_of(door)

    # A friend follows a link of the same mail, and then the very address Hanako saw.
    assert await came(door, shared, "a-friend") == 204
    assert await came(door, shared, "a-friend") == 204
    await looked(door, "a-friend", "/gossip")

    assert await pages_of(door, user_id="u1") == []
    assert len(await recognized(door)) == 1
    # Her own next click, by the same mail and the same browser, is hers as before.
    assert await came(door, await token_of(door)) == 204
    await looked(door, "a-1", "/pricing")
    assert await pages_of(door, user_id="u1") == ["/pricing"]


@pytest.mark.parametrize("known", [{"userId": "u2"}, {"traits": {"email": "taro@example.com"}}])
async def test_who_is_known_stays_who_they_are(door: Door, known: dict[str, Any]) -> None:
    await mailed(door)
    await door.full.post("/v1/identify", json={"anonymousId": "a-taro", **known})

    await came(door, await token_of(door), "a-taro")
    await looked(door, "a-taro", "/gossip")

    assert await pages_of(door, user_id="u1") == []
    assert await recognized(door) == []
    # And the mail still has a visitor to hand over.
    await came(door, await token_of(door), "a-1")
    assert len(await recognized(door)) == 1


async def test_a_visit_that_is_told_twice_counts_once(sqlite_door: Door) -> None:
    await mailed(sqlite_door)
    token = await token_of(sqlite_door)
    assert [await came(sqlite_door, token) for _ in range(3)] == [204] * 3
    assert len(await recognized(sqlite_door)) == 1


async def test_tokens_that_are_none_or_of_a_mail_that_is_gone_do_nothing(sqlite_door: Door) -> None:
    await mailed(sqlite_door)
    other = sqlite_door.parts.links.click("m1", PAGE).rsplit("/", 1)[1]
    for token in ("x", "", other, await token_of(sqlite_door, message="gone")):
        assert await came(sqlite_door, token) == 204
    assert await recognized(sqlite_door) == []


@pytest.mark.parametrize("anonymous_id", [None, 7, "", " ", "x" * 257, "a\x00b"])
async def test_a_visitor_needs_an_id(sqlite_door: Door, anonymous_id: object) -> None:
    await mailed(sqlite_door)
    assert await came(sqlite_door, await token_of(sqlite_door), anonymous_id) == 400


@given(age=st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=400)))
def test_a_token_is_good_for_minutes(age: timedelta) -> None:
    token = urlsplit(LINKS.visit("m1", "https://www.example.com/", at=THEN)).query.removeprefix(f"{VISIT}=")
    found = LINKS.read_visit(token, now=THEN + age)
    assert found == ("m1" if timedelta(0) <= age <= VISIT_COUNTS_FOR else None)


@given(st.text(max_size=60))
def test_nonsense_is_no_visit(text: str) -> None:
    assert LINKS.read_visit(text, now=THEN) is None
