"""Where links and pictures of a mail may lead."""

from __future__ import annotations

import re

LINKS = frozenset({"http", "https", "mailto", "tel"})
PICTURES = frozenset({"http", "https", "cid"})
ADDRESSES = {"href": LINKS, "action": LINKS, "formaction": LINKS, "src": PICTURES, "background": PICTURES}
"""Attributes that hold an address, and what it may begin with."""

_SCHEME = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*):")
_PICTURE_INSIDE = re.compile(r"^data:image/(png|gif|jpeg|webp);base64,", re.IGNORECASE)
# Browsers leave these out before they read an address: "java\nscript:" is a script.
_LEFT_OUT = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")


def is_safe(attribute: str, address: str) -> bool:
    """Whether an attribute may hold this address.

    http, https, mailto and tel, with something behind them, and a place in the mail itself (`#offer`); of pictures
    http, https, cid, and such as stand in the mail. A path alone leads nowhere from an inbox.
    """
    allowed = ADDRESSES[attribute]
    plain = _LEFT_OUT.sub("", address)
    if plain.startswith("#"):
        return allowed is LINKS
    found = _SCHEME.match(plain)
    if found is None:
        return False
    scheme = found[1].lower()
    if allowed is PICTURES and _PICTURE_INSIDE.match(plain):
        return True
    rest = plain[found.end() :]
    if scheme in ("http", "https"):
        return scheme in allowed and rest.startswith("//") and len(rest.strip("/")) > 0
    return scheme in allowed and bool(rest)
