"""Addresses that name the message they belong to, signed: where mail comes back to, and where people answer to.

    returns = Returns(secret, "mail.example.com")
    returns.bounce(public_id)    b+….…@mail.example.com   the envelope's sender (VERP)
    returns.reply(public_id)     r+….…@mail.example.com   Reply-To
    returns.read(address)        which message, and whether it is a return or an answer

Letters are lower-case hexadecimal: some servers change the case of what stands before the @.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Literal

Way = Literal["bounce", "reply"]
_WAYS: dict[str, Way] = {"b": "bounce", "r": "reply"}
_SIGNED = 16
# At the end of a local part: some servers put a tag of their own before it (BATV, SRS).
_LOCAL = re.compile(rf"(?:^|[=/+])([br])\+([0-9a-f]{{1,{64 - 3 - _SIGNED}}})\.([0-9a-f]{{{_SIGNED}}})$")


@dataclass(frozen=True, slots=True)
class Returned:
    """What an address of ours says."""

    way: Way
    message: str
    """The message's public id."""


class Returns:
    """Makes and reads the addresses of one domain."""

    def __init__(self, secret: str, domain: str) -> None:
        self.domain = domain.strip().rstrip(".").lower()
        self._secret = secret.encode()

    def bounce(self, message: str) -> str:
        """Where a message comes back to that could not be delivered."""
        return self._address("b", message)

    def reply(self, message: str) -> str:
        """Where people answer a message to."""
        return self._address("r", message)

    def ours(self, address: str) -> bool:
        """Whether an address is of this domain."""
        return address.rpartition("@")[2].strip().rstrip(".").lower() == self.domain

    def read(self, address: str) -> Returned | None:
        """What an address says; None when it is of another domain, or we did not sign it."""
        local = address.rpartition("@")[0].strip().strip('"').lower()
        found = _LOCAL.search(local)
        if found is None or not self.ours(address):
            return None
        way, message, signature = found.groups()
        if not hmac.compare_digest(signature, self._signature(way, message)):
            return None
        return Returned(_WAYS[way], message)

    def _address(self, way: str, message: str) -> str:
        return f"{way}+{message}.{self._signature(way, message)}@{self.domain}"

    def _signature(self, way: str, message: str) -> str:
        what = f"tabiji.mail.return\n{way}\n{message}".encode()
        return hmac.new(self._secret, what, hashlib.sha256).hexdigest()[:_SIGNED]
