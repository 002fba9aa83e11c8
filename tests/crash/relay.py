"""A real SMTP server in the test's own process that stops in the middle of a conversation when it is told to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Literal, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.journeys.stage import until

Stage = Literal["greeting", "rcpt", "data"]


@dataclass(frozen=True)
class Hold:
    """A conversation that stops once."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Received:
    """A mail the relay has taken, whether or not it came to say so."""

    address: str
    message_id: str


@dataclass
class Relay:
    """What it has seen, and where it is to stop."""

    port: int = 0
    slowness: float = 0.0
    """Seconds it thinks over each mail."""
    received: list[Received] = field(default_factory=list[Received])
    _holds: dict[tuple[Stage, str], Hold] = field(default_factory=dict[tuple[Stage, str], Hold])

    def hold(self, stage: Stage, address: str = "") -> Hold:
        """Stop at this stage of the next mail to an address; before the greeting, of the next conversation.

        At `data` the mail has been taken and the reply is still to come.
        """
        return self._holds.setdefault((stage, address), Hold())

    def mails_to(self, address: str) -> Counter[str]:
        """How often each Message-ID has reached somebody."""
        return Counter(mail.message_id for mail in self.received if mail.address == address)

    async def has(self, mails: int) -> None:
        """Wait until so many have come in."""
        await until(lambda: len(self.received) >= mails, f"{mails} mails", within=60)

    async def stop(self, stage: Stage, address: str = "") -> None:
        hold = self._holds.pop((stage, address), None)
        if hold is not None:
            hold.reached.set()
            await hold.go.wait()

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        await self.stop("rcpt", address)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.slowness)
        [address] = envelope.rcpt_tos
        mail = message_from_bytes(cast("bytes", envelope.content))
        self.received.append(Received(address, mail["Message-ID"]))
        await self.stop("data", address)
        return "250 2.0.0 queued as 1"


class _Conversation(SMTP):
    def __init__(self, relay: Relay) -> None:
        super().__init__(relay, hostname="relay.test", enable_SMTPUTF8=False)
        self._relay = relay

    async def _handle_client(self) -> None:  # where aiosmtpd greets
        await self._relay.stop("greeting")
        await super()._handle_client()


@asynccontextmanager
async def relay() -> AsyncGenerator[Relay]:
    """Serve until the end of the block."""
    taking = Relay()
    open_now: list[_Conversation] = []

    def accept() -> SMTP:
        open_now.append(conversation := _Conversation(taking))
        return conversation

    server = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0)
    taking.port = server.sockets[0].getsockname()[1]
    try:
        yield taking
    finally:
        server.close()
        tasks = [task for one in open_now if (task := getattr(one, "_handler_coroutine", None)) is not None]
        for one in open_now:
            if one.transport is not None:
                cast("asyncio.Transport", one.transport).abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
