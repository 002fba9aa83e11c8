"""Headers and texts of a mail, whatever its author did to them."""

from __future__ import annotations

from collections.abc import Iterator
from email.errors import HeaderParseError, MessageError
from email.header import decode_header, make_header
from email.message import Message
from typing import cast

from inscriptis import get_text  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs] # has none

LONGEST = 200_000
"""Characters of a text that are looked at."""


def header(mail: Message, name: str) -> str:
    """A header as people read it, on one line; empty where there is none."""
    raw = mail.get(name)
    if raw is None:
        return ""
    try:
        text = str(make_header(decode_header(raw)))
    except (HeaderParseError, MessageError, LookupError, UnicodeError, ValueError):
        text = str(raw)
    return " ".join(text.split())


def texts(mail: Message) -> Iterator[str]:
    """The texts a mail says itself, in their order: not what it has attached, nor the messages in it."""
    yield from (_decoded(part) for part in _own_parts(mail))


def first_text(mail: Message) -> str:
    """What a mail says: its first text, or its HTML told in text."""
    return next((text for text in texts(mail) if text.strip()), "")


def _own_parts(mail: Message) -> Iterator[Message]:
    kind = mail.get_content_type()
    if kind == "message/rfc822" or mail.get_filename():
        return
    if mail.is_multipart():
        parts = [part for part in children(mail) if kind != "multipart/alternative" or _is_plain(part)]
        for part in parts or children(mail):
            yield from _own_parts(part)
    elif kind in ("text/plain", "text/html"):
        yield mail


def children(mail: Message) -> list[Message]:
    """The parts of a mail, where it has any."""
    payload = cast("object", mail.get_payload())
    if not isinstance(payload, list):
        return []
    return [part for part in cast("list[object]", payload) if isinstance(part, Message)]


def _is_plain(part: Message) -> bool:
    return part.get_content_type() == "text/plain" and bool(_decoded(part).strip())


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    charset = part.get_content_charset() or "utf-8"
    try:
        text = raw.decode(charset)
    except (LookupError, UnicodeError):
        text = raw.decode("latin-1")
    if part.get_content_type() == "text/html":
        text = str(get_text(text[:LONGEST])) if text.strip() else ""
    return text[:LONGEST].replace("\r\n", "\n")
