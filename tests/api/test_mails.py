from __future__ import annotations

import uuid
from typing import Any

import pytest

from models.contact import Consent
from models.database import Database
from models.event import Event
from tabiji.errors import DatabaseDown
from tests.api.conftest import Door, with_a_mail

TARGET = "https://example.com/白書?a=1&b=%20#part"
BROKEN = ["x", "x" * 3000, "x.y", "%00", "a b", "こんにちは"]


async def mailed(door: Door) -> uuid.UUID:
    """A contact with one mail, as a worker would have written it."""
    return await with_a_mail(door, {"email": "hanako@example.com"}, template="whitepaper/welcome")


def path_of(link: str) -> str:
    return link.removeprefix("http://127.0.0.1:8000")


async def mail_events(door: Door) -> list[tuple[str, dict[str, Any]]]:
    return [(event.name, event.properties) for event in await door.all(Event) if event.kind == "mail"]


async def test_the_pixel_records_an_opening_and_is_never_cached(door: Door) -> None:
    await mailed(door)
    link = path_of(door.parts.links.open("m1"))

    asked = await door.nobody.head(link)
    answers = [await door.nobody.get(link) for _ in range(2)]

    assert asked.status_code == 200
    for answer in answers:
        assert answer.content.startswith(b"GIF89a")
        assert "no-store" in answer.headers["cache-control"]
    opened = await mail_events(door)
    assert opened[0] == ("Email Opened", {"template": "whitepaper/welcome", "message": "m1"})
    assert len(opened) <= 2, "a program that fetches it over and over counts once a minute"


async def test_a_click_is_recorded_and_leads_on(door: Door) -> None:
    await mailed(door)
    link = path_of(door.parts.links.click("m1", TARGET))

    asked = await door.nobody.head(link)
    assert (asked.status_code, await mail_events(door)) == (302, [])

    answer = await door.nobody.get(link)

    assert answer.status_code == 302
    assert answer.headers["location"] == "https://example.com/%E7%99%BD%E6%9B%B8?a=1&b=%20#part"
    assert answer.headers["referrer-policy"] == "no-referrer"
    expected = {"template": "whitepaper/welcome", "message": "m1", "url": TARGET}
    assert await mail_events(door) == [("Email Link Clicked", expected)]


async def test_a_link_we_did_not_sign_leads_nowhere(door: Door) -> None:
    for token in [*BROKEN, path_of(door.parts.links.open("m1"))[3:-4]]:
        answer = await door.nobody.get(f"/c/{token}")
        assert answer.status_code == 404, token
        assert "location" not in answer.headers
        assert (await door.nobody.get(f"/u/{token}")).status_code == 404
        assert (await door.nobody.post(f"/u/{token}")).status_code == 404
        assert (await door.nobody.get(f"/o/{token}.gif")).content.startswith(b"GIF89a")
    assert await door.rows(Event) == 0


async def test_links_of_a_mail_that_was_erased_still_work_for_the_reader(door: Door) -> None:
    gone = door.parts.links.click("gone", TARGET)

    assert (await door.nobody.get(path_of(gone))).status_code == 302
    assert (await door.nobody.get(path_of(door.parts.links.open("gone")))).status_code == 200
    unsubscribe = door.parts.links.unsubscribe(uuid.uuid4(), "marketing", "gone")
    assert (await door.nobody.post(path_of(unsubscribe))).status_code == 200
    assert await door.rows(Event) == 0


async def test_a_click_leads_on_while_the_database_is_away(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    await mailed(door)
    click, unsubscribe = door.parts.links.click("m1", TARGET), door.parts.links.unsubscribe(uuid.uuid4(), "t", "m1")

    def away(_: Database) -> None:
        raise DatabaseDown("away")

    monkeypatch.setattr(Database, "read", away)

    assert (await door.nobody.get(path_of(click))).status_code == 302
    assert (await door.nobody.get(path_of(door.parts.links.open("m1")))).status_code == 200
    refused = await door.nobody.post(path_of(unsubscribe))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")


@pytest.mark.parametrize("body", [None, {"List-Unsubscribe": "One-Click"}])
async def test_a_look_changes_nothing_and_one_press_takes_consent_back(door: Door, body: dict[str, str] | None) -> None:
    contact = await mailed(door)
    link = path_of(door.parts.links.unsubscribe(contact, "marketing", "m1"))

    looked = await door.nobody.get(link)
    assert looked.status_code == 200
    assert looked.text.count("<button") == 2  # of this topic, of everything
    assert "script" not in looked.text
    assert (await door.rows(Consent), await mail_events(door)) == (0, [])

    pressed = await door.nobody.post(link, data=body)

    assert pressed.status_code == 200
    (consent,) = await door.all(Consent)
    assert (consent.topic, consent.given, consent.source) == ("marketing", False, "unsubscribe-link")
    properties = {"template": "whitepaper/welcome", "message": "m1", "topic": "marketing"}
    assert await mail_events(door) == [("Unsubscribed", properties)]


async def test_who_agreed_again_can_leave_again_by_the_same_link(door: Door) -> None:
    contact = await mailed(door)
    link = path_of(door.parts.links.unsubscribe(contact, "marketing", "m1"))

    await door.nobody.post(link)
    agreed = {"topic": "marketing", "given": True, "source": "phone"}
    await door.full.post(f"/v1/contacts/{contact}/consents", json=agreed)
    await door.nobody.post(link)

    assert [one["given"] for one in (await door.contact(user_id="u1"))["consents"]] == [False]
