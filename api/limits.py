"""How much one caller may send. Above it the answer is 429, and says when to come again.

    wait = limits.take(key.name, 3)         three events; seconds to wait, or None: go on
    await limits.admit(key, 3, address)     the same for an event door: by key, and by address for a browser key

A bucket holds what may come at once, and fills at the rate that may come for ever. All are in this process's memory,
as many as `MOST` of each kind: whoever floods from more addresses than that pushes out buckets, which makes newer
ones full again, never memory short.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network
from math import ceil

from starlette.types import Scope

from api.errors import ApiProblem
from models.keys import Key

MOST = 10_000
"""Buckets kept of one kind; about 2 MB."""
AT_ONCE = 2.0
"""Seconds' worth of the rate that may come at once."""
HELD = 0.25
"""Seconds the answer of who comes too fast is held back: a client that sends again at once costs us little."""
MOST_HELD = 2_000

Network = IPv4Network | IPv6Network


class Buckets:
    """One bucket for each name."""

    def __init__(
        self,
        rate: float,
        *,
        size: float | None = None,
        most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = rate
        self._size = max(1.0, rate * AT_ONCE) if size is None else size
        self._most = most
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def take(self, name: str, n: float = 1) -> float | None:
        """Take from a bucket: whatever is asked, where anything is left, so that no batch is too large for ever.

        Args:
            name: Of the bucket.
            n: How much; 0 asks whether there is anything.

        Returns:
            Seconds until there is something again, and nothing was taken; None: it was.
        """
        now = self._clock()
        left, at = self._left.pop(name, (self._size, now))
        left = min(self._size, left + (now - at) * self._rate)
        wait = None if left >= 1 else (1 - left) / self._rate
        self._left[name] = (left if wait is not None else left - n, now)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        return wait

    def give_back(self, name: str, n: float = 1) -> None:
        """Put back what was taken."""
        if name in self._left:
            left, at = self._left[name]
            self._left[name] = (left + n, at)


class Limits:
    """The limits of one process.

    Args:
        key_rate: Events a second from one key.
        address_rate: Events, or keyless pages, a second from one client address.
        proxies: Networks whose word on the client's address counts.
    """

    def __init__(self, key_rate: float = 20_000, address_rate: float = 50, proxies: Sequence[str] = ()) -> None:
        self._keys = Buckets(key_rate)
        self._addresses = Buckets(address_rate)
        self._strangers = Buckets(address_rate)
        self._proxies = tuple(ipaddress.ip_network(one, strict=False) for one in proxies)
        self._held = 0

    def take(self, key_name: str, n: int) -> float | None:
        """Count `n` events of a key. Returns seconds to wait where they are too many; nothing was counted then."""
        return self._keys.take(key_name, n)

    def take_of(self, address: str, n: int = 1) -> float | None:
        """Count `n` events or pages of a client address. Returns seconds to wait where they are too many."""
        return self._addresses.take(address, n)

    async def admit(self, key: Key, n: int, address: str) -> None:
        """Count `n` events that came with a key; by address too where the key is in everybody's hands.

        With `n` 0 nothing is counted: who is over the limit is refused before their body is read.

        Raises:
            ApiProblem: 429 with Retry-After. It is raised a moment late, so that who sends again at once sends less.
        """
        if key.scope == "browser" and (wait := self.take_of(address, n)) is not None:
            await self.refuse(wait, "this address sends")
        if (wait := self.take(key.name, n)) is not None:
            await self.refuse(wait, f"the key {key.name!r} sends")

    async def admit_page(self, address: str) -> None:
        """Count a page that wants no key.

        Raises:
            ApiProblem: 429, as above.
        """
        if (wait := self.take_of(address)) is not None:
            await self.refuse(wait, "this address asks for")

    async def admit_stranger(self, address: str) -> None:
        """Count a key nobody has met yet, before it is looked up.

        Raises:
            ApiProblem: 429, as above.
        """
        if (wait := self._strangers.take(address)) is not None:
            await self.refuse(wait, "this address tries keys")

    def welcome(self, address: str) -> None:
        """That key was good: it does not count."""
        self._strangers.give_back(address)

    async def refuse(self, wait: float, who: str) -> None:
        """Refuse, a moment late."""
        if self._held < MOST_HELD:
            self._held += 1
            try:
                await asyncio.sleep(HELD)
            finally:
                self._held -= 1
        words = f"{who} more than is allowed; come again in {ceil(wait)} s. Nothing of this was stored."
        raise ApiProblem(429, "too_many", words, headers={"Retry-After": str(ceil(wait))})

    def address(self, scope: Scope) -> str:
        """The client's address, for counting: of IPv6 the network a household has.

        X-Forwarded-For counts from proxies that are named in the settings, and as far as they have written it.
        """
        client = scope.get("client")
        shown = str(client[0]) if client else ""
        if self._proxies and self._is_proxy(shown):
            said = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
            for one in reversed(b",".join(said).decode("latin-1").split(",")):
                said_address = _bare(one)
                if _network(said_address) is None:
                    break
                shown = said_address
                if not self._is_proxy(shown):
                    break
        return _network(shown) or shown[:64]

    def _is_proxy(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._proxies)


def _bare(said: str) -> str:
    """An address without the port some proxies write behind it."""
    said = said.strip()
    if said.startswith("["):
        return said[1:].partition("]")[0]
    return said.partition(":")[0] if said.count(":") == 1 else said


def _network(address: str) -> str | None:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if found.version == 4:
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False).network_address)
