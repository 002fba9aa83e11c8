"""A real SMTP server in the test's own event loop, that can be told to misbehave."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections import defaultdict, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

DROP = "drop"
HANG = "hang"


@dataclass
class Relay:
    """What a test tells the server to do, and what the server has seen.

    `answers["rcpt"]` and so on are used up one for each command: a reply, DROP (hang up), or HANG (say nothing).
    """

    port: int = 0
    received: list[bytes] = field(default_factory=list[bytes])
    recipients: list[str] = field(default_factory=list[str])
    commands: list[str] = field(default_factory=list[str])
    logins: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    connections: list[SMTP] = field(default_factory=list[SMTP])
    answers: defaultdict[str, deque[str]] = field(default_factory=lambda: defaultdict[str, deque[str]](deque))
    hanging: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def mails(self) -> list[EmailMessage]:
        """What has come in, as an independent parser reads it."""
        return [message_from_bytes(raw, policy=modern) for raw in self.received]

    def hang_up(self) -> None:
        """Close every connection, as a relay does that has waited long enough."""
        for connection in self.connections:
            _abort(connection)

    async def _answer(self, server: SMTP, command: str) -> str | None:
        self.commands.append(command)
        if not self.answers[command]:
            return None
        answer = self.answers[command].popleft()
        if answer == DROP:
            _abort(server)
        if answer == HANG:
            self.hanging.set()
            await asyncio.Event().wait()
        return answer

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := await self._answer(server, "mail"):
            return answer
        envelope.mail_from = address
        return "250 2.1.0 Sender OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := await self._answer(server, "rcpt"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        refused = bool(self.answers["data"]) and self.answers["data"][0][0] in "45"
        if not refused:
            self.received.append(cast("bytes", envelope.content))
            self.recipients.extend(envelope.rcpt_tos)
        return await self._answer(server, "data") or "250 2.0.0 queued as 1"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"right", handled=False)


@asynccontextmanager
async def relay(
    *, login: bool = False, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[Relay]:
    """Run one on a free port."""
    state = Relay()
    loop = asyncio.get_running_loop()

    def accept() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a login without TLS is unwise, and wanted here
            server = _server()
        state.connections.append(server)
        return server

    def _server() -> SMTP:
        return SMTP(
            state,
            hostname="relay.test",
            loop=loop,
            enable_SMTPUTF8=False,
            authenticator=state.authenticate if login else None,
            auth_required=login,
            auth_require_tls=False,
            tls_context=starttls,
            require_starttls=starttls is not None,
        )

    server = await loop.create_server(accept, "127.0.0.1", 0, ssl=tls)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        for connection in state.connections:
            _abort(connection)
        await server.wait_closed()
        # aiosmtpd's handlers end a turn after their transport has gone, or never when STARTTLS has failed.
        tasks = [task for one in state.connections if (task := getattr(one, "_handler_coroutine", None)) is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _abort(server: SMTP) -> None:
    if server.transport is not None:
        cast("asyncio.Transport", server.transport).abort()
