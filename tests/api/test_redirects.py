"""Whoever shows somebody a link of ours leads them to pages of ours, or to where a mail we sent has led."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest

from models.database import Database
from tabiji.channels.email.links import Links
from tests.api.conftest import SECRET, Door
from tests.api.test_keys import KEYLESS, every_route

EVIL = "https://evil.example/"
NAMES = (
    "next",
    "redirect",
    "redirect_uri",
    "redirect_to",
    "return_to",
    "return",
    "url",
    "to",
    "u",
    "target",
    "done",
    "file",
)
HEADERS = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Original-URL": EVIL, "Referer": EVIL}


@pytest.fixture
def database(sqlite: Database) -> Database:
    """Where a link leads does not depend on the database."""
    return sqlite


def leads_away(answer: httpx2.Response) -> bool:
    location = answer.headers.get("location")
    if location is None:
        return False
    return urlsplit(urljoin(str(answer.request.url), location)).hostname != "tabiji.example"


async def test_no_parameter_and_no_header_of_a_request_leads_anybody_away(door: Door) -> None:
    for method, path in every_route(door) & KEYLESS:
        for value in (EVIL, "//evil.example", "\\\\evil.example", "javascript:alert(1)"):
            for filled in (re.sub(r"\{[^}]+\}", "whitepaper", path), re.sub(r"\{[^}]+\}", "%2F%2Fevil.example", path)):
                sent = dict.fromkeys(NAMES, value) | {"email": "a@example.com", "consent": "yes"}
                answer = await door.nobody.request(
                    method,
                    filled,
                    params=dict.fromkeys(NAMES, value),
                    headers=HEADERS,
                    data=sent if method == "POST" else None,
                )
                assert not leads_away(answer), (method, filled, answer.headers["location"])
                assert answer.status_code != 500, (method, filled)


async def test_slashes_before_a_path_lead_nowhere(door: Door) -> None:
    for path in (
        "//evil.example",
        "//evil.example/",
        "/%2Fevil.example/f/whitepaper",
        "/f/whitepaper/",
        "/\\evil.example",
    ):
        for client in (door.nobody, door.full):
            assert not leads_away(await client.get(f"http://tabiji.example{path}")), path


async def test_a_click_link_is_followed_only_as_it_was_signed_and_for_what_it_was_signed(door: Door) -> None:
    good = Links(SECRET, "http://tabiji.example").click("m-1", EVIL)
    stranger = Links("x" * 32, "http://tabiji.example")
    mails = Links(SECRET, "http://tabiji.example")
    token = good.rpartition("/")[2]

    assert leads_away(await door.nobody.get(good)), "a mail of ours led there"
    forged = [token[:-1] + ("A" if token[-1] != "A" else "B"), token[1:], token + "x", token[:40]]
    forged += [stranger.click("m-1", EVIL).rpartition("/")[2], mails.open("m-1").rpartition("/")[2]]
    for one in forged:
        answer = await door.nobody.get(f"/c/{one}")
        assert (answer.status_code, answer.headers.get("location")) == (404, None), one


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "//evil.example", "data:text/html,x", "ftp://x", "evil.example"]
)
def test_only_web_addresses_are_signed(target: str) -> None:
    with pytest.raises(ValueError, match="http"):
        Links(SECRET, "http://tabiji.example").click("m-1", target)
