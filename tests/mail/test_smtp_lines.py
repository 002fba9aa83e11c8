"""One connection: several commands at once where that is offered, and what is refused then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabiji.channels.carrier import PermanentFailure, TemporaryFailure, Unclear
from tabiji.channels.email.smtp import SmtpRelay
from tabiji.channels.email.smtp.line import dotted
from tabiji.domain.bounces import Kind
from tests.mail.sinks import Sink, a_mail, sink

LONG = timedelta(seconds=20)


@pytest.fixture(params=[True, False], ids=["pipelining", "one by one"])
async def server(request: pytest.FixtureRequest) -> AsyncGenerator[Sink]:
    async with sink(pipelining=request.param) as running:
        yield running


@pytest.fixture
async def client(server: Sink) -> AsyncGenerator[SmtpRelay]:
    client = SmtpRelay("127.0.0.1", server.port, connections=1)
    yield client
    await client.close()


async def test_refusals_are_told_apart_and_harm_no_later_mail_over_the_same_connection(
    server: Sink, client: SmtpRelay
) -> None:
    with pytest.raises(PermanentFailure) as gone:
        await client.send(a_mail("550_5.1.1@example.jp"), within=LONG)
    with pytest.raises(PermanentFailure) as full:
        await client.send(a_mail("552_5.2.2.taro@example.jp"), within=LONG)
    with pytest.raises(TemporaryFailure) as later:
        await client.send(a_mail("451_4.7.1-1x.hanako@example.jp"), within=LONG)
    assert (gone.value.kind, full.value.kind, later.value.kind) == (Kind.HARD_BOUNCE, Kind.MAILBOX_FULL, Kind.POLICY)
    assert (await client.send(a_mail("451_4.7.1-1x.hanako@example.jp"), within=LONG)).reply == "250 2.0.0 taken"
    assert (server.counts.mails, server.counts.connections) == (1, 1)


async def test_a_line_that_breaks_is_temporary_before_the_message_and_unclear_after_it(
    server: Sink, client: SmtpRelay
) -> None:
    with pytest.raises(TemporaryFailure, match="broke"):
        await client.send(a_mail("drop-1x.a@example.jp"), within=LONG)
    await client.send(a_mail("drop-1x.a@example.jp"), within=LONG)
    with pytest.raises(Unclear):
        await client.send(a_mail("dropdata-1x.b@example.jp"), within=LONG)
    await client.send(a_mail("dropdata-1x.b@example.jp"), within=LONG)
    assert max(server.counts.pairs.values()) == 2, "what was unclear had been taken"


async def test_the_caller_is_asked_last_and_what_it_raises_keeps_the_message_back(
    server: Sink, client: SmtpRelay
) -> None:
    asked: list[int] = []

    async def no() -> None:
        asked.append(server.counts.mails)
        raise LookupError("superseded")

    with pytest.raises(LookupError):
        await client.send(a_mail(), within=LONG, before_data=no)
    with pytest.raises(PermanentFailure):
        await client.send(a_mail("550@example.jp"), within=LONG, before_data=no)
    assert asked == [0], "not asked about what was refused"
    await client.send(a_mail(), within=LONG)
    assert server.counts.mails == 1


@pytest.mark.parametrize("recipient", ["a b@example.jp", "a@example.jp>\r\nDATA", "花子@example.jp", "<a@example.jp"])
async def test_an_address_cannot_carry_commands(server: Sink, client: SmtpRelay, recipient: str) -> None:
    with pytest.raises(PermanentFailure, match="no envelope"):
        await client.send(replace(a_mail(), recipient=recipient), within=LONG)
    assert server.counts.mails == 0


async def test_pipelining_halves_the_time_of_a_mail_to_a_relay_far_away() -> None:
    """Four answers to wait for become two; with 20 ms each way that is most of the time there is."""
    took: list[float] = []
    for offered in (True, False):
        async with sink(latency=0.02, pipelining=offered) as far:
            client = SmtpRelay("127.0.0.1", far.port, connections=1)
            await client.send(a_mail(), within=LONG)
            began = time.perf_counter()
            for number in range(5):
                await client.send(a_mail(number=number), within=LONG)
            took.append(time.perf_counter() - began)
            await client.close()
    assert took[0] < 0.75 * took[1]


async def test_a_server_that_speaks_something_else_is_a_temporary_failure() -> None:
    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        await reader.readline()
        writer.write(b"250 hello\r\n")
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(chatter, "127.0.0.1", 0)
    client = SmtpRelay("127.0.0.1", server.sockets[0].getsockname()[1])
    with pytest.raises(TemporaryFailure, match="does not speak SMTP"):
        await client.send(a_mail(), within=LONG)
    server.close()
    await server.wait_closed()


@given(st.lists(st.sampled_from([b".", b"..", b"a", b"", b".a", b"\n", b"\r\n"]), max_size=8).map(b"".join))
def test_a_message_ends_where_it_ends_and_comes_out_as_it_went_in(content: bytes) -> None:
    wire = dotted(content)
    assert wire.endswith(b".\r\n")
    assert (b"\r\n" + wire).find(b"\r\n.\r\n") == len(wire) - 3, "no earlier end, whatever is in it"
    lines = wire.removesuffix(b".\r\n").split(b"\r\n")
    undone = b"\r\n".join(line.removeprefix(b".") if line.startswith(b".") else line for line in lines)
    assert undone.replace(b"\r\n", b"\n").rstrip(b"\n") == content.replace(b"\r\n", b"\n").rstrip(b"\n")
