"""The templates that come with the journeys, as they are in the repository."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from tabiji.channels.email.render import Facts, Renderer

FOLDER = Path(__file__).resolve().parents[2] / "templates" / "email"
NAMES = sorted(str(file.relative_to(FOLDER).with_suffix("")) for file in FOLDER.glob("*/*.html"))
TO_CONTACTS = [name for name in NAMES if not name.startswith(("sales/", "team/", "consent/"))]
WAY_OUT = "https://mail.example.com/u/token"


def context(**attributes: object) -> dict[str, object]:
    return {
        "contact": Facts("contact", {"email": "hanako@example.jp", "attributes": attributes, **attributes}),
        "journey": Facts("journey", {"name": "whitepaper-nurture"}),
        "sender": Facts("sender", {"name": "旅路", "email": "hello@example.com"}),
        "public_url": "https://mail.example.com",
        "postal_address": "東京都千代田区1-1",
        "unsubscribe_url": WAY_OUT,
        "reason": "Looked at pricing",
        "score": 20,
        "events": [{"name": "Page Viewed", "at": datetime(2026, 3, 1, tzinfo=UTC), "about": "/pricing"}],
        "link": "https://temporal.example.com/x",
        "question": "May we send the offer?",
        "until": datetime(2026, 3, 2, tzinfo=UTC),
        "confirm": {"title": "News", "url": "https://mail.example.com/d/token"},
        "preferences_url": "https://mail.example.com/p/token",
        "answer_url": "https://mail.example.com/a/token",
    }


def test_every_template_of_the_journeys_is_there() -> None:
    assert {"whitepaper/welcome", "demo/invitation", "demo/follow-up"} <= set(NAMES)
    assert {
        "onboarding/welcome",
        "onboarding/first-steps",
        "stay-in-touch/news",
        "sales/notice",
        "team/notice",
        "team/approval",
    } <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_written_to_somebody_of_whom_nothing_is_known(name: str) -> None:
    mail = Renderer(FOLDER).render(name, context())
    assert mail.subject
    assert len(mail.subject) < 60
    assert "{{" not in mail.html + mail.text
    page = LexborHTMLParser(mail.html)
    preheader = page.css_first(".preheader")
    assert preheader is not None
    assert preheader.text().strip()
    assert preheader.text().strip() not in mail.text
    assert "prefers-color-scheme: dark" in mail.html


@pytest.mark.parametrize("name", TO_CONTACTS)
def test_it_greets_by_name_and_shows_the_way_out(name: str) -> None:
    mail = Renderer(FOLDER).render(name, context(first_name="花子"))
    for part in (mail.html, mail.text):
        assert "Hi 花子," in part
        assert WAY_OUT in part
        assert "東京都千代田区1-1" in part
    assert "Hi there," in Renderer(FOLDER).render(name, context()).text
