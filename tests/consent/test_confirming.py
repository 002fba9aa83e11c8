"""Double opt-in at the doors: what anybody may have typed counts once its address has confirmed it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.api.conftest import Door
from tests.consent.people import (
    ADDRESS,
    agreed,
    choices_link,
    confirm_link,
    consents,
    events,
    path_of,
    signs_up,
)

AGENT = {"User-Agent": "Mozilla/5.0 (test)"}


async def test_a_form_asks_and_only_the_address_itself_agrees(door: Door) -> None:
    contact = await signs_up(door)
    assert await agreed(door, contact) == {"newsletter": "asked"}
    told = {"topic": "newsletter", "source": "form:newsletter", "form": "newsletter"}
    assert await events(door, "Consent Requested", "Consent Given") == [("Consent Requested", told)]

    link = confirm_link(door, contact)
    for look in (door.nobody.get, door.nobody.head):  # scanners follow links in mails
        await look(link)
    page = await door.nobody.get(link)
    assert (page.status_code, page.text.count("<button")) == (200, 1)
    assert "One good idea a month" in page.text
    assert await agreed(door, contact) == {"newsletter": "asked"}

    done = await door.nobody.post(link, headers=AGENT)
    assert (done.status_code, "Thank you" in done.text) == (200, True)
    assert await agreed(door, contact) == {"newsletter": "yes"}
    given = {"topic": "newsletter", "source": "form:newsletter", "confirmed": True}
    assert await events(door, "Consent Given") == [("Consent Given", given)]


async def test_the_proof_says_where_how_and_to_which_words_they_agreed(door: Door) -> None:
    contact = await signs_up(door)
    await door.nobody.post(confirm_link(door, contact), headers=AGENT)
    confirmed, asked = (await consents(door, contact))["history"]

    assert (confirmed["confirmed"], asked["confirmed"]) == (True, False)
    assert (
        confirmed["wording"]
        == asked["wording"]
        == ("Yes, write to me once a month. I can stop it with the link in every mail.")
    )
    assert confirmed["source"] == "confirmation-link, form:newsletter"
    assert confirmed["purpose"].startswith("One good idea a month")
    assert (confirmed["purpose_version"], confirmed["network"]) == ("2026-11", "127.0.0.0/24")
    assert confirmed["user_agent"] == AGENT["User-Agent"]
    assert confirmed["version"] == asked["version"]


async def test_a_link_pressed_twice_or_used_says_so_and_changes_nothing(door: Door) -> None:
    contact = await signs_up(door)
    link = confirm_link(door, contact)
    await door.nobody.post(link)
    again = await door.nobody.post(link)
    assert "You have confirmed this" in again.text
    assert "/preferences/" in again.text
    assert len(await events(door, "Consent Given")) == 1

    gone = {"topic": "newsletter", "given": False, "source": "phone"}
    await door.full.post(f"/v1/contacts/{contact}/consents", json=gone)
    used = await door.nobody.post(link)
    assert "This link has been used" in used.text
    assert await agreed(door, contact) == {"newsletter": "no"}


async def test_who_asks_again_after_leaving_can_confirm_again(door: Door) -> None:
    contact = await signs_up(door)
    await door.nobody.post(confirm_link(door, contact))
    await door.nobody.post(path_of(door.parts.links.unsubscribe(contact, "newsletter", "m1")))
    await signs_up(door)
    assert await agreed(door, contact) == {"newsletter": "asked"}

    await door.nobody.post(confirm_link(door, contact))
    assert await agreed(door, contact) == {"newsletter": "yes"}


async def test_an_expired_link_offers_a_new_one_and_says_nothing_about_who_is_there(door: Door) -> None:
    contact = await signs_up(door)
    old = door.parts.clock.wall() - timedelta(days=8)
    late = confirm_link(door, contact, at=old)
    nobody = confirm_link(door, uuid4(), at=old)

    for link in (late, nobody):
        page = await door.nobody.post(link)
        assert "This link has expired" in page.text
        assert f'action="{link.rpartition("/")[2]}/again"' in page.text
    assert await agreed(door, contact) == {"newsletter": "asked"}
    answers = [(await door.nobody.post(f"{link}/again")) for link in (late, nobody)]
    assert answers[0].text.split("nonce")[-1].partition(">")[2] == answers[1].text.split("nonce")[-1].partition(">")[2]
    assert len(await events(door, "Consent Requested")) == 2


async def test_who_had_the_address_before_cannot_confirm_for_who_has_another_now(door: Door) -> None:
    await door.full.post("/v1/identify", json={"userId": "u1", "traits": {"email": "old@example.jp"}})
    contact = UUID((await door.contact(user_id="u1"))["id"])
    body = {"topic": "newsletter", "given": True, "confirmed": False, "source": "kiosk"}
    answer = await door.full.post(f"/v1/contacts/{contact}/consents", json=body)
    assert answer.json()["confirmed"] is False
    link = confirm_link(door, contact, address="old@example.jp")
    await door.full.post("/v1/identify", json={"userId": "u1", "traits": {"email": "new@example.jp"}})

    assert "expired" in (await door.nobody.post(link)).text
    assert await agreed(door, contact) == {"newsletter": "asked"}


async def test_a_stranger_who_types_a_confirmed_address_takes_nothing_away(door: Door) -> None:
    contact = await signs_up(door)
    await door.nobody.post(confirm_link(door, contact))
    await signs_up(door)
    assert await agreed(door, contact) == {"newsletter": "yes"}


async def test_many_visitors_who_type_one_address_make_one_contact(door: Door) -> None:
    """So that the journey's rule for entering again bounds the mails one address gets."""
    found = {await signs_up(door, anonymous_id=f"visitor-{n}") for n in range(5)}
    assert len(found) == 1
    assert len(await events(door, "Consent Requested")) == 5


async def test_a_server_with_a_write_key_may_say_that_it_is_confirmed(door: Door) -> None:
    body = {"email": ADDRESS, "consent": "yes"}
    answer = await door.ingest.post("/f/newsletter", data=body)
    assert answer.status_code == 303
    contact = UUID((await door.contact(email=ADDRESS))["id"])
    assert await agreed(door, contact) == {"newsletter": "yes"}


async def test_a_page_asks_in_the_persons_language(door: Door) -> None:
    contact = await signs_up(door)
    link = confirm_link(door, contact)
    japanese = await door.nobody.get(link, headers={"Accept-Language": "fr, ja;q=0.9, en;q=0.5"})
    assert ('lang="ja"' in japanese.text, "メールマガジン" in japanese.text) == (True, True)

    await door.full.post("/v1/identify", json={"userId": "u1", "traits": {"email": ADDRESS, "locale": "ja-JP"}})
    assert 'lang="ja"' in (await door.nobody.get(link, headers={"Accept-Language": "en"})).text


@pytest.mark.parametrize("path", ["/confirm/{}", "/preferences/{}", "/confirm/{}/again", "/preferences/{}/link"])
async def test_a_link_we_did_not_sign_changes_nothing(door: Door, path: str) -> None:
    contact = await signs_up(door)
    tokens = [confirm_link(door, contact), choices_link(door, contact)]
    other = {"/confirm/{}": tokens[1], "/preferences/{}": tokens[0]}.get(path, "/x/y")
    for token in ("x", "a.b", other.rpartition("/")[2], tokens[0].rpartition("/")[2][:-2]):
        assert (await door.nobody.post(path.format(token))).status_code == 404
    assert await agreed(door, contact) == {"newsletter": "asked"}
