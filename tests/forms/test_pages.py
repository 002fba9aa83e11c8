from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser

from forms.whitepaper import WHITEPAPER
from models.contact import Consent, Contact
from models.enrollment import Enrollment
from models.event import Event
from tests.api.conftest import Door

FILLED = {"email": "Hanako@Example.com", "first_name": "花子", "company": "例 & <b>株式会社</b>", "consent": "yes"}


def attributes(page: LexborHTMLParser, place: str) -> dict[str, str | None]:
    found = page.css_first(place)
    assert found is not None, place
    return dict(found.attributes)


def hidden(html: str) -> dict[str, str]:
    found = LexborHTMLParser(html).css("input[type=hidden]")
    return {str(one.attributes["name"]): str(one.attributes["value"]) for one in found}


async def test_a_form_is_a_page_that_works_without_scripts_and_names_every_field(door: Door) -> None:
    answer = await door.nobody.get("/f/whitepaper", params={"anonymous_id": 'a"1', "timezone": "Asia/Tokyo"})

    page = LexborHTMLParser(answer.text)
    assert (answer.status_code, page.css("script")) == (200, [])
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "width=device-width" in answer.text
    for field in page.css("form input:not([type=hidden])"):
        assert page.css_first(f"label[for={field.attributes['id']}]") is not None
    assert "checked" not in attributes(page, "#consent"), "nobody agrees by default"
    assert hidden(answer.text)["anonymous_id"] == 'a"1'
    assert hidden(answer.text)["timezone"] == "Asia/Tokyo"


@pytest.mark.parametrize("said", ["no", "false", "0", "off", "", " "])
async def test_a_no_is_a_no(door: Door, said: str) -> None:
    answer = await door.nobody.post("/f/whitepaper", data={**FILLED, "consent": said})

    assert answer.headers["location"].startswith("whitepaper?done=2")
    assert await door.all(Consent) == []


async def test_a_form_that_names_an_old_address_does_not_bring_it_back(door: Door) -> None:
    """Anybody can fill in a form with an address somebody has left."""
    for email in ("old@example.com", "new@example.com"):
        await door.ingest.post("/v1/identify", json={"userId": "u1", "traits": {"email": email}})
    await door.nobody.post("/f/whitepaper", data={"email": "old@example.com", "consent": "yes"})

    assert (await door.contact(user_id="u1"))["email"] == "new@example.com"


async def test_letters_that_were_not_percent_encoded_stay_what_they_are(door: Door) -> None:
    """As `curl -d first_name=花子` sends them."""
    body = "email=hanako@example.com&first_name=花子&consent=yes&company=".encode()
    answer = await door.nobody.post(
        "/f/whitepaper", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert answer.status_code == 303
    assert (await door.contact(email="hanako@example.com"))["attributes"]["first_name"] == "花子"


async def test_a_form_of_a_thousand_fields_is_refused(door: Door) -> None:
    body = "&".join(f"f{n}=1" for n in range(1000)).encode()
    answer = await door.nobody.post(
        "/f/whitepaper", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert answer.status_code == 400


@pytest.mark.parametrize("multipart", [False, True])
async def test_a_filled_in_form_makes_the_visitor_known_records_consent_and_starts_the_journey(
    door: Door, multipart: bool
) -> None:
    await door.ingest.post("/v1/page", json={"anonymousId": "a1", "properties": {"path": "/"}})
    page = await door.nobody.get("/f/whitepaper", params={"anonymous_id": "a1", "timezone": "Asia/Tokyo"})
    sent = {**FILLED, **hidden(page.text)}

    if multipart:
        answer = await door.nobody.post("/f/whitepaper", files={name: (None, value) for name, value in sent.items()})
    else:
        answer = await door.nobody.post("/f/whitepaper", data=sent)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("whitepaper?done=1&file=")
    assert WHITEPAPER.thanks_words in (await door.nobody.get("/f/whitepaper?done=1")).text
    contact = await door.contact(email="hanako@example.com")
    assert (await door.contact(anonymous_id="a1"))["id"] == contact["id"]
    assert contact["attributes"] == {"first_name": "花子", "company": "例 & <b>株式会社</b>"}
    assert contact["timezone"] == "Asia/Tokyo"
    (consent,) = await door.all(Consent)
    assert (consent.topic, consent.given, consent.source) == ("marketing", True, "form:whitepaper")
    assert consent.wording == WHITEPAPER.consents[0].wording
    assert (consent.version, consent.network) == (WHITEPAPER.consents[0].said, "127.0.0.0/24")
    events = await door.all(Event)
    names = [(event.name, event.properties) for event in events if event.kind != "change"]
    assert names[1:] == [
        ("Identified", {}),
        ("Consent Given", {"topic": "marketing", "source": "form:whitepaper", "form": "whitepaper"}),
        ("Form Submitted", {"form": "whitepaper"}),
    ]
    changed = {event.properties["name"] for event in events if event.kind == "change"}
    assert changed == {"first_name", "company", "timezone"}
    (enrollment,) = await door.all(Enrollment)
    assert enrollment.journey == "whitepaper-nurture"


async def test_who_does_not_tick_the_box_is_promised_no_mail(door: Door) -> None:
    sent = await door.nobody.post("/f/whitepaper", data={"email": "hanako@example.com"})

    thanks = await door.nobody.get(f"/f/{sent.headers['location']}")
    assert WHITEPAPER.thanks_words not in thanks.text
    assert str(WHITEPAPER.thanks_without_consent) in thanks.text
    assert await door.all(Consent) == []


async def test_a_double_click_counts_once_and_a_corrected_form_again(door: Door) -> None:
    sent = {**FILLED, "nonce": "n1"}

    for body in (sent, sent, {**sent, "first_name": "はなこ"}):
        assert (await door.nobody.post("/f/whitepaper", data=body)).status_code == 303

    assert [event.name for event in await door.all(Event)].count("Form Submitted") == 2


async def test_who_does_not_tick_the_box_has_not_agreed(door: Door) -> None:
    await door.nobody.post("/f/whitepaper", data={"email": "a@example.com"})

    assert (await door.rows(Contact), await door.rows(Consent)) == (1, 0)


async def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(door: Door) -> None:
    cases: list[tuple[dict[str, str], str]] = [
        ({**FILLED, "email": ""}, "email"),
        ({**FILLED, "email": '"><script>alert(1)</script>'}, "email"),
        ({**FILLED, "email": "a@b@c"}, "email"),
        ({**FILLED, "first_name": "x" * 201}, "first_name"),
        ({**FILLED, "company": "a\x00b"}, "company"),
        ({}, "email"),
    ]
    for body, field in cases:
        answer = await door.nobody.post("/f/whitepaper", data=body)

        page = LexborHTMLParser(answer.text)
        assert answer.status_code == 422, body
        assert attributes(page, f"#{field}")["aria-invalid"] == "true"
        assert page.css_first(f"#{field}-error") is not None
        assert page.css("script") == []
        if "company" in body and field != "company":
            assert attributes(page, "#company")["value"] == FILLED["company"]
            assert "checked" in attributes(page, "#consent")
    assert (await door.rows(Contact), await door.rows(Event)) == (0, 0)


async def test_a_program_that_fills_in_what_nobody_sees_is_thanked_and_forgotten(door: Door) -> None:
    answer = await door.nobody.post("/f/whitepaper", data={**FILLED, "website": "https://spam.example"})

    assert answer.status_code == 303
    assert await door.rows(Event) == 0


async def test_what_comes_along_unseen_and_is_wrong_is_left_out(door: Door) -> None:
    along = {"anonymous_id": "x" * 300, "timezone": "Mars/Olympus", "nonce": "é" * 100}

    answer = await door.nobody.post("/f/whitepaper", data={**FILLED, **along})

    assert answer.status_code == 303
    contact = await door.contact(email="hanako@example.com")
    assert (contact["timezone"], len(contact["identities"])) == (None, 1)


async def test_hostile_bodies_are_refused_without_a_trace(door: Door) -> None:
    form = "application/x-www-form-urlencoded"
    cases = [
        (b"email=" + b"a" * 40_000, form, 413),
        (b"\xff\xfe%ff=%00", form, 422),
        (b"&".join(b"a%d=1" % place for place in range(500)), form, 400),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", 422),
        (b"email=a", "multipart/form-data", 400),
        (b'--x\r\nContent-Disposition: form-data; name="email"; filename="a"\r\n\r\nx\r\n--x--\r\n',
         "multipart/form-data; boundary=x", 400),
        (b"{}", "application/json", 422),
    ]  # fmt: skip # one case a line
    for body, kind, status in cases:
        answer = await door.nobody.post("/f/whitepaper", content=body, headers={"Content-Type": kind})
        assert answer.status_code == status, (body[:50], answer.text)
    assert (await door.nobody.get("/f/nothing")).status_code == 404
    assert (await door.nobody.post("/f/nothing", data=FILLED)).status_code == 404
    assert await door.rows(Event) == 0
