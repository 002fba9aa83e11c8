"""From a filled template to a mail's parts: subject, preheader, HTML with inlined styles and safe links, text."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from css_inline import CSSInliner
from inscriptis import get_text  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs] # has none
from inscriptis.css_profiles import CSS_PROFILES  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs] # has none
from inscriptis.model.config import ParserConfig  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs] # has none
from selectolax.lexbor import LexborHTMLParser

from tabiji.channels.email.safe_links import ADDRESSES, is_safe

# Links would be fetched from wherever a template, or a value in it, says.
_INLINER = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
_TEXT = ParserConfig(css=CSS_PROFILES["strict"], display_links=True)
_AMPERSAND = "\ufdd2"
_ADDRESSED = ", ".join(f"[{attribute}]" for attribute in ADDRESSES)


@dataclass(frozen=True)
class Rendered:
    """A mail's content, for one person."""

    subject: str
    html: str
    text: str
    preheader: str = ""
    """What an inbox shows beside the subject."""
    unsafe: tuple[str, ...] = ()
    """Addresses that were taken out."""


def finish(html: str, text: str | None, *, kept: str | None = None) -> Rendered:
    """Make a mail's parts of a whole document.

    Addresses that are not safe are taken out: what remains of the link is its words.

    Args:
        html: The document. Its title is the subject, its `.preheader` the preheader.
        text: The text part; None: the document is told in text.
        kept: Addresses that begin with this are left for somebody else to judge.
    """
    page = LexborHTMLParser(html)
    title, preheader = page.css_first("title"), page.css_first(".preheader")
    subject = one_line(title.text()) if title is not None else ""
    foretaste = one_line(preheader.text()) if preheader is not None else ""
    unsafe = tuple(_make_safe(page, kept))
    whole = page.html or ""
    if text is None:
        text = _as_text(page)
    return Rendered(subject=subject, html=_INLINER.inline(whole), text=text, preheader=foretaste, unsafe=unsafe)


def told(html: str, *, kept: str | None = None) -> str:
    """A document told in text, its links behind their words."""
    page = LexborHTMLParser(html)
    deque(_make_safe(page, kept), maxlen=0)
    return _as_text(page)


def _as_text(page: LexborHTMLParser) -> str:
    """Takes from the page what is not for readers."""
    for unseen in page.css("head, .preheader"):
        unseen.decompose()
    # The library reads entities twice and more: "&copy=2" of an address would become a sign.
    text: str = get_text((page.html or "").replace("&amp;", _AMPERSAND), _TEXT)
    lines = (line.rstrip() for line in text.strip().splitlines())
    return "\n".join(lines).replace(_AMPERSAND, "&") + "\n"


def one_line(text: str) -> str:
    """Without breaks, tabs and runs of spaces."""
    return " ".join(text.split())


def _make_safe(page: LexborHTMLParser, kept: str | None) -> Iterator[str]:
    """Take out what is not safe, and tell it."""
    for node in page.css(_ADDRESSED):
        for name, address in node.attributes.items():
            if name not in ADDRESSES or is_safe(name, address or ""):
                continue
            if kept is None or not (address or "").strip().startswith(kept):
                del node.attrs[name]
                yield address or ""
