"""One connection to a relay: opened by the kept library, which knows TLS and logins; then spoken to by us, who want
several commands on the wire at once where the relay offers that (PIPELINING, RFC 2920).
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, cast

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from tabiji.channels.carrier import PermanentFailure
from tabiji.channels.email.compose import Mail
from tabiji.channels.email.smtp.answers import GOING_AWAY, Reply, Stage
from tabiji.domain.bounces import Kind

Security = Literal["none", "starttls", "tls"]

LONGEST_REPLY = 64 * 1024
_PARTING = 2.0
_UNFIT = re.compile(r"[^\x21-\x7e]|[<>]")
_GO_ON = 354


class Refused(Exception):
    """The relay said no, or what is no answer at all."""

    def __init__(self, stage: Stage, reply: Reply) -> None:
        super().__init__(reply.said)
        self.stage: Stage = stage
        self.reply = reply


class Broken(Exception):
    """The line broke, or never was. The text says how, without quoting anybody."""

    def __init__(self, how: str, *, ours: bool = False) -> None:
        super().__init__(how)
        self.ours = ours
        """What is wrong is in our settings, or somebody sits in between: no certificate we trust, no STARTTLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a relay is and how to get in.

    Attributes:
        tls: Whom to trust, where that is not the machine's own list. Certificates are verified, always.
    """

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    security: Security = "none"
    tls: ssl.SSLContext | None = None


@dataclass
class Talk:
    """One message's way: past `promised` it may have been delivered."""

    mail: Mail
    before_data: Callable[[], Awaitable[None]] | None = None
    promised: bool = False
    since: float | None = None
    """On the loop's clock: when a relay began to be spoken to."""


class Line:
    """One open connection. Whoever meets an exception other than `Refused` closes it."""

    def __init__(self, transport: asyncio.Transport, replies: _Replies, *, pipelining: bool) -> None:
        self._transport = transport
        self._replies = replies
        self._unclean = False
        self.pipelining = pipelining
        self.carried = 0
        self.idle_since = 0.0

    @property
    def is_open(self) -> bool:
        """As far as is known: what the other side has just closed may still look open."""
        return not (self._transport.is_closing() or self._replies.ended)

    async def carry(self, talk: Talk) -> str:
        """Hand one message over. Returns the relay's last words.

        Raises:
            Refused: The relay said no. The connection is still good, unless it said that it is going away.
            Broken: The connection broke.
        """
        self.carried += 1
        envelope = _envelope(talk.mail)
        refusal = await (self._at_once(envelope) if self.pipelining else self._one_by_one(envelope))
        if refusal is not None:
            self._unclean = True
            raise refusal
        if talk.before_data is not None:
            await talk.before_data()
        talk.promised = True
        self._write(dotted(talk.mail.content))
        reply = await self._replies.next()
        if reply.code // 100 != 2:
            raise Refused("data", reply)
        return f"{reply.code} {reply.text}"

    def part(self) -> None:
        """Take leave without waiting for the answer."""
        if self.is_open:
            self._transport.write(b"QUIT\r\n")
        self._transport.close()

    async def quit(self) -> None:
        """Take leave."""
        try:
            async with asyncio.timeout(_PARTING):
                self._write(b"QUIT\r\n")
                await self._replies.next()
        except (Broken, TimeoutError):
            pass  # it is over either way
        finally:
            self.close()

    def close(self) -> None:
        """Hang up without a word."""
        self._transport.abort()

    async def _one_by_one(self, envelope: list[tuple[Stage, bytes]]) -> Refused | None:
        if self._unclean:
            await self._reset()
        for stage, command in envelope:
            self._write(command)
            reply = await self._replies.next()
            if not _is_yes(stage, reply):
                return Refused(stage, reply)
        return None

    async def _at_once(self, envelope: list[tuple[Stage, bytes]]) -> Refused | None:
        """Commands in one packet; before the message itself, which would be too late to take back."""
        reset = b"RSET\r\n" if self._unclean else b""
        self._write(reset + b"".join(command for _, command in envelope))
        if self._unclean:
            await self._after_reset()
        refusal: Refused | None = None
        for stage, _ in envelope:
            reply = await self._replies.next()
            if reply.code == GOING_AWAY:
                return refusal or Refused(stage, reply)
            if refusal is None and not _is_yes(stage, reply):
                refusal = Refused(stage, reply)
            elif refusal is not None and reply.code == _GO_ON:
                await self._nothing_after_all(refusal)
        return refusal

    async def _nothing_after_all(self, refusal: Refused) -> None:
        """It waits for a message that has no recipient: an empty one ends that (RFC 2920, 3.1)."""
        if refusal.stage != "rcpt":
            self.close()
            return
        self._write(b".\r\n")
        await self._replies.next()

    async def _reset(self) -> None:
        self._write(b"RSET\r\n")
        await self._after_reset()

    async def _after_reset(self) -> None:
        reply = await self._replies.next()
        if reply.code // 100 != 2:
            raise Refused("mail", Reply(GOING_AWAY, reply.text))
        self._unclean = False

    def _write(self, data: bytes) -> None:
        if not self.is_open:
            raise Broken("the connection broke")
        self._transport.write(data)


class _Replies(asyncio.Protocol):
    """Takes a connection apart into replies."""

    def __init__(self) -> None:
        self._buffer = b""
        self._lines: list[str] = []
        self._ready: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._problem: str | None = None

    @property
    def ended(self) -> bool:
        return self._problem is not None

    async def next(self) -> Reply:
        """The next one.

        Raises:
            Broken: There will be none.
        """
        while not self._ready:
            if self._problem is not None:
                raise Broken(self._problem)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._ready.popleft()

    def data_received(self, data: bytes) -> None:
        """See base class."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._take(line.rstrip(b"\r"))
        if len(self._buffer) + sum(map(len, self._lines)) > LONGEST_REPLY:
            self._end("the relay talks without end")
        self._wake()

    def eof_received(self) -> None:
        """See base class."""
        self._end("the connection broke")

    def connection_lost(self, exc: Exception | None) -> None:
        """See base class."""
        self._end("the connection broke" if exc is None else f"the connection broke ({type(exc).__name__})")

    def _take(self, line: bytes) -> None:
        if not line[:3].isdigit() or line[3:4] not in (b" ", b"-", b""):
            self._end("the relay does not speak SMTP")
            return
        self._lines.append(line[4:].decode("utf-8", "replace").strip())
        if line[3:4] != b"-":
            self._ready.append(Reply(int(line[:3]), "\n".join(self._lines)))
            self._lines = []

    def _end(self, problem: str) -> None:
        self._problem = self._problem or problem
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def connect(endpoint: Endpoint) -> Line:
    """Open a connection: TLS and login as the settings say, and never less.

    Raises:
        Refused: The relay does not let us in.
        Broken: There is no connection, or none that may be used.
    """
    client = SMTP(
        hostname=endpoint.host,
        port=endpoint.port,
        username=endpoint.username,
        password=endpoint.password,
        use_tls=endpoint.security == "tls",
        start_tls=endpoint.security == "starttls",
        tls_context=endpoint.tls,
        local_hostname=socket.gethostname() or "localhost",
        timeout=None,  # whoever calls sets one over everything
    )
    try:
        await client.connect()
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
    except SMTPResponseException as refusal:
        client.close()
        raise Refused("connect", Reply(refusal.code, refusal.message)) from None
    except (SMTPException, OSError) as error:
        client.close()
        raise _no_connection(error, endpoint) from None
    except BaseException:
        client.close()
        raise
    transport = cast("asyncio.Transport | None", client.transport)
    if transport is None or transport.is_closing():
        raise Broken("no connection to the relay (it hung up)")
    replies = _Replies()
    transport.set_protocol(replies)
    return Line(transport, replies, pipelining=client.supports_extension("pipelining"))


def dotted(content: bytes) -> bytes:
    """A message as it travels: a dot at a line's beginning is doubled, a dot alone ends it."""
    doubled = whole_lines(content).replace(b"\n.", b"\n..")
    return (b"." + doubled if doubled.startswith(b".") else doubled) + b".\r\n"


def whole_lines(content: bytes) -> bytes:
    """The same message, each line ending with CRLF."""
    if content.count(b"\n") != content.count(b"\r\n"):
        content = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def _envelope(mail: Mail) -> list[tuple[Stage, bytes]]:
    for address in (mail.sender, mail.recipient):
        if _UNFIT.search(address):
            raise PermanentFailure("the address has characters that no envelope takes", Kind.OTHER)
    return [
        ("mail", f"MAIL FROM:<{mail.sender}>\r\n".encode()),
        ("rcpt", f"RCPT TO:<{mail.recipient}>\r\n".encode()),
        ("data", b"DATA\r\n"),
    ]


def _is_yes(stage: Stage, reply: Reply) -> bool:
    return reply.code == _GO_ON if stage == "data" else reply.code // 100 == 2


def _no_connection(error: Exception, endpoint: Endpoint) -> Broken:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Broken(f"no connection to the relay (its certificate: {cause.verify_message})", ours=True)
        cause = cause.__cause__ or cause.__context__
    if endpoint.security == "starttls" and not isinstance(error, OSError) and "STARTTLS" in str(error):
        return Broken("no connection to the relay (it does not offer STARTTLS)", ours=True)
    return Broken(f"no connection to the relay ({type(error).__name__})")
