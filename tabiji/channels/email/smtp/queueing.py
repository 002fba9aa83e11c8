"""Who waits behind whom: for a free place, and for the next moment a rate allows. Urgent lanes first, then in order.

Places(4)                 four at once
Rate(10.0)                ten a second, with a burst of one second's worth
Rates(None, {"gmail.com": 20, "outlook.com hotmail.com": 10, "*": 50})
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count

from tabiji.channels.carrier import LANES, Held, Lane
from tabiji.domain.bounces import Kind

PATIENCE = timedelta(seconds=5)
"""A mail that would have to wait longer for its rate is given back: others may go meanwhile."""
MANY = 10_000
"""Domains remembered before those that nobody waits for are forgotten."""

_RANK = {lane: rank for rank, lane in enumerate(LANES)}


class _Queue:
    """Futures in the order in which they are to be fulfilled."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def __len__(self) -> int:
        return sum(not waiter.done() for _, _, waiter in self._heap)

    def ahead_of(self, lane: Lane) -> int:
        """How many would be served before a newcomer."""
        return sum(rank <= _RANK[lane] and not waiter.done() for rank, _, waiter in self._heap)

    def join(self, lane: Lane) -> asyncio.Future[None]:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._heap, (_RANK[lane], next(self._numbers), waiter))
        return waiter

    def serve(self) -> bool:
        """Let the first one go. False: nobody waits."""
        while self._heap:
            *_, waiter = heapq.heappop(self._heap)
            if not waiter.done():
                waiter.set_result(None)
                return True
        return False


class Places:
    """So many at once."""

    def __init__(self, number: int) -> None:
        self._free = number
        self._queue = _Queue()

    @asynccontextmanager
    async def one(self, lane: Lane) -> AsyncGenerator[None]:
        """Hold a place, once there is one."""
        await self._take(lane)
        try:
            yield
        finally:
            self._give()

    async def _take(self, lane: Lane) -> None:
        if self._free:
            self._free -= 1
            return
        waiter = self._queue.join(lane)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._give()  # it was ours already
            raise

    def _give(self) -> None:
        if not self._queue.serve():
            self._free += 1


class Rate:
    """A token bucket: so many a second, and after a rest a second's worth at once."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._burst = max(1.0, per_second)
        self._tokens = self._burst
        self._at: float | None = None
        self._promised = 0.0
        self._queue = _Queue()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_at_rest(self) -> bool:
        """Nobody waits, and it remembers nothing worth keeping."""
        self._refill()
        return self._timer is None and self._tokens >= self._burst

    async def turn(self, lane: Lane, patience: timedelta = PATIENCE) -> None:
        """Wait until one more may go.

        Raises:
            Held: That would take longer than `patience`; it says when to come back, to each another moment.
        """
        self._refill()
        ahead = self._queue.ahead_of(lane)
        if not ahead and self._tokens >= 1:
            self._tokens -= 1
            return
        wait = timedelta(seconds=max(0.0, (ahead + 1 - self._tokens) / self._per_second))
        if wait > patience:
            raise Held("the rate of sending is used up", Kind.POLICY, after=self._later(wait))
        waiter = self._queue.join(lane)
        self._wind()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._tokens += 1  # it was ours already
            raise

    def _later(self, wait: timedelta) -> timedelta:
        """When to come back: not all at once, or most would come in vain."""
        now = asyncio.get_running_loop().time()
        due = max(self._promised, now + wait.total_seconds())
        self._promised = due + 1 / self._per_second
        return timedelta(seconds=due - now)

    def _refill(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._at is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now

    def _wind(self) -> None:
        if self._timer is None and len(self._queue):
            # A little more than is needed: a clock that is early by a hair would be asked twice.
            wait = max(0.0, 1 - self._tokens) / self._per_second + 0.0005
            self._timer = asyncio.get_running_loop().call_later(wait, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._refill()
        while self._tokens >= 1 and self._queue.serve():
            self._tokens -= 1
        self._wind()


class Rates:
    """Overall, and for each domain that mails go to. They hold in this process."""

    def __init__(self, overall: float | None = None, domains: Mapping[str, float] | None = None) -> None:
        """Nothing is limited that is not named.

        Args:
            overall: Mails a second.
            domains: Mails a second by domain. Several with spaces between share a rate; ``*``: each other domain.
        """
        self._overall = Rate(overall) if overall else None
        self._named: dict[str, Rate] = {}
        self._others: dict[str, Rate] = {}
        self._default: float | None = None
        for names, rate in (domains or {}).items():
            if names == "*":
                self._default = rate
            else:
                self._named |= dict.fromkeys(names.lower().split(), Rate(rate))

    async def turn(self, recipient: str, lane: Lane) -> None:
        """Wait until a mail to this address may go, without holding anything others need.

        Raises:
            Held: That would take too long.
        """
        # The domain first: who waits for a full one must not use up what others could.
        if (domain := self._of(recipient)) is not None:
            await domain.turn(lane)
        if self._overall is not None:
            await self._overall.turn(lane)

    def _of(self, recipient: str) -> Rate | None:
        domain = recipient.rpartition("@")[2].lower()
        if domain in self._named or self._default is None:
            return self._named.get(domain)
        if len(self._others) >= MANY:
            self._others = {name: rate for name, rate in self._others.items() if not rate.is_at_rest}
        return self._others.setdefault(domain, Rate(self._default))
