"""Who is recognised is asked only what is not known, and nobody learns what is. Landing pages, too."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from selectolax.lexbor import LexborHTMLParser

from models.event import Event
from models.form_answer import FormAnswer
from tabiji.forms import Choice, Consent, Email, Form, Hidden, Number, Text, Textarea
from tests.api.conftest import Door, with_a_mail
from tests.forms.conftest import Shop

PROFILE = Form(
    "profile",
    title="Profile",
    fields=(
        Email(required=True),
        Text("first_name", "First name", required=True),
        Text("company", "Company"),
        Choice("role", "Role", ("engineer", "marketer")),
        Number("seats", "Seats", whole=True),
        Textarea("question", "Question", event=True, attribute=False, again=True),
        Hidden("plan", value="free"),
    ),
    consents=(Consent("marketing", "Yes, write to me."),),
    button="Send",
    at_most=3,
)
SECRET_ANSWERS = {"first_name": "花子-secret", "company": "Secret KK", "email": "hanako@example.com"}


def asked(html: str) -> list[str]:
    found = LexborHTMLParser(html).css("form label[for], form legend")
    names = {str(one.attributes.get("for") or one.parent.attributes["id"]) for one in found if one.parent is not None}
    return [name for name in ("email", "first_name", "company", "role", "seats", "question") if name in names]


def hidden(html: str) -> dict[str, str]:
    return {
        str(one.attributes["name"]): str(one.attributes["value"]) for one in LexborHTMLParser(html).css("[type=hidden]")
    }


async def mailed(door: Door, *traits: str) -> str:
    """Somebody of whom these are known has clicked a link to the form in a mail; where it led."""
    known = {name: SECRET_ANSWERS[name] for name in ("email", *traits)}
    await with_a_mail(door, known, template="welcome/hello")
    clicked = await door.nobody.get(door.parts.links.click("m1", "http://tabiji.example/f/profile?utm_source=mail"))
    return str(clicked.headers["location"])


async def test_who_comes_by_a_mail_is_asked_only_what_is_not_known(shop: Shop) -> None:
    door = await shop(PROFILE)
    page = await door.nobody.get(await mailed(door, "first_name", "company"))

    assert asked(page.text) == ["role", "seats", "question"]
    for secret in SECRET_ANSWERS.values():
        assert secret not in page.text
    sent = await door.nobody.post("/f/profile", data={**hidden(page.text), "role": "engineer", "consent": "yes"})
    assert sent.status_code == 303
    contact = await door.contact(user_id="u1")
    assert contact["attributes"] == {"first_name": "花子-secret", "company": "Secret KK", "role": "engineer"}
    assert [one["topic"] for one in contact["consents"]] == ["marketing"]
    (event,) = [one for one in await door.all(Event) if one.name == "Form Submitted"]
    assert (str(event.contact_id), event.properties["utm_source"]) == (contact["id"], "mail")


async def test_whoever_got_that_mail_forwarded_asks_for_the_whole_form(shop: Shop) -> None:
    door = await shop(PROFILE)
    page = await door.nobody.get(await mailed(door, "first_name"))
    link = LexborHTMLParser(page.text).css_first(".known a")
    assert link is not None

    whole = await door.nobody.get(f"/f/profile{link.attributes['href']}")
    assert asked(whole.text) == ["email", "first_name", "company"]
    assert "who" not in hidden(whole.text)
    other = {**hidden(whole.text), "email": "friend@example.com", "first_name": "Ken"}
    await door.nobody.post("/f/profile", data=other)
    assert (await door.contact(email="friend@example.com"))["attributes"]["first_name"] == "Ken"
    assert (await door.contact(user_id="u1"))["attributes"]["first_name"] == "花子-secret"


async def test_a_link_that_nobody_signed_recognises_nobody(shop: Shop) -> None:
    door = await shop(PROFILE)
    token = parse_qs(urlsplit(await mailed(door, "first_name")).query)["tbj"][0]
    for broken in (token[:-2], "x", "", token + "x", "%00"):
        page = await door.nobody.get("/f/profile", params={"tbj": broken})
        assert asked(page.text) == ["email", "first_name", "company"]
    posted = {"email": "eve@example.com", "first_name": "Eve", "who": "made.up"}
    assert (await door.nobody.post("/f/profile", data=posted)).status_code == 303
    assert (await door.contact(email="eve@example.com"))["attributes"]["first_name"] == "Eve"


async def test_a_visitor_who_agreed_is_asked_the_next_questions_but_for_their_address(shop: Shop) -> None:
    door = await shop(PROFILE)
    first = await door.nobody.get("/f/profile?anonymous_id=a1")
    assert asked(first.text) == ["email", "first_name", "company"]
    filled = {"email": "hanako@example.com", "first_name": "花子", "company": "例", "consent": "yes"}
    await door.nobody.post("/f/profile", data={**hidden(first.text), **filled})

    second = await door.nobody.get("/f/profile?anonymous_id=a1")
    assert asked(second.text) == ["email", "role", "seats"]
    assert "hanako" not in second.text
    assert "例" not in second.text
    assert "a1" not in {row.visitor for row in await door.all(FormAnswer)}


async def test_without_consent_nothing_is_remembered_of_a_visitor(shop: Shop) -> None:
    door = await shop(PROFILE)
    sent = {"email": "hanako@example.com", "first_name": "花子", "anonymous_id": "a1"}
    await door.nobody.post("/f/profile", data=sent)

    assert await door.rows(FormAnswer) == 0
    assert asked((await door.nobody.get("/f/profile?anonymous_id=a1")).text) == ["email", "first_name", "company"]


async def test_typing_somebody_elses_address_shows_nothing_of_what_is_known_of_them(shop: Shop) -> None:
    """Whatever visitors claim to be, a form tells them what they have answered themselves and no more."""
    door = await shop(PROFILE)
    await door.full.post("/v1/identify", json={"userId": "u1", "traits": SECRET_ANSWERS})
    sent = {"email": "hanako@example.com", "first_name": "Eve", "consent": "yes", "anonymous_id": "eve"}
    await door.nobody.post("/f/profile", data=sent)

    page = await door.nobody.get("/f/profile?anonymous_id=eve")
    assert asked(page.text) == ["email", "company", "role"], "not even that the company is known"


async def test_what_was_asked_stays_asked_while_it_is_mended(shop: Shop) -> None:
    door = await shop(PROFILE)
    page = await door.nobody.get(await mailed(door, "first_name", "company"))
    again = await door.nobody.post("/f/profile", data={**hidden(page.text), "role": "pilot", "seats": "3"})

    assert again.status_code == 422
    assert asked(again.text) == ["role", "seats", "question"]
    mended = {**hidden(again.text), "role": "marketer", "seats": "3"}
    assert (await door.nobody.post("/f/profile", data=mended)).status_code == 303


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    (tmp_path / "templates" / "landing").mkdir(parents=True)
    pages = {
        "spring": '<!doctype html><title>春</title><h1>春</h1>{{ form("profile") }}',
        "two": '{{ form("profile") }}{{ form("profile") }}',
        "missing": '{{ form("nothing") }}',
        "broken": "{{ nothing }}",
        "sandbox": "{{ ''.__class__.__mro__ }}",
        "_layout": "not a page",
    }
    for name, text in pages.items():
        (tmp_path / "templates" / "landing" / f"{name}.html").write_text(text)
    return tmp_path / "templates"


async def test_a_landing_page_keeps_the_campaign_and_shows_mistakes_where_they_were_made(
    shop: Shop, templates: Path
) -> None:
    door = await shop(PROFILE, templates=templates)
    page = await door.nobody.get("/p/spring?utm_source=fair&utm_medium=poster")
    assert "script-src" not in page.headers["content-security-policy"]

    wrong = await door.nobody.post("/p/spring", data={**hidden(page.text), "email": "hanako"})
    assert wrong.status_code == 422
    assert "<h1>春</h1>" in wrong.text
    assert "does not look like an e-mail address" in wrong.text
    good = {**hidden(wrong.text), "email": "hanako@example.com", "first_name": "花子"}
    sent = await door.nobody.post("/p/spring", data=good)
    assert (sent.status_code, sent.headers["location"]) == (303, "../f/profile?done=2")
    await door.nobody.post("/p/spring", data=good)
    (event,) = [one for one in await door.all(Event) if one.name == "Form Submitted"]
    assert event.properties == {
        "form": "profile", "page": "/p/spring", "utm_source": "fair", "utm_medium": "poster", "plan": "free",
    }  # fmt: skip # one event


async def test_what_is_no_landing_page_is_not_found_and_a_broken_one_says_where(shop: Shop, templates: Path) -> None:
    door = await shop(PROFILE, templates=templates)
    for name in ("nothing", "_layout", "SPRING", "spring.html", "..%2Fpages%2Fbase"):
        answer = await door.nobody.get(f"/p/{name}")
        assert answer.status_code in {401, 404}, name
        assert "not a page" not in answer.text
    assert (await door.nobody.post("/p/spring", data={"form": "nothing"})).status_code == 404
    assert (await door.nobody.post("/p/nothing", data={"form": "profile"})).status_code == 404
    for name, words in (("two", "one form"), ("missing", "no form 'nothing'"), ("broken", "landing/broken.html")):
        answer = await door.nobody.get(f"/p/{name}")
        assert (answer.status_code, words in unescape(answer.text)) == (500, True), answer.text
    assert "is unsafe" in (await door.nobody.get("/p/sandbox")).text


async def test_the_shipped_landing_page_has_its_form(shop: Shop) -> None:
    door = await shop()
    page = LexborHTMLParser((await door.nobody.get("/p/whitepaper")).text)
    assert page.css_first("form input[name=email]") is not None
    assert page.css_first("html[lang=en]") is not None
