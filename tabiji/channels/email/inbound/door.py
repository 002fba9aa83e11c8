"""The SMTP server mail comes back to. It takes what is addressed to us, and relays nothing for anybody.

A 250 means that what the mail says has been done and written down. While that cannot be, the answer is 451, and the
other side, which keeps the mail, tries again.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from tabiji.channels.email.addresses import Returns
from tabiji.errors import Unavailable

log = structlog.stdlib.get_logger(__name__)

MOST_HOPS = 50
"""Servers a mail may have passed; more is a circle."""
MOST_RECIPIENTS = 20
FIXED = frozenset({"bounces", "replies", "complaints", "postmaster", "abuse"})
"""What else is taken beside signed addresses: for reports whose sender knows no better, and as RFC 2142 asks."""

Take = Callable[[bytes, str, Sequence[str]], Awaitable[object]]
"""Content, envelope sender, recipients."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one side may ask for."""

    largest: int = 10 << 20
    connections: int = 100
    connections_of_one: int = 20
    """From one address: a relay in front of us is one, too."""
    idle: timedelta = timedelta(seconds=60)
    storing: timedelta = timedelta(seconds=30)
    commands: int = 1000
    """In one connection."""


@dataclass
class Counts:
    """What this process has seen."""

    taken: int = 0
    refused: int = 0
    """Not for us."""
    put_off: int = 0
    turned_away: int = 0
    """Connections over a limit."""
    open: Counter[str] = field(default_factory=Counter[str])


class Door:
    """Listens, and hands on what is addressed to us."""

    def __init__(
        self,
        ours: Returns,
        take: Take,
        *,
        limits: Limits | None = None,
        also: Sequence[str] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Nothing listens yet.

        Args:
            ours: Knows which addresses are signed.
            take: Does what a mail says; returns when it is written down.
            limits: Of size, time and number.
            also: Local parts that are taken beside `FIXED`: the sender's own.
            tls: Offers STARTTLS.
        """
        self.counts = Counts()
        self.domain = ours.domain
        self._ours = ours
        self._take = take
        self._limits = limits or Limits()
        self._fixed = FIXED | {one.lower() for one in also}
        self._tls = tls
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> int:
        """Begin. Returns the port: of 0, the one that was free."""
        self._server = await asyncio.get_running_loop().create_server(self._session, host, port)
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    async def close(self) -> None:
        """Take nothing new."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def takes(self, address: str) -> bool:
        """Whether a recipient is one of ours."""
        local = address.rpartition("@")[0].lower()
        return self._ours.ours(address) and (local in self._fixed or self._ours.read(address) is not None)

    # What aiosmtpd calls.

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """See aiosmtpd."""
        if not self.takes(address):
            self.counts.refused += 1
            # Of our own domain too: what nobody signed is a guess, or an answer to mail somebody forged.
            known = self._ours.ours(address)
            return "550 5.1.1 no such address here" if known else "550 5.7.1 relaying denied"
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """See aiosmtpd."""
        content = envelope.original_content or b""
        if _hops(content) > MOST_HOPS:
            return "554 5.4.6 too many hops: this mail goes round in circles"
        try:
            async with asyncio.timeout(self._limits.storing.total_seconds()):
                await self._take(
                    content, (envelope.mail_from or "").strip("<>"), [str(one) for one in envelope.rcpt_tos]
                )
        except (Unavailable, TimeoutError) as problem:
            self.counts.put_off += 1
            log.warning("inbound.put_off", problem=type(problem).__name__)
            return "451 4.3.0 cannot be stored right now, please try again later"
        except Exception as problem:
            self.counts.put_off += 1
            log.error("inbound.failed", problem=type(problem).__name__)
            return "451 4.3.0 something is wrong here, please try again later"
        self.counts.taken += 1
        return "250 2.0.0 taken"

    def _session(self) -> SMTP:
        return _Session(self, self._limits, self._tls)


class _Session(SMTP):
    """One connection, counted."""

    # Reports quote mails whose lines are longer than SMTP allows, and are worth reading.
    line_length_limit = 256 << 10

    def __init__(self, door: Door, limits: Limits, tls: ssl.SSLContext | None) -> None:
        super().__init__(
            door,
            hostname=door.domain,
            data_size_limit=limits.largest,
            enable_SMTPUTF8=True,
            timeout=limits.idle.total_seconds(),
            tls_context=tls,
            command_call_limit=limits.commands,
            ident="tabiji",
        )
        self._door = door
        self._most = limits
        self._peer: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let in as many as there may be."""
        counts = self._door.counts
        if self._peer is not None:  # the same connection, encrypted now
            super().connection_made(transport)
            return
        peer: Any = transport.get_extra_info("peername")
        name = str(peer[0]) if peer else "?"
        if counts.open.total() >= self._most.connections or counts.open[name] >= self._most.connections_of_one:
            counts.turned_away += 1
            if isinstance(transport, asyncio.WriteTransport):
                transport.write(b"421 4.7.0 too many connections, please try again later\r\n")
            transport.close()
            return
        self._peer = name
        counts.open[name] += 1
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Make room."""
        if self._peer is None:
            return
        self._door.counts.open[self._peer] -= 1
        if not self._door.counts.open[self._peer]:
            del self._door.counts.open[self._peer]
        super().connection_lost(error)


def _hops(content: bytes) -> int:
    head, _, _ = content.replace(b"\r\n", b"\n").partition(b"\n\n")
    return sum(line.lower().startswith(b"received:") for line in head.split(b"\n"))
