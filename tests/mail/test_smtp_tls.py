"""Nothing is said to a relay that cannot prove who it is, and nothing in clear where encryption was asked for."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from structlog.testing import capture_logs

from tabiji.channels.carrier import TemporaryFailure
from tabiji.channels.email.smtp import SmtpRelay
from tabiji.channels.email.smtp.line import Security
from tests.mail.relays import Relay, relay
from tests.mail.sinks import a_mail

LONG = timedelta(seconds=20)
Serving = Callable[[trustme.LeafCert], AbstractAsyncContextManager[Relay]]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType] # also takes pyOpenSSL's, untyped
    return context


@pytest.fixture(params=["starttls", "tls"])
def security(request: pytest.FixtureRequest) -> Security:
    chosen: Security = request.param
    return chosen


@pytest.fixture
def serving(security: Security) -> Serving:
    def serve(certificate: trustme.LeafCert) -> AbstractAsyncContextManager[Relay]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(context)  # pyright: ignore[reportUnknownMemberType] # as above
        return relay(starttls=context) if security == "starttls" else relay(tls=context)

    return serve


async def test_a_good_certificate_lets_mails_go_and_their_connection_is_kept(
    authority: trustme.CA, trusting: ssl.SSLContext, security: Security, serving: Serving
) -> None:
    async with serving(authority.issue_cert("localhost")) as server:
        client = SmtpRelay("localhost", server.port, security=security, tls=trusting)
        for number in range(2):
            await client.send(a_mail(number=number), within=LONG)
        await client.close()
        assert len(server.received) == 2
        assert len(server.connections) == 1


async def test_a_certificate_for_another_host_is_refused(
    authority: trustme.CA, trusting: ssl.SSLContext, security: Security, serving: Serving
) -> None:
    async with serving(authority.issue_cert("relay.example.com")) as server:
        await _is_refused(server, security, trusting, "Hostname mismatch")


async def test_an_expired_certificate_is_refused(
    authority: trustme.CA, trusting: ssl.SSLContext, security: Security, serving: Serving
) -> None:
    expired = authority.issue_cert("localhost", not_after=datetime(2024, 1, 1, tzinfo=UTC))
    async with serving(expired) as server:
        await _is_refused(server, security, trusting, "expired")


async def test_a_certificate_of_nobody_we_trust_is_refused(security: Security, serving: Serving) -> None:
    async with serving(trustme.CA().issue_cert("localhost")) as server:
        await _is_refused(server, security, None, "certificate")


async def test_who_takes_starttls_out_of_the_offer_gets_nothing_not_even_the_login() -> None:
    async with relay(login=True) as stripped:
        client = SmtpRelay("localhost", stripped.port, security="starttls", username="me", password="right")
        with capture_logs() as logs, pytest.raises(TemporaryFailure, match="STARTTLS"):
            await client.send(a_mail(), within=LONG)
        assert [log["event"] for log in logs if log["log_level"] == "error"] == ["relay.refuses_us"]
        assert (stripped.logins, stripped.commands, stripped.received) == ([], [], [])


@pytest.fixture
async def injecting() -> AsyncGenerator[int]:
    """Offers STARTTLS, and says more in clear after its yes: as somebody in between would."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 x\r\n")
        await reader.readline()
        writer.write(b"250-x\r\n250 STARTTLS\r\n")
        await reader.readline()
        writer.write(b"220 go\r\n250 2.0.0 taken\r\n")
        await reader.read(64)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def test_answers_slipped_in_before_encryption_are_not_believed(injecting: int) -> None:
    client = SmtpRelay("localhost", injecting, security="starttls")
    with pytest.raises(TemporaryFailure, match="no connection"):
        await client.send(a_mail(), within=LONG)


async def _is_refused(server: Relay, security: Security, tls: ssl.SSLContext | None, why: str) -> None:
    client = SmtpRelay("localhost", server.port, security=security, tls=tls, username="me", password="right")
    with capture_logs() as logs, pytest.raises(TemporaryFailure, match=f"certificate.*{why}|{why}"):
        await client.send(a_mail(), within=LONG)
    assert [log["event"] for log in logs if log["log_level"] == "error"] == ["relay.refuses_us"]
    assert (server.logins, server.received) == ([], [])
    await client.close()
