"""What is wrong with one rendered mail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from tabiji.channels.email.links import Links
from tabiji.channels.email.render import Rendered

BIGGEST = 102 * 1024
"""Bytes of HTML, its links counted as they are sent. Gmail cuts off what is longer, and with it the way out."""
_ID = "0" * 32
_SECRET = "x" * 32
_ACTIVE = "script, iframe, object, embed, form"


@dataclass(frozen=True)
class Flaw:
    """One thing that is wrong."""

    code: str
    message: str
    remedy: str
    needle: str = ""
    """What its line contains, in the template that made it."""


def flaws_in(rendered: Rendered, *, way_out: str | None, public_url: str) -> Iterator[Flaw]:
    """Look at a mail.

    Args:
        rendered: By the plain way, so that what was taken out is told.
        way_out: The unsubscribe link it must show; None: it needs none.
        public_url: Where tracked links lead, which makes them longer.
    """
    page = LexborHTMLParser(rendered.html)
    yield from _links(rendered, page)
    yield from _pictures(page)
    for node in page.css(_ACTIVE):
        message = f"programs of mail throw <{node.tag}> away."
        yield Flaw("active", message, "Take it out, and link to a page.", f"<{node.tag}")
    if way_out is not None:
        yield from _way_out(rendered, page, way_out)
    size = len(Links(_SECRET, public_url).track(rendered.html, _ID).encode())
    if size > BIGGEST:
        message = f"it has {size / 1024:.0f} KB, and Gmail cuts mails off at 102 KB."
        yield Flaw("size", message, "Say less, or link to a page.")


def _links(rendered: Rendered, page: LexborHTMLParser) -> Iterator[Flaw]:
    for address in rendered.unsafe:
        yield Flaw(
            "link",
            f"the address {address[:80]!r} is not safe or leads nowhere, and was taken out.",
            "Only http, https, mailto and tel lead somewhere from an inbox, each written whole.",
            address,
        )
    for node in page.css("a[href='#']"):
        words = " ".join((node.text() or "").split())
        yield Flaw("link", f"the link {words!r} leads nowhere.", "Say where it leads.", 'href="#"')


def _pictures(page: LexborHTMLParser) -> Iterator[Flaw]:
    for node in page.css("img, area[href]"):
        needle = node.attributes.get("src") or node.attributes.get("href") or f"<{node.tag}"
        if "alt" not in node.attributes:
            remedy = 'Say in alt="…" what it shows; alt="" where it only decorates.'
            yield Flaw("alt", "a picture has no alt text.", remedy, needle)
        elif not (node.attributes["alt"] or "").strip() and _is_all_of_a_link(node):
            message = "a picture is all there is of a link, and its alt text is empty."
            yield Flaw("alt", message, 'Say in alt="…" where the link leads.', needle)


def _way_out(rendered: Rendered, page: LexborHTMLParser, link: str) -> Iterator[Flaw]:
    remedy = (
        "Keep the layout's footer, or show {{ unsubscribe_url }}. What people have asked for goes on a transactional "
        'topic, or says {% set audience = "transactional" %}.'
    )
    if link not in {node.attributes.get("href") for node in page.css("a[href]")}:
        yield Flaw("unsubscribe", "it does not show how to unsubscribe.", remedy)
    if link not in rendered.text:
        yield Flaw("unsubscribe", "its text part does not show how to unsubscribe.", remedy)


def _is_all_of_a_link(node: LexborNode) -> bool:
    parent = node.parent
    return parent is not None and parent.tag == "a" and not (parent.text() or "").strip()
