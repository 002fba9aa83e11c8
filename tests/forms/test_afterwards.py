"""What comes after a form is sent: thanks, another page, a file. And what programs meet that send forms."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from selectolax.lexbor import LexborHTMLParser

from api.consenting import network_of
from api.forms.files import disposition
from api.forms.tokens import Tokens
from models.clock import SystemClock
from models.contact import Consent as ConsentRow
from models.event import Event
from tabiji.forms import Consent, Download, Email, Form, Text, Textarea
from tests.api.conftest import SECRET, Door
from tests.forms.conftest import Shop

PAPER = Form(
    "paper",
    title="資料",
    lang="ja",
    fields=(Email("email", "メール", required=True),),
    consents=(Consent("news", "お知らせを受け取る"), Consent("events", "催しの案内を受け取る", version="3")),
    button="送る",
    thanks="ありがとうございます",
    file=Download("paper.pdf", "導入の手引き（2026年版）.pdf"),
)
ASK = Form(
    "ask",
    title="Ask",
    fields=(Email(required=True), Textarea("question", "Question", event=True, attribute=False), Text("city", "City")),
    button="Ask",
    redirect="https://www.example.com/thanks",
    hosts=("https://www.example.com", "https://*.example.org"),
)
HERE = {"email": "hanako@example.com"}


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    folder = tmp_path / "assets"
    folder.mkdir()
    (folder / "paper.pdf").write_bytes(b"%PDF-1.4 paper")
    return folder


async def names(door: Door) -> list[str]:
    return [event.name for event in await door.all(Event) if event.kind != "change"]


async def test_who_has_filled_in_the_form_gets_its_file_under_its_japanese_name(shop: Shop, assets: Path) -> None:
    door = await shop(PAPER, assets=assets)
    sent = await door.nobody.post("/f/paper", data={**HERE, "consent-news": "yes"})
    thanks = await door.nobody.get(f"/f/{sent.headers['location']}")
    link = LexborHTMLParser(thanks.text).css_first("a[download]")
    assert link is not None
    assert "導入の手引き" in link.text()

    file = await door.nobody.get(f"/f/{link.attributes['href']}")

    assert (file.status_code, file.content) == (200, b"%PDF-1.4 paper")
    assert file.headers["content-type"] == "application/pdf"
    assert "filename*=UTF-8''%E5%B0%8E%E5%85%A5" in file.headers["content-disposition"]
    assert 'filename="paper.pdf"' in file.headers["content-disposition"]
    contact = await door.contact(email="hanako@example.com")
    (event,) = [one for one in await door.all(Event) if one.name == "File Downloaded"]
    assert str(event.contact_id) == contact["id"]
    assert event.properties == {
        "url": "http://tabiji.example/f/paper/file", "file": "paper.pdf", "extension": "pdf", "form": "paper",
    }  # fmt: skip # one event
    await door.nobody.get(f"/f/{link.attributes['href']}")
    assert (await names(door)).count("File Downloaded") == 1, "a download in pieces is one"


async def test_nobody_else_gets_it_and_no_link_lasts_for_ever(shop: Shop, assets: Path) -> None:
    door = await shop(PAPER, ASK, dataclasses.replace(PAPER, name="other"), assets=assets)
    sent = await door.nobody.post("/f/paper", data=HERE)
    token = sent.headers["location"].partition("file=")[2]
    assert (await door.nobody.get(f"/f/paper/file/{token}")).status_code == 200

    contact = UUID((await door.contact(email="hanako@example.com"))["id"])
    old = SystemClock().wall() - timedelta(days=7) - timedelta(minutes=1)
    tokens = Tokens(SECRET)
    late, foreign = tokens.file("paper", contact, at=old), Tokens("another").file("paper", contact, at=old)
    who = tokens.who(contact, at=SystemClock().wall())
    wrong = [f"paper/file/{one}" for one in (late, foreign, who, "x", "x" * 5000)]
    for path in (*wrong, *(f"{form}/file/{token}" for form in ("other", "ask", "nothing"))):
        assert (await door.nobody.get(f"/f/{path}")).status_code == 404, path
    assert "download" not in (await door.nobody.get("/f/paper?done=1&file=made-up")).text
    assert "download" not in (await door.nobody.get("/f/paper?done=1")).text


async def test_a_file_that_is_missing_is_said_kindly(shop: Shop, tmp_path: Path) -> None:
    door = await shop(PAPER, assets=tmp_path / "nowhere")
    sent = await door.nobody.post("/f/paper", data=HERE)
    token = sent.headers["location"].partition("file=")[2]
    assert (await door.nobody.get(f"/f/paper/file/{token}")).status_code == 404


def test_a_file_with_letters_old_programs_do_not_know_has_a_plain_name_too() -> None:
    assert 'filename="file.pdf"' in disposition(Download("資料.pdf"))
    assert "filename*=UTF-8''a%22b%3B.pdf" in disposition(Download("x.pdf", 'a"b;.pdf'))


async def test_each_topic_is_agreed_to_for_itself_with_its_proof(shop: Shop, assets: Path) -> None:
    door = await shop(PAPER, assets=assets)
    await door.nobody.post("/f/paper", data={**HERE, "consent-events": "yes"})
    await door.nobody.post("/f/paper", data={**HERE, "consent-events": "yes", "consent-news": "yes"})

    kept = [(one.topic, one.version, one.wording, one.network, one.source) for one in await door.all(ConsentRow)]
    events = ("events", "3", "催しの案内を受け取る", "127.0.0.0/24", "form:paper")
    news = ("news", PAPER.consents[0].said, "お知らせを受け取る", "127.0.0.0/24", "form:paper")
    assert kept == [events, news, events]
    assert (await names(door)).count("Consent Given") == 3


def test_the_address_of_a_proof_has_no_end() -> None:
    assert network_of("203.0.113.77") == "203.0.113.0/24"
    assert network_of("2001:db8:12:34::1") == "2001:db8:12::/48"
    assert network_of("") is None
    assert network_of("testclient") is None


async def test_people_are_sent_on_to_the_place_the_declaration_names_and_nowhere_else(shop: Shop) -> None:
    door = await shop(ASK)
    page = await door.nobody.get("/f/ask")
    assert "form-action 'self' https://www.example.com;" in page.headers["content-security-policy"]
    for more in ("", "?redirect=https://evil.example", "?next=//evil.example"):
        sent = await door.nobody.post(f"/f/ask{more}", data={**HERE, "redirect": "https://evil.example"})
        assert (sent.status_code, sent.headers["location"]) == (303, "https://www.example.com/thanks")


async def test_only_declared_answers_are_in_the_event_and_only_kept_ones_with_the_contact(shop: Shop) -> None:
    door = await shop(ASK)
    along = {"utm_source": "fair", "utm_campaign": "春", "page": "/prices", "utm_evil": "x", "colour": "red"}
    await door.nobody.post("/f/ask", data={**HERE, "question": "Why?", "city": "大阪", **along})

    (event,) = [one for one in await door.all(Event) if one.name == "Form Submitted"]
    assert event.properties == {
        "form": "ask", "question": "Why?", "page": "/prices", "utm_source": "fair", "utm_campaign": "春",
    }  # fmt: skip # one event
    assert event.context["campaign"] == {"source": "fair", "name": "春"}
    assert (await door.contact(email="hanako@example.com"))["attributes"] == {"city": "大阪"}


async def test_a_form_inside_another_site_is_shown_by_the_sites_it_names_alone(shop: Shop) -> None:
    door = await shop(ASK)
    inside = await door.nobody.get("/f/ask/embed")
    policy = inside.headers["content-security-policy"]
    assert "frame-ancestors 'self' https://www.example.com https://*.example.org" in policy
    assert "script-src 'nonce-" in policy
    alone = (await door.nobody.get("/f/ask")).headers["content-security-policy"]
    assert "frame-ancestors 'none'" in alone
    assert "script-src" not in alone

    sent = await door.nobody.post("/f/ask/embed", data=HERE)
    assert (sent.status_code, sent.headers["location"]) == (303, "embed?done=1")
    thanks = LexborHTMLParser((await door.nobody.get("/f/ask/embed?done=1")).text)
    onward = thanks.css_first("a[target=_top]")
    assert onward is not None
    assert onward.attributes["href"] == "https://www.example.com/thanks"


async def test_too_many_from_one_place_are_asked_to_wait_and_lose_nothing(shop: Shop) -> None:
    door = await shop(ASK)
    answers = [await door.nobody.post("/f/ask", data={**HERE, "city": str(turn)}) for turn in range(31)]
    assert {one.status_code for one in answers[:30]} == {303}
    late = answers[-1]
    assert (late.status_code, int(late.headers["retry-after"]) >= 1) == (429, True)
    typed = LexborHTMLParser(late.text).css_first("#city")
    assert typed is not None
    assert typed.attributes["value"] == "30"
    assert (await names(door)).count("Form Submitted") == 30

    assert (await door.ingest.post("/f/ask", data=HERE)).status_code == 303, "a key's own limit counts instead"


async def test_a_key_that_may_not_write_is_refused_and_one_that_is_none_too(shop: Shop) -> None:
    door = await shop(ASK)
    assert (await door.nobody.post("/f/ask", data=HERE, headers={"Authorization": "Bearer x"})).status_code == 401
    assert await names(door) == []


async def test_who_sends_a_form_faster_than_people_can_is_asked_once_more(shop: Shop) -> None:
    door = await shop(ASK, form_fill_time=timedelta(seconds=30))
    page = await door.nobody.get("/f/ask")
    hidden = {
        str(one.attributes["name"]): str(one.attributes["value"])
        for one in LexborHTMLParser(page.text).css("[type=hidden]")
    }
    for nonce in ({}, hidden, {"nonce": "made up"}):
        again = await door.nobody.post("/f/ask", data={**HERE, **nonce})
        assert again.status_code == 422
        assert "once more" in again.text
        assert "hanako@example.com" in again.text, "nothing typed is lost"
    assert await names(door) == []
    wall = SystemClock().wall()
    slow, forgotten = (
        Tokens(SECRET).opened("ask", ("email",), at=wall - ago) for ago in (timedelta(minutes=1), timedelta(days=2))
    )
    assert (await door.nobody.post("/f/ask", data={**HERE, "nonce": forgotten})).status_code == 422
    assert (await door.nobody.post("/f/ask", data={**HERE, "nonce": slow})).status_code == 303
    assert (await door.ingest.post("/f/ask", data=HERE)).status_code == 303, "programs of one's own are quick"


async def test_the_scripts_are_small_and_say_nothing_but_the_form(shop: Shop) -> None:
    nasty = dataclasses.replace(ASK, name="nasty", title='</script><b>"quoted"')
    door = await shop(nasty)
    script = await door.nobody.get("/f/nasty.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "</script" not in script.text
    assert r"\"quoted\"" in script.text
    popup = await door.nobody.get("/popup.js")
    assert (popup.status_code, len(popup.content) < 6_000) == (200, True)
    assert (await door.nobody.get("/f/nothing.js")).status_code == 404


async def test_typing_somebody_elses_address_gives_a_visitor_nothing_of_theirs(shop: Shop) -> None:
    """Their device stays their own: a link in a mail proves an address, a form does not."""
    door = await shop(ASK)
    await door.full.post("/v1/identify", json={"userId": "u1", "traits": {"email": "hanako@example.com"}})
    await door.nobody.post("/f/ask", data={**HERE, "anonymous_id": "eve", "question": "Who?"})
    await door.ingest.post("/v1/track", json={"anonymousId": "eve", "event": "Clicked Around"})

    hanako = await door.contact(user_id="u1")
    assert "Form Submitted" in {entry["name"] for entry in hanako["timeline"]}
    assert "Clicked Around" not in {entry["name"] for entry in hanako["timeline"]}

    await door.ingest.post("/f/ask", data={**HERE, "anonymous_id": "tablet"})
    assert (await door.contact(anonymous_id="tablet"))["id"] == hanako["id"], "a program of one's own may say so"
