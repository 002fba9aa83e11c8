"""Signatures that prove who sent a request, checked over its raw body, before anything of it is read.

Hmac("X-Shopify-Hmac-Sha256", encoding="base64")                             shops
Hmac("X-Hub-Signature-256", prefix="sha256=")                                hex with a prefix in front
Hmac("X-Signature", timestamp="X-Timestamp", tolerance=timedelta(minutes=5)) the time is signed along
StandardWebhooks()                                                           https://www.standardwebhooks.com
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

TOLERANCE = timedelta(minutes=5)
"""How far a signed time may lie from ours: what is older may be a copy that somebody kept."""


class Signature(Protocol):
    """How a source signs. Nothing here raises: what cannot be read is not signed."""

    def proves(self, headers: Mapping[str, str], body: bytes, *, secret: str, now: datetime) -> bool:
        """Whether a request was signed with this secret, and not too long ago where that can be told.

        Args:
            headers: By lower-case name.
            body: As it came.
            secret: What both sides know.
            now: The wall's clock.
        """
        ...

    def problem(self, secret: str) -> str | None:
        """Why a text cannot be a secret of this kind, or None."""
        ...


@dataclass(frozen=True)
class Hmac:
    """A hash of the body, made with the secret, in one header.

    Attributes:
        header: Which.
        encoding: Of the hash.
        prefix: Stands before it.
        algorithm: Of the hash.
        timestamp: Header with Unix seconds, signed along as `seconds.body`. Without one a request that somebody
            has kept stays good, and only what it is about makes it count once.
        tolerance: Of that time.
    """

    header: str
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    algorithm: Literal["sha256", "sha512"] = "sha256"
    timestamp: str | None = None
    tolerance: timedelta = TOLERANCE

    def proves(self, headers: Mapping[str, str], body: bytes, *, secret: str, now: datetime) -> bool:
        """See `Signature`."""
        shown = headers.get(self.header.lower(), "")
        signed = body
        if self.timestamp is not None:
            told = headers.get(self.timestamp.lower(), "")
            if not _is_fresh(told, now, self.tolerance):
                return False
            signed = told.encode() + b"." + body
        digest = hmac.new(secret.encode(), signed, self.algorithm).digest()
        expected = self.prefix + (digest.hex() if self.encoding == "hex" else b64encode(digest).decode())
        return _same(shown.lower() if self.encoding == "hex" else shown, expected)

    def problem(self, secret: str) -> str | None:
        """See `Signature`."""
        return None if len(secret) >= 16 else "has less than 16 characters"


@dataclass(frozen=True)
class StandardWebhooks:
    """As https://www.standardwebhooks.com says: id, time and body, signed with a secret of the form `whsec_…`."""

    tolerance: timedelta = TOLERANCE

    def proves(self, headers: Mapping[str, str], body: bytes, *, secret: str, now: datetime) -> bool:
        """See `Signature`."""
        id, told = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        key = _standard_key(secret)
        if key is None or not id or not _is_fresh(told, now, self.tolerance):
            return False
        digest = hmac.new(key, f"{id}.{told}.".encode("utf-8", "replace") + body, hashlib.sha256).digest()
        expected = "v1," + b64encode(digest).decode()
        # While a secret is exchanged there are several.
        return any(_same(one, expected) for one in headers.get("webhook-signature", "").split(" ")[:10])

    def problem(self, secret: str) -> str | None:
        """See `Signature`."""
        key = _standard_key(secret)
        return None if key is not None and len(key) >= 16 else "is not whsec_ and base64 of 16 bytes or more"


def _standard_key(secret: str) -> bytes | None:
    try:
        return b64decode(secret.removeprefix("whsec_") + "==")
    except ValueError:
        return None


def _is_fresh(told: str, now: datetime, tolerance: timedelta) -> bool:
    if not (told.isascii() and told.isdecimal() and len(told) <= 11):
        return False
    return abs(now - datetime.fromtimestamp(int(told), UTC)) <= tolerance


def _same(shown: str, expected: str) -> bool:
    return hmac.compare_digest(shown.encode("utf-8", "replace"), expected.encode())
