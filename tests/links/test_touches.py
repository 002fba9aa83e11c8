"""What becomes of opens and clicks: events, the message's columns, journeys that wait, and what is corrected later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from api.touches import settle
from models.database import Database, table
from models.event import Event
from models.message import Message
from models.touch import Touch
from tests.api.conftest import BROWSER, Door, opened, settings_for, with_a_mail

OFFER, GUIDE, TERMS = (f"https://example.com/{page}" for page in ("offer", "guide", "terms"))


@pytest.fixture
async def production(sqlite: Database, tmp_path: Any) -> Any:
    """A house between which and its readers there are filters: clicks are held."""
    async with opened(sqlite, settings_for(sqlite, tmp_path, click_hold=timedelta(minutes=1))) as door:
        yield door


async def mailed(door: Door, *, ago: timedelta) -> None:
    await with_a_mail(door, {"email": "hanako@example.jp"}, template="demo/invitation")
    async with door.parts.database.write() as tx:
        sent = await door.parts.database.now(tx) - ago
        await tx.execute(update(table(Message)).values(sent_at=sent))


async def clicks(door: Door, *urls: str, **headers: str) -> None:
    for place, url in enumerate(urls, 1):
        link = door.parts.links.click("m1", url, place).removeprefix(door.parts.settings.public_url)
        answer = await door.nobody.get(link, headers={**BROWSER, **headers})
        assert (answer.status_code, answer.headers["location"]) == (302, url), "everybody is led on"


async def over(door: Door, *, again: bool = False) -> None:
    """The time for which clicks are held is over; `again`: another process has not seen that they are settled."""
    async with door.parts.database.write() as tx:
        now, rows = await door.parts.database.now(tx), table(Touch)
        change = update(rows).values(due_at=now)
        await tx.execute(change if again else change.where(rows.c.due_at.is_not(None)))
    await settle(door.parts)


async def told(door: Door) -> list[tuple[str, bool]]:
    return [
        (event.properties.get("url", ""), event.properties.get("machine", False))
        for event in await door.all(Event)
        if event.kind == "mail"
    ]


async def message(door: Door) -> Any:
    (row,) = await door.all(Message)
    return row


async def test_a_persons_click_counts_at_once_and_means_that_they_have_opened(production: Door) -> None:
    await mailed(production, ago=timedelta(hours=1))
    await clicks(production, OFFER)

    assert await told(production) == [(OFFER, False)]
    row = await message(production)
    assert row.clicked_at is not None
    assert row.opened_at == row.clicked_at
    assert row.machine_at is None
    (touch,) = await production.all(Touch)
    assert (touch.what, touch.place, touch.verdict, touch.page) == ("click", 1, "person", OFFER)


async def test_a_program_that_says_so_is_one_and_stands_in_no_persons_way(production: Door) -> None:
    await mailed(production, ago=timedelta(hours=1))
    await clicks(production, OFFER, **{"User-Agent": "curl/8.5"})
    row = await message(production)
    assert (row.opened_at, row.clicked_at) == (None, None)
    assert row.machine_at is not None

    await clicks(production, OFFER)
    assert await told(production) == [(OFFER, True), (OFFER, False)]
    assert (await message(production)).clicked_at is not None


async def test_a_walk_through_the_links_of_a_fresh_mail_is_a_programs_from_the_first_link_on(production: Door) -> None:
    await mailed(production, ago=timedelta(seconds=40))
    await clicks(production, OFFER, GUIDE, TERMS)
    await over(production)

    assert dict(await told(production)) == dict.fromkeys((OFFER, GUIDE, TERMS), True)
    assert {touch.verdict for touch in await production.all(Touch)} == {"machine"}
    row = await message(production)
    assert (row.opened_at, row.clicked_at) == (None, None), "what counted at once is taken back"


async def test_a_doubtful_click_is_held_and_is_a_persons_if_nothing_more_is_said_against_it(production: Door) -> None:
    await mailed(production, ago=timedelta(seconds=5))
    await clicks(production, OFFER)
    assert await told(production) == []
    (held,) = await production.all(Touch)
    assert held.verdict == "doubtful"

    await over(production)
    assert await told(production) == [(OFFER, False)]
    (touch,) = await production.all(Touch)
    assert (touch.verdict, touch.why, touch.due_at) == ("person", "quick", None)
    assert (await message(production)).clicked_at is not None


async def test_postgresql_takes_a_walk_back_just_the_same(postgresql: Database, tmp_path: Any) -> None:
    """What is written and corrected is SQL of each database's own."""
    async with opened(postgresql, settings_for(postgresql, tmp_path, click_hold=timedelta(minutes=1))) as door:
        await mailed(door, ago=timedelta(seconds=40))
        await clicks(door, OFFER, GUIDE, TERMS)
        await over(door)
        assert {touch.verdict for touch in await door.all(Touch)} == {"machine"}
        assert (await message(door)).clicked_at is None
        shown = (await door.full.get("/v1/links", params={"template": "demo/invitation"})).json()
        assert sum(one["machines"] for one in shown["links"]) == 3


async def test_two_processes_that_settle_at_once_record_one_click(production: Door) -> None:
    await mailed(production, ago=timedelta(seconds=5))
    await clicks(production, OFFER)
    await over(production)
    await over(production, again=True)
    assert await told(production) == [(OFFER, False)]


async def test_an_image_loaded_beforehand_is_no_persons_opening(production: Door) -> None:
    await mailed(production, ago=timedelta(hours=1))
    pixel = production.parts.links.open("m1").removeprefix(production.parts.settings.public_url)
    await production.nobody.get(pixel, headers={"User-Agent": "Mozilla/5.0"})
    row = await message(production)
    assert row.machine_at is not None
    assert row.opened_at is None
    await production.nobody.get(pixel)
    assert (await message(production)).opened_at is not None


async def test_a_program_does_not_learn_who_somebody_is(sqlite: Database, tmp_path: Any) -> None:
    settings = settings_for(sqlite, tmp_path, sites=("example.com",))
    async with opened(sqlite, settings) as door:
        await mailed(door, ago=timedelta(hours=1))
        link = door.parts.links.click("m1", OFFER).removeprefix(door.parts.settings.public_url)
        program = await door.nobody.get(link, headers={"User-Agent": "python-requests/2"})
        person = await door.nobody.get(link)
    assert program.headers["location"] == OFFER
    assert person.headers["location"].startswith(f"{OFFER}?tbj=")


async def test_a_host_in_another_script_is_told_as_every_reader_knows_it(production: Door) -> None:
    await mailed(production, ago=timedelta(hours=1))
    link = production.parts.links.click("m1", "https://日本語.jp:8443/資料?q=旅#年").removeprefix(
        production.parts.settings.public_url
    )
    location = (await production.nobody.get(link)).headers["location"]
    assert location == "https://xn--wgv71a119e.jp:8443/%E8%B3%87%E6%96%99?q=%E6%97%85#%E5%B9%B4"


async def test_links_show_people_clicks_and_programs_apart(production: Door) -> None:
    assert (await production.full.get("/v1/links", params={"template": "demo/invitation"})).status_code == 404
    await mailed(production, ago=timedelta(hours=1))
    await clicks(production, OFFER, GUIDE)
    await clicks(production, f"{OFFER}?person=17")
    await clicks(production, OFFER, **{"User-Agent": "python-requests/2"})

    shown = (await production.full.get("/v1/links", params={"template": "demo/invitation"})).json()
    assert (shown["sent"], shown["opened"], shown["clicked"], shown["machines"]) == (1, 1, 1, 1)
    counts = [(one["page"], one["place"], one["people"], one["clicks"], one["machines"]) for one in shown["links"]]
    assert counts == [(GUIDE, 2, 1, 1, 0), (OFFER, 1, 1, 2, 1)]
    none = {"template": "demo/invitation", "variant": "warm"}
    assert (await production.full.get("/v1/links", params=none)).status_code == 404
    touches = (await production.full.get("/v1/messages/m1/touches")).json()["touches"]
    assert [(one["verdict"], one["why"]) for one in touches].count(("machine", "user agent")) == 1
    assert (await production.full.get("/v1/messages/none/touches")).status_code == 404
    assert (await production.nobody.get("/v1/links", params={"template": "x"})).status_code == 401
