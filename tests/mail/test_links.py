from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from tabiji.channels.email.consent_links import Unsubscribing
from tabiji.channels.email.links import Clicked, Links, Opened, is_web_address

SECRET = "s" * 32
LINKS = Links(SECRET, "https://mail.example.com/")


def token(url: str) -> str:
    return url.rsplit("/", 1)[1].removesuffix(".gif")


def hrefs(html: str) -> list[str]:
    return [anchor.attributes["href"] or "" for anchor in LexborHTMLParser(html).css("a[href]")]


def test_every_link_says_what_it_was_made_for() -> None:
    contact = uuid4()
    assert LINKS.open("m1").startswith("https://mail.example.com/o/")
    assert LINKS.read_open(token(LINKS.open("m1"))) == Opened("m1")
    assert LINKS.read_click(token(LINKS.click("m1", "https://a.example/?q=旅"))) == Clicked(
        "m1", "https://a.example/?q=旅"
    )
    found = LINKS.read_unsubscribe(token(LINKS.unsubscribe(contact, "marketing", "m1")))
    assert found == Unsubscribing(contact, "marketing", "m1")
    assert found is not None
    assert isinstance(found.contact_id, UUID)


def test_a_token_of_one_kind_is_worth_nothing_as_another() -> None:
    opened, clicked = token(LINKS.open("m1")), token(LINKS.click("m1", "https://a.example/"))
    assert LINKS.read_click(opened) is None
    assert LINKS.read_open(clicked) is None
    assert LINKS.read_unsubscribe(clicked) is None


def test_a_token_of_another_house_is_worth_nothing() -> None:
    assert Links("t" * 32, "https://mail.example.com").read_open(token(LINKS.open("m1"))) is None


@given(st.text(max_size=60))
def test_nonsense_is_no_token(text: str) -> None:
    assert LINKS.read_open(text) is None
    assert LINKS.read_click(text) is None
    assert LINKS.read_unsubscribe(text) is None


@given(place=st.integers(min_value=0), letter=st.sampled_from("abcXYZ019-_."))
def test_a_click_cannot_be_bent_to_another_target(place: int, letter: str) -> None:
    original = token(LINKS.click("m1", "https://a.example/"))
    place %= len(original)
    bent = original[:place] + letter + original[place + 1 :]
    # The last letter of base64 has spare bits: another spelling of the same signature is still ours.
    assert LINKS.read_click(bent) in (None, Clicked("m1", "https://a.example/"))


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "mailto:a@b.example", "//a.example", "https://", "https://a.example/\r\nX: y", "tel:1"],
)
def test_only_pages_can_be_tracked(url: str) -> None:
    assert not is_web_address(url)
    with pytest.raises(ValueError, match="http"):
        LINKS.click("m1", url)


def test_links_to_pages_are_tracked_and_others_are_left_alone() -> None:
    way_out = LINKS.unsubscribe(uuid4(), "marketing", "m1")
    html = (
        "<!doctype html><html><body><a href='https://a.example/?x=1&amp;y=2'>資料</a><a href='mailto:a@b.example'>m</a>"
        f"<a href='#top'>t</a><a name='n'>n</a><a href='{way_out}'>out</a></body></html>"
    )
    tracked = LINKS.track(html, "m1", untouched=frozenset({way_out}))

    first, *others = hrefs(tracked)
    assert LINKS.read_click(token(first)) == Clicked("m1", "https://a.example/?x=1&y=2", 1)
    assert others == ["mailto:a@b.example", "#top", way_out]
    assert "資料" in tracked
    assert tracked.lower().startswith("<!doctype html>")


def test_the_pixel_is_the_last_thing_in_the_body() -> None:
    tracked = LINKS.track("<!doctype html><html><body><p>x</p></body></html>", "m1")
    images = LexborHTMLParser(tracked).css("body > img")
    assert [image.attributes["src"] for image in images] == [LINKS.open("m1")]
    assert tracked.endswith('border:0"></body></html>')
