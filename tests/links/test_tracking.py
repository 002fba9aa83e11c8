"""Links that count lead where the author's link led, and nowhere else; and cost next to nothing."""

from __future__ import annotations

import string
from html import escape
from pathlib import Path
from time import perf_counter
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from tabiji.channels.email.tracking import LONGEST, Clicked, TrackedLinks, is_web_address
from tabiji.domain.utm import Utm

LINKS = TrackedLinks("s" * 32, "https://mail.example.com/")
MESSAGE = "0123456789abcdef" * 2
BENT = (
    "https://a.example\r\nLocation: https://evil.example",
    "https://a.example/\nSet-Cookie: x=1",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "https:\\\\evil.example",
    "https:/evil.example",
    "https:evil.example",
    "https://a.example\\@evil.example/",
    "https://a.example@evil.example/",
    "https://user:secret@evil.example/",
    "https://evil.example\\.a.example/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>",
    "java\tscript:alert(1)",
    "ht\ntps://evil.example",
    "https://evil .example",
    "https://evil.example/\u2028x",
    "https://evil\u2100.example/",
    "https://evil%2eexample/",
    "https://evil.example\u00a0/",
    "https://[evil.example]/",
    "https://evil.example:port/",
    "https://evil..example/",
    "https://",
    "https:///path",
    "mailto:a@b.example",
    "ftp://a.example/",
    "https://a.example/" + "x" * LONGEST,
)


def token(url: str) -> str:
    return url.rpartition("/")[2].removesuffix(".gif")


def leads(html: str) -> list[str]:
    """Where the links of a tracked mail lead, in their order."""
    found: list[str] = []
    for anchor in LexborHTMLParser(html).css("a[href]"):
        href = anchor.attributes["href"] or ""
        clicked = LINKS.read_click(token(href)) if href.startswith("https://mail.example.com/c/") else None
        found.append(clicked.url if clicked is not None else href)
    return found


schemes = st.sampled_from(("http://", "https://"))
hosts = st.sampled_from(
    ("a.example", "www.example.co.jp", "日本語.jp", "xn--wgv71a119e.jp", "203.0.113.7", "[2001:db8::1]")
)
ports = st.sampled_from(("/", ":8443/"))
paths = st.text(string.ascii_letters + string.digits + "/-_.~%白書旅路", max_size=30)
queries = st.one_of(st.just(""), st.text(string.ascii_letters + "=&%+旅;:@!$'()*,", max_size=30).map("?{}".format))
places = st.sampled_from(("", "#top", "#年額"))
urls = st.tuples(schemes, hosts, ports, paths, queries, places).map("".join)


@given(urls, st.integers(0, 70_000), st.one_of(st.just(MESSAGE), st.text(string.hexdigits, min_size=1, max_size=64)))
def test_a_click_leads_where_the_link_led(url: str, place: int, message: str) -> None:
    link = LINKS.click(message, url, place)
    assert LINKS.read_click(token(link)) == Clicked(message, url, min(place, 0xFFFF))
    assert set(token(link)) <= set(string.ascii_letters + string.digits + "-_")


@given(urls, st.data())
def test_a_token_with_one_letter_changed_is_no_token(url: str, data: st.DataObject) -> None:
    original = token(LINKS.click(MESSAGE, url, 1))
    place = data.draw(st.integers(0, len(original) - 1))
    letter = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_=+/. "))
    bent = original[:place] + letter + original[place + 1 :]
    assert LINKS.read_click(bent) is None or bent == original
    assert LINKS.read_click(original[:place]) is None
    assert LINKS.read_click(original + letter) is None


@given(st.one_of(st.text(max_size=80), st.text(string.ascii_letters + string.digits + "-_", max_size=400)))
def test_nonsense_is_no_token(text: str) -> None:
    assert LINKS.read_click(text) is None
    assert LINKS.read_open(text) is None


@pytest.mark.parametrize("url", BENT)
def test_what_could_lead_elsewhere_than_it_looks_is_not_counted(url: str) -> None:
    assert not is_web_address(url)
    with pytest.raises(ValueError, match="http"):
        LINKS.click(MESSAGE, url)
    html = f'<html><body><a href="{escape(url)}">x</a></body></html>'
    assert "/c/" not in LINKS.track(html, MESSAGE)


@given(st.text(max_size=40), st.text(max_size=20))
def test_whatever_stands_in_a_link_it_is_read_as_one_host_or_not_counted(authority: str, path: str) -> None:
    url = f"https://{authority}/{path}"
    if is_web_address(url):
        host = urlsplit(url).hostname or ""
        # As a browser reads it: backslashes are slashes, and what stands before an @ is a name.
        assert url.replace("\\", "/").split("/")[2].rpartition("@")[2].rpartition(":")[0].lower() in (host, "") or (
            url.split("/")[2].lower() == host or host in url.split("/")[2].lower()
        )
        assert "@" not in url.split("/")[2]


def test_tokens_are_short() -> None:
    url = "https://www.example.com/offer/1?a=1&b=2"
    assert len(LINKS.click(MESSAGE, url, 1)) <= 100
    assert len(LINKS.open(MESSAGE)) <= 75
    marked = Utm("newsletter", campaign="trial-nurture").on(url)
    assert len(LINKS.click(MESSAGE, marked, 1)) <= 140


def test_each_link_has_its_number_and_the_rest_is_left_alone() -> None:
    html = (
        '<!DOCTYPE html><html><head><title><a href="https://a.example/title">t</a></title>'
        '<style>a[href="https://a.example/style"]{}</style></head><body>'
        '<!--[if mso]><a href="https://a.example/mso">m</a><![endif]-->'
        '<a title="href=\'https://a.example/no\' &gt;" href="https://a.example/1?x=1&amp;y=%20">1</a>'
        "<A HREF='https://a.example/2'>2</A><a href=\"mailto:a@b.example\">m</a><a name=x>n</a>"
        '<abbr href="https://a.example/abbr">x</abbr><a href="https://a.example/own" data-track="off">own</a>'
        '<a href="https://a.example/2">again</a></body></html>'
    )
    tracked = LINKS.track(html, MESSAGE)
    clicked = [
        LINKS.read_click(token(a.attributes["href"] or "")) for a in LexborHTMLParser(tracked).css("body a[href]")
    ]
    numbers = [(one.url, one.place) for one in clicked if one is not None]
    assert numbers == [("https://a.example/1?x=1&y=%20", 1), ("https://a.example/2", 2), ("https://a.example/2", 4)]
    for untouched in ("a.example/title", "a.example/style", "a.example/mso", "a.example/abbr", "a.example/own"):
        assert f"https://{untouched}" in tracked
    assert "data-track" not in tracked
    assert tracked.endswith("</body></html>")


attributes = st.lists(
    st.tuples(st.sampled_from(("class", "title", "style", "data-x")), st.text("abc<>'& =\n/", max_size=12)), max_size=3
)


def anchor(before: list[tuple[str, str]], url: str, after: list[tuple[str, str]]) -> str:
    said = "".join(f' {name}="{escape(value)}"' for name, value in (*before, ("href", url), *after))
    return f"<a{said}>x</a>"


parts = st.lists(
    st.one_of(
        st.text("ab &<>'\"旅", max_size=10).map(escape),
        st.builds(anchor, attributes, urls, attributes),
        st.sampled_from(("<p>", "</p>", "<br>", '<img src="https://a.example/i.png" alt="">', "<!-- <a href='x'> -->")),
    ),
    max_size=8,
)  # fmt: skip # one strategy


@given(parts)
def test_it_finds_the_links_a_parser_finds(body: list[str]) -> None:
    html = f"<!DOCTYPE html><html><head></head><body>{''.join(body)}</body></html>"
    expected = [(anchor.attributes["href"] or "").strip() for anchor in LexborHTMLParser(html).css("a[href]")]
    tracked = LINKS.track(html, MESSAGE)
    assert leads(tracked) == expected
    counted = [a.attributes["href"] or "" for a in LexborHTMLParser(tracked).css("a[href]")]
    assert all(href.startswith("https://mail.example.com/c/") for href in counted)


def test_opens_and_clicks_may_be_left_uncounted() -> None:
    html = '<html><body><a href="https://a.example/">x</a></body></html>'
    assert LINKS.track(html, MESSAGE, opens=False, clicks=False) == html
    assert "/o/" not in LINKS.track(html, MESSAGE, opens=False)
    assert "/c/" not in LINKS.track(html, MESSAGE, clicks=False)
    marked = LINKS.track(html, MESSAGE, opens=False, clicks=False, utm=Utm("t"))
    assert 'href="https://a.example/?utm_source=t&amp;utm_medium=email"' in marked


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example", "https://a.example?utm_source=t&utm_medium=email&utm_campaign=c"),
        ("https://a.example/?", "https://a.example/?utm_source=t&utm_medium=email&utm_campaign=c"),
        ("https://a.example/?x=1#y", "https://a.example/?x=1&utm_source=t&utm_medium=email&utm_campaign=c#y"),
        ("https://a.example/?utm_campaign=mine", "https://a.example/?utm_campaign=mine&utm_source=t&utm_medium=email"),
        ("https://a.example/?UTM_Source=&utm_medium=x&utm_campaign=", "https://a.example/?UTM_Source=&utm_medium=x&utm_campaign="),
        ("https://other.example/", "https://other.example/"),
        ("https://a.example.evil.example/", "https://a.example.evil.example/"),
        ("http://localhost:3000/x", "http://localhost:3000/x?utm_source=t&utm_medium=email&utm_campaign=c"),
    ],
)  # fmt: skip # one case a line
def test_a_campaign_is_added_and_nothing_an_author_wrote_is_changed(url: str, expected: str) -> None:
    assert Utm("t", campaign="c", sites=frozenset(("a.example", "localhost:3000"))).on(url) == expected


@given(urls)
def test_a_campaign_changes_nothing_else_of_a_link(url: str) -> None:
    marked = Utm("旅路", campaign="a b&c=d#e", content="warm").on(url)
    before, after = urlsplit(url), urlsplit(marked)
    assert (before.scheme, before.netloc, before.path, before.fragment) == (
        after.scheme, after.netloc, after.path, after.fragment,
    )  # fmt: skip # of both
    assert after.query.startswith(before.query)
    added = dict(parse_qsl(after.query[len(before.query) :].lstrip("&")))
    assert added == {"utm_source": "旅路", "utm_medium": "email", "utm_campaign": "a b&c=d#e", "utm_content": "warm"}
    assert Utm("x").on(marked) == marked


def test_an_author_keeps_a_link_without_campaign() -> None:
    html = '<body><a href="https://a.example/1" data-utm="off">1</a><a href="https://a.example/2">2</a></body>'
    assert leads(LINKS.track(html, MESSAGE, utm=Utm("t"))) == [
        "https://a.example/1",
        "https://a.example/2?utm_source=t&utm_medium=email",
    ]


def test_every_template_of_ours_is_tracked_in_next_to_no_time() -> None:
    body = "".join(f'<p>{"Words " * 60}<a href="https://a.example/{n}">{n}</a></p>' for n in range(20))
    html = f"<!DOCTYPE html><html><head><title>t</title></head><body>{body}</body></html>"
    LINKS.track(html, MESSAGE)
    begun = perf_counter()
    for _ in range(100):
        LINKS.track(html, MESSAGE, utm=Utm("t"))
    assert (perf_counter() - begun) / 100 < 0.005, "a broadcast has no five milliseconds for each mail"


def test_templates_use_only_links_that_can_be_counted() -> None:
    for file in Path("templates/email").rglob("*.html"):
        for anchor in LexborHTMLParser(file.read_text(encoding="utf-8")).css("a[href]"):
            href = anchor.attributes["href"] or ""
            assert href.startswith(("{{", "mailto:", "#")) or is_web_address(href), f"{file}: {href}"
