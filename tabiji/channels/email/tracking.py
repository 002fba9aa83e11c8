"""Open pixel and counted links: signed, and short, because mail programs cut long links in two.

    tracked = TrackedLinks(secret, "https://mail.example.com")
    tracked.track(html, public_id, utm=Utm(…))      every link of a finished mail, in one pass
    tracked.read_click(token)                       where a link leads; None where it was not signed here

A token is a signature of 12 bytes, the message, the link's number and its address, as base64 for addresses.
"""

from __future__ import annotations

import hmac
import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from html import escape, unescape
from urllib.parse import urlsplit

from tabiji.domain.utm import Utm

PIXEL = '<img src="{}" alt="" width="1" height="1" style="display:block;width:1px;height:1px;border:0">'
LONGEST = 2_000
"""Characters of an address that is counted: more do not pass through all mail programs."""

_SIGNED = 12
_SHORT_ID, _SQUEEZED = 1, 2
_MOST_LINKS = 0xFFFF
# What addresses have in common needs no room of its own.
_COMMON = (
    b"https://www.https://http://.example.com/.co.jp/.or.jp/.ne.jp/.com/.net/.org/.jp/index.html?id=&page=&lang=ja"
    b"&utm_term=&utm_content=&utm_medium=email&utm_campaign=?utm_source=newsletter&utm_medium=email&utm_campaign="
)
_BACKSLASH_AND_FRIENDS = re.compile(r"[\\\s\x00-\x20\x7f-\xa0\u2028\u2029\ufeff]")
# No parser: what the templates' inliner writes is regular, and parsing it again would cost as much as all the rest.
_ANCHOR = re.compile(
    r"<!--.*?-->|<(?P<raw>style|title|script|textarea)\b.*?</(?P=raw)>"
    r"|<a(?=[\s>])(?P<said>(?:[^>\"']|\"[^\"]*\"|'[^']*')*)>",
    re.DOTALL | re.IGNORECASE,
)
# Attribute by attribute: what looks like one may stand in the value of another.
_HREF = re.compile(
    r"(?:\s+[^\s=>\"']+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?)*?\s+href\s*=\s*(?P<mark>[\"'])(?P<url>.*?)(?P=mark)",
    re.DOTALL | re.IGNORECASE,
)
_ASKED = re.compile(r"\sdata-(track|utm)=[\"']([^\"']*)[\"']", re.IGNORECASE)


@dataclass(frozen=True)
class Opened:
    """An open pixel was fetched."""

    message: str


@dataclass(frozen=True)
class Clicked:
    """A tracked link was followed. `url` is http or https, `place` its number in the mail, from 1; 0: not told."""

    message: str
    url: str
    place: int = 0


def is_web_address(url: str) -> bool:
    """Whether a link leads to a page, and for everybody who reads it to the same: http or https with a host.

    What browsers and libraries read differently is none: a name before the host (`https://us@them`), backslashes,
    spaces and control characters.
    """
    if len(url) > LONGEST or not url.isprintable() or _BACKSLASH_AND_FRIENDS.search(url):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    if (
        parts.scheme not in ("http", "https")
        or not host
        or "@" in parts.netloc
        or url[len(parts.scheme) :][:3] != "://"
    ):
        return False
    return _is_host(host)


class TrackedLinks:
    """Makes and reads the addresses that count."""

    def __init__(self, secret: str, public_url: str) -> None:
        self._base = public_url.rstrip("/")
        self._open_key, self._click_key = (
            hmac.digest(secret.encode(), f"tabiji.mail.{kind}".encode(), "sha256") for kind in ("open", "click")
        )

    def open(self, message: str) -> str:
        """Address of a message's open pixel."""
        return f"{self._base}/o/{_sealed(self._open_key, _named(message))}.gif"

    def click(self, message: str, url: str, place: int = 0) -> str:
        """Address that counts a click and leads on to `url`, the mail's `place`th link.

        Raises:
            ValueError: `url` is not http or https.
        """
        if not is_web_address(url):
            raise ValueError("only http and https links can be tracked")
        return self._counted(_named(message), place, _address(url))

    def read_open(self, token: str) -> Opened | None:
        """What a pixel's token says; None when we did not sign it."""
        read = _message_in(_unsealed(self._open_key, token))
        return Opened(read[0]) if read is not None and not read[1] else None

    def read_click(self, token: str) -> Clicked | None:
        """What a click's token says; None when we did not sign it."""
        read = _message_in(_unsealed(self._click_key, token))
        if read is None or len(read[1]) < 3:
            return None
        message, (high, low, how, *_) = read
        url = _address_in(how, read[1][3:])
        return Clicked(message, url, high << 8 | low) if url is not None and is_web_address(url) else None

    def track(
        self,
        html: str,
        message: str,
        *,
        untouched: frozenset[str] = frozenset(),
        utm: Utm | None = None,
        opens: bool = True,
        clicks: bool = True,
    ) -> str:
        """Send every web link of a mail through the click counter and add the open pixel.

        An author leaves a link alone with `data-track="off"`, and without campaign with `data-utm="off"`.

        Args:
            html: A whole document, as it is after its styles were inlined.
            message: The message's public id.
            untouched: Addresses that stay as they are, such as the unsubscribe link.
            utm: Campaign parameters.
            opens: Add the pixel.
            clicks: Count the clicks; else links lead where they lead.
        """
        named, place = _named(message), 0

        def one(found: re.Match[str]) -> str:
            nonlocal place
            said = found["said"]
            if said is None or (href := _HREF.match(said)) is None:
                return found[0]
            if href["url"] in untouched:
                return found[0]  # each is of one mail alone: nothing of it is worth remembering
            asked = _asked(said)
            url, target, payload = _led(href["url"], utm if asked.get("utm") != "off" else None)
            if payload is None or url in untouched:
                return found[0]
            place += 1
            if clicks and asked.get("track") != "off":
                target = self._counted(named, place, payload)
            kept = f"{said[: href.start('url')]}{target}{said[href.end('url') :]}"
            return f"<a{_ASKED.sub('', kept) if asked else kept}>"

        tracked = _ANCHOR.sub(one, html)
        if not opens:
            return tracked
        end = tracked.rfind("</body>")
        pixel = PIXEL.format(self.open(message))
        return f"{tracked[:end]}{pixel}{tracked[end:]}" if end >= 0 else tracked + pixel

    def _counted(self, named: bytes, place: int, address: bytes) -> str:
        numbered = min(place, _MOST_LINKS).to_bytes(2, "big")
        return f"{self._base}/c/{_sealed(self._click_key, named + numbered + address)}"


@lru_cache(maxsize=4096)
def _led(href: str, utm: Utm | None) -> tuple[str, str, bytes | None]:
    """Of a link as HTML writes it: its address; with its campaign, as HTML; and that as a token has it, if it may."""
    url = unescape(href).strip()
    if not is_web_address(url):
        return url, href, None
    target = utm.on(url) if utm is not None else url
    if not is_web_address(target):
        target = url
    return url, escape(target), _address(target)


def _asked(said: str) -> dict[str, str]:
    if "data-" not in said.lower():
        return {}
    return {name.lower(): value.lower() for name, value in _ASKED.findall(said)}


@lru_cache(maxsize=4096)
def _is_host(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return ".." not in host and not host.startswith("%") and "%" not in host


def _sealed(key: bytes, payload: bytes) -> str:
    return urlsafe_b64encode(_signature(key, payload) + payload).rstrip(b"=").decode()


def _unsealed(key: bytes, token: str) -> bytes | None:
    try:
        whole = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    payload = whole[_SIGNED:]
    if not hmac.compare_digest(whole[:_SIGNED], _signature(key, payload)):
        return None
    # One spelling alone is ours: whoever bends a letter that means nothing bends a link all the same.
    return payload if _sealed(key, payload) == token else None


def _signature(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, payload, "sha256")[:_SIGNED]


def _named(message: str) -> bytes:
    """A message's public id in as few bytes as it takes."""
    if len(message) == 32:
        try:
            short = bytes.fromhex(message)
        except ValueError:
            short = b""
        if short.hex() == message:
            return bytes((_SHORT_ID,)) + short
    written = message.encode()
    return bytes((0, len(written))) + written


def _message_in(payload: bytes | None) -> tuple[str, bytes] | None:
    """The message's public id, and what stands behind it."""
    if not payload:
        return None
    if payload[0] == _SHORT_ID:
        return payload[1:17].hex(), payload[17:]
    length = payload[1]
    return payload[2 : 2 + length].decode(), payload[2 + length :]


@lru_cache(maxsize=4096)
def _address(url: str) -> bytes:
    """An address in as few bytes as it takes. The same links stand in many mails."""
    plain = url.encode()
    packer = zlib.compressobj(9, wbits=-15, zdict=_COMMON)
    squeezed = packer.compress(plain) + packer.flush()
    return bytes((_SQUEEZED,)) + squeezed if len(squeezed) < len(plain) else b"\0" + plain


def _address_in(how: int, written: bytes) -> str | None:
    # Signed by us: it is not the work of a stranger, and no longer than `LONGEST`.
    plain = (
        zlib.decompressobj(wbits=-15, zdict=_COMMON).decompress(written, LONGEST * 4) if how & _SQUEEZED else written
    )
    return plain.decode()
