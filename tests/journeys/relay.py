"""A relay: a real SMTP conversation, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Relay:
    """Takes every mail."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list[EmailMessage])

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # its name in aiosmtpd
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(BytesParser(policy=policy.default).parsebytes(content))
        return "250 taken"

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]


@asynccontextmanager
async def relay() -> AsyncGenerator[Relay]:
    """Serve until the end of the block."""
    taking = Relay()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(taking), "127.0.0.1", 0)
    try:
        taking.port = server.sockets[0].getsockname()[1]
        yield taking
    finally:
        server.close()
