"""One relay: a few connections to it that are kept, and whether it is worth asking now.

A connection that has gone stale is noticed at the first command and replaced, at most once for each message
and connection: up to the message itself nothing has been promised, so beginning again is safe.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from tabiji.channels.carrier import Lane, Taken
from tabiji.channels.email.smtp.answers import GOING_AWAY
from tabiji.channels.email.smtp.line import Broken, Endpoint, Line, Refused, Talk, connect
from tabiji.channels.email.smtp.queueing import Places, Rate

CONNECTING = timedelta(seconds=15)
"""For a connection, TLS and login: a relay that does not answer must not use up the time of one that would."""
HESITATION = timedelta(seconds=10)
"""A relay that was given up after so long without an end is as good as down."""
FIRST_REST = timedelta(seconds=1)
LONGEST_REST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A relay and how it is to be used.

    Attributes:
        name: As reports and logs have it. No secret.
        connections: How many messages may be under way at once.
        messages: So many over one connection; then a new one is opened, as many relays ask for.
        idle: A connection nobody has needed for so long is closed.
        rate: Mails a second; None: as fast as it takes them.
        order: Lower ones first; the others stand by.
        weight: Its share among relays of the same order.
    """

    name: str
    endpoint: Endpoint
    connections: int = 4
    messages: int = 100
    idle: timedelta = timedelta(seconds=30)
    rate: float | None = None
    order: int = 1
    weight: float = 1.0


@dataclass
class Tally:
    """What became of the mails a relay was asked to take, since the process started.

    Attributes:
        taken: It said yes.
        refused: It said no for good.
        later: It asked for patience, or had trouble of its own.
        broken: The line broke, or there was none.
        ours: It would not have us: our settings are wrong, or somebody sits in between.
    """

    taken: int = 0
    refused: int = 0
    later: int = 0
    broken: int = 0
    ours: int = 0


class Health:
    """Whether a relay is left alone for a while: the longer, the more often it was asked in vain. Once is not often."""

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0
        self._probing = False

    @property
    def rests(self) -> timedelta | None:
        """How long still; None: it is well, as far as is known."""
        left = self._until - asyncio.get_running_loop().time()
        return timedelta(seconds=left) if self._failures > 1 and left > 0 else None

    @property
    def may_be_asked(self) -> bool:
        """After its rest one message tries; the others wait for what becomes of it."""
        return self._failures <= 1 or (self.rests is None and not self._probing)

    def ask(self) -> None:
        """Somebody tries."""
        self._probing = self._failures > 1

    def failed(self) -> None:
        """It is down, or will not have us. Several that fail together count once."""
        self._probing = False
        if self.rests is None:
            self._failures += 1
            rest = min(FIRST_REST * 2 ** min(self._failures - 2, 20), LONGEST_REST)
            self._until = asyncio.get_running_loop().time() + rest.total_seconds()

    def well(self) -> None:
        """It has answered."""
        self._failures = 0
        self._probing = False

    def left(self) -> None:
        """Who tried has given up for a reason of its own."""
        self._probing = False


class Relay:
    """Carries mails over kept connections. Belongs to one event loop."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.health = Health()
        self.tally = Tally()
        self.rate = Rate(route.rate) if route.rate else None
        self._places = Places(route.connections)
        self._idle: list[Line] = []
        self._sweep: asyncio.TimerHandle | None = None

    async def carry(self, talk: Talk, lane: Lane) -> Taken:
        """Hand one message over, when there is a connection for it.

        Raises:
            Refused: The relay said no.
            Broken: The line broke.
        """
        async with self._places.one(lane):
            if self.health.rests is not None:
                raise Broken("the relay is left alone for a while")
            talk.since = asyncio.get_running_loop().time()
            while True:
                kept = self._kept()
                line = kept or await self._connect()
                try:
                    reply = await line.carry(talk)
                except Refused as refusal:
                    if kept and refusal.reply.code == GOING_AWAY and not talk.promised:
                        line.close()
                        continue
                    self._release(line, good=refusal.reply.code != GOING_AWAY)
                    raise
                except Broken:
                    line.close()
                    if kept and not talk.promised:
                        continue
                    raise
                except BaseException:
                    line.close()
                    raise
                self._release(line, good=True)
                return Taken(reply, self.route.name)

    async def close(self) -> None:
        """Take leave of the relay."""
        if self._sweep is not None:
            self._sweep.cancel()
        idle, self._idle = self._idle, []
        await asyncio.gather(*(line.quit() for line in idle))

    async def _connect(self) -> Line:
        try:
            async with asyncio.timeout(CONNECTING.total_seconds()):
                return await connect(self.route.endpoint)
        except TimeoutError:
            raise Broken("no connection to the relay (it does not answer)") from None

    def _kept(self) -> Line | None:
        while self._idle:
            line = self._idle.pop()
            if line.is_open:
                return line
            line.close()
        return None

    def _release(self, line: Line, *, good: bool) -> None:
        if not good or not line.is_open:
            line.close()
            return
        if line.carried >= self.route.messages:
            line.part()
            return
        line.idle_since = asyncio.get_running_loop().time()
        self._idle.append(line)
        self._watch()

    def _watch(self) -> None:
        """See to it that those nobody needs are closed: a relay counts them."""
        if self._sweep is None and self._idle:
            loop = asyncio.get_running_loop()
            due = min(line.idle_since for line in self._idle) + self.route.idle.total_seconds()
            self._sweep = loop.call_at(due + 0.001, self._close_idle)

    def _close_idle(self) -> None:
        self._sweep = None
        oldest = asyncio.get_running_loop().time() - self.route.idle.total_seconds()
        for line in [line for line in self._idle if line.idle_since <= oldest]:
            self._idle.remove(line)
            line.part()
        self._watch()
