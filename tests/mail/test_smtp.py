from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from tabiji.channels.carrier import PermanentFailure, TemporaryFailure, Unclear
from tabiji.channels.email.compose import Mail
from tabiji.channels.email.smtp import SmtpRelay
from tests.mail.relays import DROP, HANG, Relay, relay

MAIL = Mail(
    content=b"Subject: x\r\nMessage-ID: <1@example.com>\r\n\r\n.dot\r\n",
    sender="hello@example.com",
    recipient="hanako@example.jp",
    message_id="<1@example.com>",
)
LONG = timedelta(seconds=20)
SHORT = timedelta(seconds=0.3)


@pytest.fixture
async def server() -> AsyncGenerator[Relay]:
    async with relay() as running:
        yield running


@pytest.fixture
async def client(server: Relay) -> AsyncGenerator[SmtpRelay]:
    client = SmtpRelay("127.0.0.1", server.port, connections=2)
    yield client
    await client.close()


async def test_a_mail_arrives_byte_for_byte(server: Relay, client: SmtpRelay) -> None:
    reply = await client.send(MAIL, within=LONG)
    assert (reply.reply, reply.relay) == ("250 2.0.0 queued as 1", f"127.0.0.1:{server.port}")
    assert server.received == [MAIL.content]
    assert server.recipients == ["hanako@example.jp"]


async def test_a_connection_is_used_again(server: Relay, client: SmtpRelay) -> None:
    for _ in range(3):
        await client.send(MAIL, within=LONG)
    assert len(server.received) == 3
    assert len(server.connections) == 1


async def test_no_more_connections_are_opened_than_allowed(server: Relay, client: SmtpRelay) -> None:
    await asyncio.gather(*(client.send(MAIL, within=LONG) for _ in range(12)))
    assert len(server.received) == 12
    assert len(server.connections) <= 2


async def test_a_connection_the_relay_has_closed_is_replaced(server: Relay, client: SmtpRelay) -> None:
    await client.send(MAIL, within=LONG)
    server.hang_up()
    await client.send(MAIL, within=LONG)
    assert len(server.received) == 2


@pytest.mark.parametrize("answer", [DROP, "421 4.4.2 idle too long"])
async def test_a_stale_connection_is_replaced_at_the_first_command(
    server: Relay, client: SmtpRelay, answer: str
) -> None:
    await client.send(MAIL, within=LONG)
    server.answers["mail"].append(answer)
    await client.send(MAIL, within=LONG)
    assert len(server.received) == 2
    assert len(server.connections) == 2


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize(
    "refusal",
    [
        ("550 5.1.1 <hanako@example.jp> unknown", PermanentFailure, "550 5.1.1"),
        ("554 no thanks, hanako@example.jp", PermanentFailure, "554"),
        ("451 4.7.1 hanako@example.jp is greylisted", TemporaryFailure, "451 4.7.1"),
        ("421 4.3.2 going down", TemporaryFailure, "421 4.3.2"),
        ("530 5.7.0 authenticate first", TemporaryFailure, "530 5.7.0"),
    ],
)
async def test_a_refusal_says_whether_to_come_back_and_never_whom_it_was_about(
    server: Relay, client: SmtpRelay, stage: str, refusal: tuple[str, type[Exception], str]
) -> None:
    answer, failure, said = refusal
    server.answers[stage].append(answer)
    with pytest.raises(failure) as caught:
        await client.send(MAIL, within=LONG)
    assert str(caught.value) == said
    assert server.received == []

    await client.send(MAIL, within=LONG)
    assert len(server.received) == 1, "the next mail is not harmed"


@pytest.mark.parametrize("stage", ["mail", "rcpt"])
async def test_a_line_that_breaks_before_the_message_is_a_temporary_failure(
    server: Relay, client: SmtpRelay, stage: str
) -> None:
    server.answers[stage].append(DROP)
    with pytest.raises(TemporaryFailure, match="broke"):
        await client.send(MAIL, within=LONG)
    assert server.received == []


async def test_a_line_that_breaks_after_the_message_is_unclear(server: Relay, client: SmtpRelay) -> None:
    server.answers["data"].append(DROP)
    with pytest.raises(Unclear):
        await client.send(MAIL, within=LONG)
    assert server.commands.count("data") == 1, "not repeated behind the caller's back"


async def test_a_slow_relay_is_left_in_time(server: Relay, client: SmtpRelay) -> None:
    server.answers["rcpt"].append(HANG)
    with pytest.raises(TemporaryFailure, match="too long"):
        await client.send(MAIL, within=SHORT)
    server.answers["data"].append(HANG)
    with pytest.raises(Unclear, match="too long"):
        await client.send(MAIL, within=SHORT)
    assert await client.send(MAIL, within=LONG)


async def test_waiting_for_a_free_connection_counts_as_time(server: Relay) -> None:
    client = SmtpRelay("127.0.0.1", server.port, connections=1)
    server.answers["data"].append(HANG)
    first = asyncio.create_task(client.send(MAIL, within=timedelta(seconds=2)))
    await server.hanging.wait()
    with pytest.raises(TemporaryFailure, match="too long"):
        await client.send(MAIL, within=SHORT)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await client.close()


async def test_a_relay_that_is_not_there_is_a_temporary_failure() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refused
        client = SmtpRelay("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(TemporaryFailure, match="no connection"):
            await client.send(MAIL, within=LONG)


async def test_the_caller_hears_before_the_message_goes_out(server: Relay, client: SmtpRelay) -> None:
    seen: list[list[str]] = []

    async def before() -> None:
        seen.append(list(server.commands))

    await client.send(MAIL, within=LONG, before_data=before)
    assert seen == [["mail", "rcpt"]]


async def test_what_the_caller_raises_then_stops_the_message(server: Relay, client: SmtpRelay) -> None:
    async def before() -> None:
        raise LookupError("superseded")

    with pytest.raises(LookupError):
        await client.send(MAIL, within=LONG, before_data=before)
    assert server.received == []
    assert await client.send(MAIL, within=LONG)


async def test_a_login_is_used_and_a_wrong_password_is_not_the_messages_fault() -> None:
    async with relay(login=True) as server:
        client = SmtpRelay("127.0.0.1", server.port, username="me", password="right")
        assert await client.send(MAIL, within=LONG)
        await client.close()
        assert server.logins[-1] == ("me", "right")

        wrong = SmtpRelay("127.0.0.1", server.port, username="me", password="wrong")
        with pytest.raises(TemporaryFailure, match="535"):
            await wrong.send(MAIL, within=LONG)
