"""Signed links in mails: open pixel, click, unsubscribe, approval.

A token carries all its link needs to know, signed with the secret and a salt of its own kind: a click
cannot be bent to another target, nor a pixel's token used to unsubscribe somebody. Tokens do not expire;
mails are read years later. Only a visit's does, which says to a site of ours by which mail somebody came.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from selectolax.lexbor import LexborHTMLParser

from tabiji.channels.email.consent_links import ConsentLinks
from tabiji.channels.email.signing import loaded, signer, text

PIXEL = '<img src="{}" alt="" width="1" height="1" style="display:block;width:1px;height:1px;border:0">'

VISIT = "tbj"
"""The parameter a visit's token stands in. The script of our pages takes it out of the address bar."""
VISIT_COUNTS_FOR = timedelta(minutes=5)
"""From the click to the page's first word to us."""


@dataclass(frozen=True)
class Opened:
    """An open pixel was fetched."""

    message: str


@dataclass(frozen=True)
class Clicked:
    """A tracked link was followed. `url` is http or https."""

    message: str
    url: str


def is_web_address(url: str) -> bool:
    """Whether a link leads to a page: http or https with a host, and nothing that could end a header."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable() and " " not in url


class Links(ConsentLinks):
    """Makes and reads the links of mails. Those by which people decide are in `consent_links`."""

    def __init__(self, secret: str, public_url: str) -> None:
        super().__init__(secret, public_url)
        self._public_url = public_url.rstrip("/")
        self._open, self._click, self._approval, self._visit = (
            signer(secret, kind) for kind in ("open", "click", "approval", "visit")
        )

    def open(self, message: str) -> str:
        """Address of a message's open pixel."""
        return f"{self._public_url}/o/{text(self._open.dumps(message))}.gif"

    def click(self, message: str, url: str) -> str:
        """Address that counts a click and leads on to `url`.

        Raises:
            ValueError: `url` is not http or https.
        """
        if not is_web_address(url):
            raise ValueError("only http and https links can be tracked")
        return f"{self._public_url}/c/{text(self._click.dumps([message, url]))}"

    def visit(self, message: str, url: str, *, at: datetime) -> str:
        """The address of a page, told by which mail somebody comes. For sites of ours alone: it says who they are.

        Args:
            message: The message's public id.
            url: Where the link leads.
            at: When it was clicked, by the wall's clock.
        """
        token = text(self._visit.dumps([message, int(at.timestamp())]))
        page, hash_, place = url.partition("#")
        return f"{page}{'&' if '?' in page else '?'}{VISIT}={token}{hash_}{place}"

    def read_visit(self, token: str, *, now: datetime) -> str | None:
        """The message a visit's token names; None when we did not sign it, or not just now."""
        match loaded(self._visit, token):
            case [str(message), int(at)] if 0 <= now.timestamp() - at <= VISIT_COUNTS_FOR.total_seconds():
                return message
            case _:
                return None

    def approval(self, approval_id: UUID) -> str:
        """Address of the page where a question can be answered."""
        return f"{self._public_url}/a/{text(self._approval.dumps(approval_id.hex))}"

    def read_approval(self, token: str) -> UUID | None:
        """The question an approval link's token names; None when we did not sign it."""
        match loaded(self._approval, token):
            case str(approval):
                return UUID(approval)
            case _:
                return None

    def read_open(self, token: str) -> Opened | None:
        """What a pixel's token says; None when we did not sign it."""
        match loaded(self._open, token):
            case str(message):
                return Opened(message)
            case _:
                return None

    def read_click(self, token: str) -> Clicked | None:
        """What a click's token says; None when we did not sign it."""
        match loaded(self._click, token):
            case [str(message), str(url)] if is_web_address(url):
                return Clicked(message, url)
            case _:
                return None

    def track(self, html: str, message: str, *, untouched: frozenset[str] = frozenset()) -> str:
        """Send every web link of a mail through the click counter and add the open pixel.

        Args:
            html: A whole document.
            message: The message's public id.
            untouched: Addresses that stay as they are, such as the unsubscribe link.
        """
        page = LexborHTMLParser(html)
        for anchor in page.css("a[href]"):
            url = (anchor.attributes["href"] or "").strip()
            if url not in untouched and is_web_address(url):
                anchor.attrs["href"] = self.click(message, url)
        pixel = LexborHTMLParser(PIXEL.format(self.open(message))).css_first("img")
        if page.body is not None and pixel is not None:
            page.body.insert_child(pixel)
        return page.html or html
