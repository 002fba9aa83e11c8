"""Dates, numbers and amounts by a person's locale and zone; words by language, tag, list and segment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from tabiji.channels.email.facts import Facts
from tabiji.channels.email.formats import locale_of
from tabiji.channels.email.render import Rendered, Renderer
from tabiji.channels.email.safe_links import is_safe
from tabiji.errors import TemplateError

AT = "2026-03-01T20:30:00Z"
Render = Callable[..., Rendered]


@pytest.fixture
def render(tmp_path: Path) -> Render:
    (tmp_path / "email").mkdir()

    def made(
        body: str, *, facts: dict[str, object] | None = None, variant: str | None = None, **contact: object
    ) -> Rendered:
        head = "<html lang='{{ lang }}' dir='{{ dir }}'><title>{% block subject %}S{% endblock %}</title>"
        (tmp_path / "email" / "x.html").write_text(head + body, encoding="utf-8")
        known = {"contact": Facts("contact", contact), **(facts or {})}
        return Renderer(tmp_path / "email").render("x", known, variant)

    return made


@pytest.mark.parametrize(
    ("written", "locale", "zone", "shown"),
    [
        ("at | date", "en-GB", "Europe/London", "1 Mar 2026"),
        ("at | date", "ja-JP", "Asia/Tokyo", "2026/03/02"),
        ("at | date('long')", "ja-JP", "Asia/Tokyo", "2026年3月2日"),
        ("at | date('long')", "de", None, "1. März 2026"),
        ("at | time", "ja-JP", "Asia/Tokyo", "5:30"),
        ("at | time", "de-DE", "Europe/Berlin", "21:30"),
        ("at | datetime('short')", "de-DE", "Europe/Berlin", "01.03.26, 21:30"),
        ("'2026-03-01' | date('d. MMMM')", "de", "Pacific/Auckland", "1. März"),
        ("1234.5 | number", "de", None, "1.234,5"),
        ("1234.5 | number(2)", "en", None, "1,234.50"),
        ("'1234' | money('JPY')", "ja-JP", None, "\uffe51,234"),
        ("1234.5 | money('EUR')", "de", None, "1.234,50 €"),
        ("9 | money", "en", None, "€9.00"),
        ("0.256 | percent", "de", None, "26 %"),
        ("0.256 | percent(1)", "en", None, "25.6%"),
        ("at | date", "xx_nonsense!", "Moon/Sea", "Mar 1, 2026"),
    ],
)
def test_it_is_written_as_the_person_writes_it(
    render: Render, written: str, locale: str, zone: str | None, shown: str
) -> None:
    mail = render(f"<p>{{{{ {written} }}}}</p>", facts={"at": AT}, locale=locale, timezone=zone)
    assert mail.text.replace("\xa0", " ").strip() == shown


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("contact.secret | date", "is not a date"),
        ("contact.secret | number", "is not a number"),
        ("'2026-03-01' | time", "without a time"),
        ("1 | money('secret')", "no currency"),
        ("true | number", "is not a number"),
        ("'nan' | money", "is not a number"),
    ],
)
def test_what_cannot_be_written_is_told_with_its_line_and_without_the_value(
    render: Render, written: str, words: str
) -> None:
    with pytest.raises(TemplateError, match=words) as caught:
        render(f"\n<p>{{{{ {written} }}}}</p>", secret="Geheimnis")
    assert "x.html, line 2" in str(caught.value)
    assert "Geheimnis" not in str(caught.value)


@given(st.one_of(st.none(), st.text(max_size=12)))
def test_any_text_is_a_locale_or_none(written: str | None) -> None:
    assert locale_of(written, "ja").language


def test_words_follow_tag_list_segment_and_language(render: Render) -> None:
    body = (
        "<p>{% if contact is tagged('vip') %}tagged {% endif %}{% if contact is on_list('news') %}listed {% endif %}"
        "{% if contact is in_segment('hot') %}hot {% endif %}"
        "{% if language == 'ja' %}こんにちは{% else %}hello{% endif %}"
        "{% if contact is speaking('ja') %}!{% endif %}</p>"
    )
    nobody = render(body, facts={"segments": {"hot": False}})
    assert nobody.text == "hello\n"
    known = render(body, facts={"segments": {"hot": True}}, tags=["vip"], lists=["news"], locale="ja-JP")
    assert known.text == "tagged listed hot こんにちは!\n"


def test_a_segment_that_was_not_looked_up_is_an_error(render: Render) -> None:
    with pytest.raises(TemplateError, match="'hot', which was not looked up"):
        render("{% if contact is in_segment('hot') %}x{% endif %}")


@pytest.mark.parametrize(
    ("locale", "lang", "dir"), [("ar-EG", "ar-EG", "rtl"), ("he", "he", "rtl"), ("ja", "ja", "ltr")]
)
def test_lang_and_dir_are_of_the_words(render: Render, locale: str, lang: str, dir: str) -> None:
    speaking = render("{% if contact is speaking('" + locale[:2] + "') %}x{% endif %}", locale=locale)
    assert f'<html lang="{lang}" dir="{dir}">' in speaking.html
    assert '<html lang="en" dir="ltr">' in render("Only English", locale=locale).html


def test_a_file_of_the_persons_language_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "email"
    folder.mkdir()
    (folder / "x.html").write_text("<html lang={{ lang }}><title>Hello</title>")
    renderer = Renderer(folder)
    assert renderer.render("x", {"contact": {"locale": "ar"}}).subject == "Hello"
    (folder / "x.ar.html").write_text("<html lang={{ lang }} dir={{ dir }}><title>مرحبا</title>", encoding="utf-8")
    (folder / "x.ar.txt").write_text("نص", encoding="utf-8")
    mail = renderer.render("x", {"contact": {"locale": "ar"}})
    assert (mail.subject, mail.text) == ("مرحبا", "نص")
    assert 'dir="rtl"' in mail.html
    assert renderer.render("x", {"contact": {"locale": "ja"}}).subject == "Hello"


def test_a_variant_has_blocks_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "email"
    folder.mkdir()
    (folder / "_layout.html").write_text(
        "<title>{% block subject %}{% endblock %}</title>{% block body %}{% endblock %}"
    )
    (folder / "x.html").write_text(
        "{% extends '_layout.html' %}{% block subject %}Plain{% endblock %}{% block subject_warm %}Warm{% endblock %}"
        "{% block body %}<p>{{ 'for ' ~ variant if variant else 'for all' }}</p>{% endblock %}"
    )
    renderer = Renderer(folder)
    for _ in range(3):
        assert [renderer.render("x", {}, arm).subject for arm in (None, "warm", "cold")] == ["Plain", "Warm", "Plain"]
        assert renderer.render("x", {}, "cold").text == "for cold\n"


def test_the_preheader_comes_along(render: Render) -> None:
    assert render("<div class='preheader'> a \n b </div>x").preheader == "a b"


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", " java\nscript:alert(1)", "JAVASCRIPT:x", "data:text/html,x", "vbscript:x", "/path", "",
     "x", "http:", "https://", "file:///etc/passwd", "mailto:", "//host/x", "\x01javascript:x"],
)  # fmt: skip # a table
def test_an_address_that_is_not_safe_is_taken_out_and_its_words_stay(render: Render, address: str) -> None:
    assert not is_safe("href", address)
    mail = render("<a href='{{ contact.attributes.site }}'>words</a>", attributes={"site": address})
    assert "href" not in mail.html
    assert "words" in mail.text
    assert mail.unsafe == (address,) or not mail.unsafe[0].isprintable() or address.strip() != address


@pytest.mark.parametrize(
    "address", ["https://a.example/x?y=1#z", "HTTP://a.example", "mailto:a@b.example", "tel:+81312345678", "#offer"]
)
def test_an_address_that_is_safe_stays(render: Render, address: str) -> None:
    assert is_safe("href", address)
    assert f'href="{address}"' in render("<a href='{{ site }}'>words</a>", facts={"site": address}).html


def test_what_stands_in_an_address_cannot_leave_it(render: Render) -> None:
    name = '"><script>alert(1)</script>'
    page = LexborHTMLParser(render('<a href="https://a.example/?n={{ contact.name }}">x</a>', name=name).html)
    assert page.css_first("script") is None
    assert [link.attributes["href"] for link in page.css("a")] == [f"https://a.example/?n={name}"]
