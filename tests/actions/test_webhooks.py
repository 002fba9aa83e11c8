"""Calls to outside systems: signed, once, and to nobody they should not reach."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from activities.webhooks import PATIENCE, Webhooks
from models.database import Database
from tabiji.channels.webhook import Answered, NotAllowed, TryLater, WebhookPost, is_public
from tabiji.domain.changes import Called, CallWebhook
from tabiji.errors import ChannelDown
from tests.actions.doing import Doing, doing, environment

SECRET = "whsec_" + "c2VjcmV0IHNlY3JldCBzZWNyZXQ="


@dataclass
class Receiver:
    """A server that answers as it is told, and keeps what it got."""

    port: int
    answers: list[str] = field(default_factory=list[str])
    got: list[tuple[dict[str, str], str]] = field(default_factory=list[tuple[dict[str, str], str]])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        told = (line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        headers = {name.lower(): value for name, value in told}
        body = await reader.readexactly(int(headers["content-length"]))
        self.got.append((headers, body.decode()))
        answer = self.answers.pop(0) if self.answers else "200 OK"
        if answer != "nothing":
            writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 2\r\n\r\nok".encode())
            await writer.drain()
        writer.close()


@asynccontextmanager
async def receiver(tls: ssl.SSLContext | None = None) -> AsyncGenerator[Receiver]:
    server = Receiver(0)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


async def post(to: WebhookPost, address: str, *, within: float = 5, data: dict[str, Any] | None = None) -> Answered:
    try:
        return await to.post(
            address, data or {}, id="m1", at=datetime.now(UTC), test=False, within=timedelta(seconds=within)
        )
    finally:
        await to.close()


async def test_a_call_is_signed_and_says_which_one_it_is() -> None:
    async with receiver() as server:
        to = WebhookPost(hosts=["localhost"], secrets={"localhost": SECRET})
        answer = await post(to, f"http://localhost:{server.port}/hook?a=1", data={"名": "花子"})

    assert answer.ok
    ((headers, body),) = server.got
    assert body == '{"名":"花子"}'
    assert headers["webhook-id"] == "m1"
    assert headers["host"] == f"localhost:{server.port}"
    assert Webhook(SECRET).verify(body, headers) == {"名": "花子"}


async def test_tls_is_checked_against_the_name_though_the_address_was_looked_up() -> None:
    authority = trustme.CA()
    good, bad = (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in range(2))
    authority.issue_cert("localhost").configure_cert(good)  # pyright: ignore[reportUnknownMemberType] # takes pyOpenSSL's too
    authority.issue_cert("elsewhere.example").configure_cert(bad)  # pyright: ignore[reportUnknownMemberType] # as above
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)  # pyright: ignore[reportUnknownMemberType] # as above
    for context, fine in ((good, True), (bad, False)):
        async with receiver(context) as server:
            to = WebhookPost(hosts=["localhost"], verify=trusting)
            if fine:
                assert (await post(to, f"https://localhost:{server.port}/")).ok
            else:
                with pytest.raises(TryLater):
                    await post(to, f"https://localhost:{server.port}/")


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[64:ff9b::a00:1]/",
        "http://93.184.216.34/",
        "https://user:secret@93.184.216.34/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com",
        "https://",
        "https://exa mple.com/",
    ],
)
async def test_no_call_reaches_a_private_network_or_goes_out_in_the_clear(address: str) -> None:
    with pytest.raises(NotAllowed):
        await post(WebhookPost(), address)


async def test_a_name_counts_by_where_it_leads_and_only_with_its_port_where_one_is_named() -> None:
    async with receiver() as server:
        assert (await post(WebhookPost(hosts=[f"localhost:{server.port}"]), f"http://localhost:{server.port}/")).ok
        with pytest.raises(NotAllowed):
            await post(WebhookPost(hosts=[f"localhost:{server.port + 1}"]), f"http://LOCALHOST.:{server.port}/")
    assert len(server.got) == 1


@given(st.ip_addresses(v=4))
def test_an_address_wrapped_in_another_is_as_public_as_itself(inner: ipaddress.IPv4Address) -> None:
    mapped = ipaddress.IPv6Address(int(ipaddress.IPv6Address("::ffff:0:0")) | int(inner))
    translated = ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) | int(inner))
    six_to_four = ipaddress.IPv6Address((0x2002 << 112) | (int(inner) << 80) | 1)
    assert is_public(mapped) == is_public(translated) == is_public(six_to_four) == is_public(inner)
    assert not (is_public(inner) and (inner.is_private or inner.is_loopback or inner.is_link_local))


async def test_a_redirect_is_not_followed_and_a_server_that_is_silent_is_tried_later() -> None:
    async with receiver() as server:
        server.answers += ["302 Found\r\nLocation: http://127.0.0.1:1/", "503 Busy\r\nRetry-After: 7", "nothing"]
        url = f"http://localhost:{server.port}/"
        assert await post(WebhookPost(hosts=["localhost"]), url) == Answered(302)
        with pytest.raises(TryLater) as busy:
            await post(WebhookPost(hosts=["localhost"]), url)
        assert (busy.value.status, busy.value.retry_after) == (503, timedelta(seconds=7))
        with pytest.raises(TryLater):
            await post(WebhookPost(hosts=["localhost"]), url, within=0.5)


async def _calls(it: Doing, server: Receiver, *, hosts: list[str], **attempt: Any) -> Called:
    to = WebhookPost(hosts=hosts)
    fields = attempt.pop("fields", {})
    order = it.order(CallWebhook, url=f"http://localhost:{server.port}/", data={"n": 1}, **fields)
    try:
        activity = Webhooks(it.road.database, to).call_webhook
        called: Called = await environment(**attempt).run(activity, order)
        return called
    finally:
        await to.close()


async def test_a_second_attempt_after_the_answer_calls_nobody(sqlite: Database) -> None:
    it = await doing(sqlite)
    async with receiver() as server:
        assert await _calls(it, server, hosts=["localhost"]) == Called(ok=True, status=200)
        assert await _calls(it, server, hosts=["localhost"], attempt=2) == Called(ok=True, status=200)
    assert len(server.got) == 1


async def test_a_refusal_is_a_result_and_a_server_that_is_away_is_called_again_for_a_day(sqlite: Database) -> None:
    it = await doing(sqlite)
    async with receiver() as server:
        server.answers += ["500 Oops", "500 Oops", "410 Gone"]
        with pytest.raises(ChannelDown):
            await _calls(it, server, hosts=["localhost"])
        given_up = await _calls(it, server, hosts=["localhost"], attempt=9, waited=PATIENCE)
        assert (given_up.ok, given_up.status, given_up.reason) == (False, 500, "given up after a day: answered 500")
        gone = await _calls(it, server, hosts=["localhost"], fields={"step": "other"})
        assert (bool(gone), gone.status) == (False, 410)
    ids = [headers["webhook-id"] for headers, _ in server.got]
    assert ids[0] == ids[1] != ids[2]


async def test_what_may_not_be_called_is_a_result_that_says_why(sqlite: Database) -> None:
    it = await doing(sqlite)
    async with receiver() as server:
        refused = await _calls(it, server, hosts=[])
        assert (refused.ok, refused.status) == (False, 0)
        assert "TABIJI_WEBHOOK_HOSTS" in (refused.reason or "")
        rehearsal = await _calls(it, server, hosts=["other"], fields={"step": "test", "test": True})
        assert not rehearsal.ok
        trial = await _calls(it, server, hosts=["localhost"], fields={"step": "trial", "test": True})
        assert trial.ok
    ((headers, _),) = server.got
    assert headers["tabiji-test"] == "1"
