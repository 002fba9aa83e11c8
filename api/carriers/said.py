"""What a provider says of a mail, in our words; and how what it sends is read without trusting its form."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol, cast

from pydantic import JsonValue

from tabiji.domain.bounces import Kind, kind_of

Object = Mapping[str, JsonValue]
What = Literal["delivered", "bounce", "complaint", "unsubscribe", "open", "click"]

LASTS = timedelta(hours=25)
"""How old a signed time may be: providers bring what we did not take for a day. What comes again changes nothing."""
AHEAD = timedelta(minutes=5)

_PUBLIC_ID = re.compile(r"<?([A-Za-z0-9_-]{1,64})(?:@[^<>@\s]+)?>?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One event.

    Attributes:
        message: Our public id, where it names one.
        address: The recipient.
        key: The provider's own name of the event: it counts once.
        kind: Of a bounce, why.
        permanent: For good.
        evidence: Code and status.
        url: Of a click.
        agent: What opened or clicked says it is.
        ip: It came from.
        machine: The provider says that a program did it.
    """

    what: What
    message: str | None = None
    address: str | None = None
    key: str = ""
    at: datetime | None = None
    kind: Kind = Kind.OTHER
    permanent: bool = True
    evidence: str | None = None
    url: str | None = None
    agent: str = ""
    ip: str | None = None
    machine: bool = False


class Provider(Protocol):
    """A mail provider. Nothing here raises on what a stranger sends."""

    @property
    def name(self) -> str:
        """In the route's path, the settings and `source`."""
        ...

    def proves(self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime) -> bool:
        """Whether a request comes from the provider, and not too long ago where that can be told.

        Args:
            headers: By lower-case name.
            body: As it came.
            secrets: As the settings name them.
            now: The wall's clock.
        """
        ...

    def read(self, payload: JsonValue) -> Iterator[Said]:
        """What is said; what we do not know, or cannot read, is left out."""
        ...


def obj(value: object) -> Object:
    """An object; an empty one where it is none."""
    return cast("Object", value) if isinstance(value, dict) else {}


def objects(value: object) -> list[Object]:
    """The objects of a list; of one object, that."""
    listed = cast("list[object]", value) if isinstance(value, list) else [value]
    return [cast("Object", one) for one in listed if isinstance(one, dict)]


def text(value: object, *, most: int = 2_000) -> str | None:
    """A text, where there is one of use."""
    return value.strip() if isinstance(value, str) and 0 < len(value.strip()) <= most and value.isprintable() else None


def public_id(*candidates: object) -> str | None:
    """Our name of the message: the first that can be one. A Message-ID begins with it."""
    for one in candidates:
        found = _PUBLIC_ID.fullmatch(one.strip()) if isinstance(one, str) else None
        if found is not None:
            return found[1]
    return None


def digest(*parts: object) -> str:
    """A name of an event that has none of its own, of what makes it another than the next."""
    return hashlib.sha256("\n".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()[:32]


def moment(value: object) -> datetime | None:
    """Unix seconds, or an ISO date-time."""
    try:
        if isinstance(value, bool):
            return None
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str) and value.isdecimal():
            return datetime.fromtimestamp(int(value), UTC)
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def is_timely(at: datetime | None, now: datetime) -> bool:
    """Whether a signed time is neither too old nor ahead."""
    return at is not None and now - LASTS <= at <= now + AHEAD


def is_known(headers: Mapping[str, str], secrets: Iterable[str]) -> bool:
    """Whether Basic credentials are one of ours, `user:password`. Providers that sign nothing send these."""
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        shown = base64.b64decode(rest.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return any(hmac.compare_digest(shown, secret.encode()) for secret in secrets if ":" in secret)


def kind_by(status: object, code: object = None) -> Kind:
    """Why, by the enhanced status, or by what a code means where there is no status."""
    found = kind_of(text(status))
    if found is not Kind.OTHER:
        return found
    return Kind.MAILBOX_FULL if str(code) in ("452", "552") else Kind.OTHER
