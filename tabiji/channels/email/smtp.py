"""A relay, and a few connections to it that are kept.

A connection that has gone stale is noticed at the first command and replaced, at most once for each message
and connection: up to DATA nothing has been promised, so beginning again is safe.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Literal

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from tabiji.channels.carrier import CarrierError, PermanentFailure, TemporaryFailure, Unclear, code_and_status
from tabiji.channels.email.compose import Mail

Security = Literal["none", "starttls", "tls"]

# Refused for want of a login or of encryption: the settings are wrong, not the message.
_OUR_FAULT = frozenset({530, 534, 535, 538})
_GOING_AWAY = 421
_PARTING = 2.0


@dataclass
class _Talk:
    """One message's conversation: past `promised` it may have been delivered."""

    mail: Mail
    before_data: Callable[[], Awaitable[None]] | None
    promised: bool = False


class SmtpRelay:
    """Carries mails to one relay. Belongs to one event loop."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        username: str | None = None,
        password: str | None = None,
        security: Security = "none",
        connections: int = 4,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """No connection is made yet.

        Args:
            host: Name or address of the relay.
            port: Its port.
            username: Who to log in as; None: no login.
            password: For the login.
            security: Certificates are verified, always.
            connections: How many messages may be under way at once.
            tls: Whom to trust, where that is not the machine's own list.
        """
        self._new: Callable[[], SMTP] = partial(
            SMTP,
            hostname=host,
            port=port,
            username=username,
            password=password,
            use_tls=security == "tls",
            start_tls=security == "starttls",
            tls_context=tls,
            local_hostname=socket.gethostname() or "localhost",
            timeout=None,  # one timeout over the whole conversation is set by `send`
        )
        self._slots = asyncio.Semaphore(connections)
        self._idle: list[SMTP] = []

    async def send(
        self, mail: Mail, *, within: timedelta, before_data: Callable[[], Awaitable[None]] | None = None
    ) -> str:
        """Hand one message over.

        Args:
            mail: What, from whom, to whom.
            within: Time for all of it, waiting for a free connection included.
            before_data: Awaited when the relay has taken sender and recipient, before the message itself goes
                out. What it raises stops the sending.

        Returns:
            The relay's last words.

        Raises:
            PermanentFailure: 5yz.
            TemporaryFailure: 4yz, no connection, or it broke or the time was up before the message went out.
            Unclear: It broke, or the time was up, after that.
        """
        talk = _Talk(mail, before_data)
        try:
            async with asyncio.timeout(within.total_seconds()), self._slots:
                return await self._deliver(talk)
        except TimeoutError:
            raise _broken(talk, "the relay took too long") from None

    async def close(self) -> None:
        """Take leave of the relay."""
        idle, self._idle = self._idle, []
        for client in idle:
            try:
                async with asyncio.timeout(_PARTING):
                    await client.quit()
            except (SMTPException, OSError, TimeoutError):
                client.close()

    async def _deliver(self, talk: _Talk) -> str:
        while True:
            kept = self._kept()
            client = kept or await self._connect()
            try:
                reply = await _converse(client, talk)
            except SMTPResponseException as refusal:
                if kept and refusal.code == _GOING_AWAY and not talk.promised:
                    client.close()
                    continue
                await self._clear(client, refusal.code)
                raise _refused(refusal, talk) from None
            except (SMTPException, OSError) as broken:
                client.close()
                if kept and not talk.promised:
                    continue
                raise _broken(talk, f"the connection broke ({type(broken).__name__})") from None
            except BaseException:
                client.close()
                raise
            self._idle.append(client)
            return reply

    def _kept(self) -> SMTP | None:
        while self._idle:
            client = self._idle.pop()
            if client.is_connected:
                return client
            client.close()
        return None

    async def _connect(self) -> SMTP:
        client = self._new()
        try:
            await client.connect()
        except SMTPResponseException as refusal:
            client.close()
            said = code_and_status(refusal.code, refusal.message)
            raise TemporaryFailure(f"the relay does not let us in: {said}") from None
        except (SMTPException, OSError) as error:
            client.close()
            raise TemporaryFailure(f"no connection to the relay ({type(error).__name__})") from None
        except BaseException:
            client.close()
            raise
        return client

    async def _clear(self, client: SMTP, code: int) -> None:
        """Keep a connection over which a message was refused, if the relay still talks to us."""
        kept = False
        try:
            if code != _GOING_AWAY:
                await client.rset()
                kept = True
        except (SMTPException, OSError):
            pass  # the refusal is the news, not that the relay hung up after it
        finally:
            if kept:
                self._idle.append(client)
            else:
                client.close()


async def _converse(client: SMTP, talk: _Talk) -> str:
    await client.mail(talk.mail.sender)
    await client.rcpt(talk.mail.recipient)
    if talk.before_data is not None:
        await talk.before_data()
    talk.promised = True
    answer = await client.data(talk.mail.content)
    return f"{answer.code} {answer.message}"


def _refused(refusal: SMTPResponseException, talk: _Talk) -> CarrierError:
    said = code_and_status(refusal.code, refusal.message)
    match refusal.code // 100:
        case 5 if refusal.code not in _OUR_FAULT:
            return PermanentFailure(said)
        case 4 | 5:
            return TemporaryFailure(said)
        case _:
            return Unclear(said) if talk.promised else TemporaryFailure(said)


def _broken(talk: _Talk, what: str) -> CarrierError:
    return Unclear(f"{what} while it took the message") if talk.promised else TemporaryFailure(what)
