"""The preference page: no login, no JavaScript, a link that expires."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID, uuid4

from tests.api.conftest import Door, with_a_mail
from tests.consent.people import ADDRESS, agreed, choices_link, consents, events, path_of, signs_up

SHOWN = ["marketing", "webinar", "visit", "newsletter"]


async def saves(door: Door, link: str, *ticked: str, shown: list[str] | None = None) -> str:
    answer = await door.nobody.post(link, data={"shown": shown or SHOWN, "topic": list(ticked)})
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_it_shows_every_topic_with_its_purpose_and_what_they_get(door: Door) -> None:
    contact = await signs_up(door)
    page = (await door.nobody.get(choices_link(door, contact))).text
    assert re.findall(r'name="topic" value="([\w-]+)"', page) == re.findall(r'name="shown" value="([\w-]+)"', page)
    assert set(re.findall(r'name="topic" value="([\w-]+)"', page)) == set(SHOWN)  # not what nobody can refuse
    assert "Guides, news and offers of ours" in page
    assert "checked" not in page
    assert "Ticking it confirms it" in page  # of the newsletter
    assert "<script" not in page


async def test_ticking_agrees_unticking_takes_back_and_each_has_its_proof(door: Door) -> None:
    contact = await signs_up(door)
    link = choices_link(door, contact)
    assert "Saved" in await saves(door, link, "newsletter", "marketing")
    assert await agreed(door, contact) == {"newsletter": "yes", "marketing": "yes"}
    assert "Nothing has changed" in await saves(door, link, "newsletter", "marketing")

    page = await saves(door, link, "newsletter")
    assert page.count("checked") == 1
    assert await agreed(door, contact) == {"newsletter": "yes", "marketing": "no"}
    latest = (await consents(door, contact))["history"][0]
    assert (latest["topic"], latest["source"], latest["network"]) == ("marketing", "preference-page", "127.0.0.0/24")
    given = [told["topic"] for _, told in await events(door, "Consent Given", "Unsubscribed")]
    assert sorted(given) == ["marketing", "marketing", "newsletter"]


async def test_a_topic_the_page_did_not_show_stays_as_it_was(door: Door) -> None:
    contact = await signs_up(door)
    link = choices_link(door, contact)
    await saves(door, link, "marketing")
    await saves(door, link, shown=["visit"])
    assert (await agreed(door, contact))["marketing"] == "yes"


async def test_one_press_stops_everything_and_a_later_tick_counts_for_its_topic(door: Door) -> None:
    contact = await signs_up(door)
    link = choices_link(door, contact)
    await saves(door, link, "newsletter", "marketing")

    stopped = await door.nobody.post(link, data={"stop": "all"})
    assert "You are unsubscribed from everything" in stopped.text
    assert set((await agreed(door, contact)).values()) == {"no"}
    listed = (await door.full.get("/v1/topics")).json()
    assert listed["stopped_all"] == 1

    await saves(door, link, "visit")
    assert {topic for topic, said in (await agreed(door, contact)).items() if said == "yes"} == {"visit"}


async def test_an_expired_link_has_a_new_one_sent_and_tells_nobody_who_is_there(door: Door) -> None:
    contact = await signs_up(door)
    at = door.parts.clock.wall() - timedelta(days=91)
    moved = choices_link(door, contact, address="before@example.jp")
    for link in (choices_link(door, contact, at=at), choices_link(door, uuid4(), at=at), moved):
        for page in (await door.nobody.get(link), await door.nobody.post(link, data={"stop": "all"})):
            assert "This link has expired" in page.text
            assert ADDRESS not in page.text
        asked = await door.nobody.post(f"{link}/link")
        assert "If we know this address" in asked.text
    assert await agreed(door, contact) == {"newsletter": "asked"}
    assert len(await events(door, "Preferences Requested")) == 2  # of the contact that is there


async def test_who_asks_for_links_all_day_is_slowed_down(door: Door) -> None:
    link = choices_link(door, uuid4(), at=door.parts.clock.wall() - timedelta(days=91))
    statuses = [(await door.nobody.post(f"{link}/link")).status_code for _ in range(40)]
    assert (statuses[0], statuses[-1]) == (200, 429)


async def test_the_unsubscribe_page_offers_the_topic_all_and_less(door: Door) -> None:
    contact = await with_a_mail(door, {"email": ADDRESS}, template="whitepaper/welcome")
    for topic in ("marketing", "webinar"):
        body = {"topic": topic, "given": True, "source": "fair"}
        await door.full.post(f"/v1/contacts/{contact}/consents", json=body)
    link = path_of(door.parts.links.unsubscribe(contact, "marketing", "m1"))

    page = (await door.nobody.get(link)).text
    less = re.search(r'href="[^"]*(/preferences/[^"]+)"', page)
    assert less is not None
    assert page.count("<button") == 2
    assert "News and offers" in (await door.nobody.get(less[1])).text

    await door.nobody.post(link, data={"what": "topic"})
    assert await agreed(door, contact) == {"marketing": "no", "webinar": "yes"}
    await door.nobody.post(link, data={"what": "all"})
    assert set((await agreed(door, contact)).values()) == {"no"}


async def test_a_no_counts_for_who_has_the_address_now(door: Door) -> None:
    """The mail went to one contact; its address has turned out to be another's since."""
    await door.full.post("/v1/identify", json={"userId": "u1", "traits": {"email": ADDRESS}})
    one = UUID((await door.contact(user_id="u1"))["id"])
    body = {"topic": "marketing", "given": True, "source": "fair"}
    await door.full.post(f"/v1/contacts/{one}/consents", json=body)
    early = {"userId": "u0", "traits": {"email": ADDRESS}, "timestamp": "2020-01-01T00:00:00Z"}
    await door.full.post("/v1/identify", json=early)
    other = UUID((await door.contact(email=ADDRESS))["id"])
    await door.full.post(f"/v1/contacts/{other}/consents", json=body)

    await door.nobody.post(choices_link(door, other), data={"shown": ["marketing"]})
    assert await agreed(door, other) == {"marketing": "no"}
