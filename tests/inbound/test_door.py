"""The server mail comes back to: what it takes, what it refuses, and what a 250 means."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from models.database import Database
from tabiji.channels.email.inbound.door import Door, Limits
from tabiji.errors import DatabaseDown
from tests.inbound.house import DOMAIN, OURS, House, open_house

BOUNCE = b"""From: MAILER-DAEMON@mx.example.org
Subject: failure notice
Message-ID: <1@mx.example.org>

Hi. This is the qmail-send program at mx.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.

<gone@example.org>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.
"""


@asynccontextmanager
async def a_door(limits: Limits | None = None, *, fails: Exception | None = None) -> AsyncGenerator[tuple[Door, int]]:
    async def take(_content: bytes, _sender: str, _recipients: Sequence[str]) -> object:
        if fails is not None:
            raise fails
        return None

    door = Door(OURS, take, limits=limits)
    port = await door.listen("127.0.0.1", 0)
    try:
        yield door, port
    finally:
        await door.close()


async def all_gone(door: Door) -> None:
    async with asyncio.timeout(5):
        while door.counts.open:  # noqa: ASYNC110 # a count of the server's, which tells nobody
            await asyncio.sleep(0.01)


def talk(port: int, to: str, content: bytes = b"Subject: hello\r\n\r\nhello\r\n") -> tuple[int, bytes]:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.ehlo("mx.example.org")
        client.mail("somebody@example.org")
        code, said = client.rcpt(to)
        return (code, said) if code >= 400 else client.data(content)


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("hanako@example.jp", 550),
        (f"hanako%example.jp@{DOMAIN}", 550),
        (f"anybody@{DOMAIN}", 550),
        (f"b+{'0' * 32}.{'0' * 16}@{DOMAIN}", 550),
        (OURS.bounce("1" * 32).replace(DOMAIN, "example.jp"), 550),
        (f"bounces@sub.{DOMAIN}", 550),
        (OURS.bounce("1" * 32), 250),
        (OURS.bounce("1" * 32).upper(), 250),
        (f"prvs=1234abcd={OURS.bounce('1' * 32)}", 250),
        (OURS.reply("1" * 32), 250),
        (f"Postmaster@{DOMAIN}", 250),
    ],
)
async def test_it_takes_what_is_addressed_to_us_and_relays_nothing(to: str, code: int) -> None:
    async with a_door() as (door, port):
        assert (await asyncio.to_thread(talk, port, to))[0] == code
        assert (door.counts.taken, door.counts.refused) == ((1, 0) if code == 250 else (0, 1))


async def test_what_cannot_be_stored_is_put_off_and_the_other_side_keeps_it() -> None:
    async with a_door(fails=DatabaseDown("away")) as (door, port):
        code, _ = await asyncio.to_thread(talk, port, OURS.bounce("1" * 32))

    assert code == 451
    assert door.counts.put_off == 1


async def test_a_mistake_of_ours_loses_no_mail_either() -> None:
    async with a_door(fails=KeyError("x")) as (_, port):
        assert (await asyncio.to_thread(talk, port, OURS.bounce("1" * 32)))[0] == 451


async def test_what_is_too_large_is_refused() -> None:
    async with a_door(Limits(largest=2000)) as (door, port):
        code, _ = await asyncio.to_thread(talk, port, OURS.bounce("1" * 32), b"Subject: x\r\n\r\n" + b"x\r\n" * 2000)

    assert code == 552
    assert door.counts.taken == 0


async def test_a_mail_that_goes_in_circles_is_refused() -> None:
    circle = b"Received: from a by b; Sun, 22 Nov 2026 12:00:00 +0000\r\n" * 51 + b"\r\nhello\r\n"
    async with a_door() as (_, port):
        assert (await asyncio.to_thread(talk, port, OURS.bounce("1" * 32), circle))[0] == 554


async def test_who_says_nothing_is_hung_up_on() -> None:
    async with a_door(Limits(idle=timedelta(seconds=0.2))) as (door, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(5):
            await reader.read()
        writer.close()
        await all_gone(door)


async def test_one_side_has_so_many_connections_and_no_more() -> None:
    async with a_door(Limits(connections_of_one=2)) as (door, port):
        kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for reader, _ in kept:
            assert (await reader.readline()).startswith(b"220")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert (await reader.readline()).startswith(b"421")
        assert door.counts.turned_away == 1

        for _, each in (*kept, (reader, writer)):
            each.close()
        await all_gone(door)
        assert (await asyncio.to_thread(talk, port, OURS.bounce("1" * 32)))[0] == 250


async def test_the_same_mail_twice_counts_once(house: House) -> None:
    public_id = await house.mailed("gone@example.org")

    for hop in (b"Received: from a by b\n", b"Received: from c by d\n"):
        assert (await house.deliver(hop + BOUNCE, OURS.bounce(public_id)))[0] == 250

    assert await house.events() == ["Email Bounced"]
    assert len(await house.kept()) == 1
    assert await house.suppressed() == {"gone@example.org": "hard_bounce"}


async def test_what_was_done_before_a_crash_is_not_done_twice_when_the_mail_comes_again(house: House) -> None:
    public_id = await house.mailed("gone@example.org")
    # As far as it got: suppressed and recorded, and not yet written down that the mail was here.
    await house.returns.bounced(public_id, "hard_bounce", evidence="5.1.1", source="inbound", at=house.clock.now())

    await house.deliver(BOUNCE, OURS.bounce(public_id))

    assert await house.events() == ["Email Bounced"]
    assert await house.suppressed() == {"gone@example.org": "hard_bounce"}


async def test_a_stranger_s_mail_to_a_signed_address_of_another_message_says_nothing_of_anybody_else(
    house: House,
) -> None:
    await house.mailed("gone@example.org")
    other = await house.mailed("hanako@example.jp")

    await house.deliver(BOUNCE, OURS.bounce(other))

    # The address was handed on: it is Hanako's message that did not arrive.
    assert await house.suppressed() == {"hanako@example.jp": "hard_bounce"}


async def test_of_several_recipients_a_report_names_only_ours_counts(house: House) -> None:
    public_id = await house.mailed("full@example.org")
    report = BOUNCE.replace(
        b"--- Below", b"<full@example.org>:\nThe mailbox is full: quota exceeded. (#5.2.2)\n\n--- Below"
    )

    await house.deliver(report, OURS.bounce(public_id))

    assert await house.suppressed() == {}
    assert (await house.message(public_id)).bounce == "soft"


@pytest.mark.parametrize("sender", ["somebody@example.org"])
async def test_a_failed_address_alone_counts_only_in_what_servers_send_and_only_lately(
    house: House, sender: str
) -> None:
    await house.mailed("gone@example.org")
    old = await house.mailed("old@example.org", at=house.clock.now() - timedelta(days=6))

    await house.deliver(BOUNCE, f"bounces@{DOMAIN}", sender=sender)
    await house.deliver(BOUNCE.replace(b"gone@", b"old@").replace(b"<1@", b"<2@"), f"bounces@{DOMAIN}")

    assert await house.suppressed() == {}
    assert (await house.message(old)).bounce is None


async def test_on_a_database_that_is_away_nothing_is_lost(sqlite: Database) -> None:
    async with open_house(sqlite) as house:
        public_id = await house.mailed("gone@example.org")
        name = str(sqlite.url.database)
        async with sqlite.write() as tx:
            await tx.exec_driver_sql("ALTER TABLE inbound_mail RENAME TO away")
        first, _ = await house.deliver(BOUNCE, OURS.bounce(public_id))
        async with sqlite.write() as tx:
            await tx.exec_driver_sql("ALTER TABLE away RENAME TO inbound_mail")
        second, _ = await house.deliver(BOUNCE, OURS.bounce(public_id))

        assert (first, second) == (451, 250), name
        assert await house.suppressed() == {"gone@example.org": "hard_bounce"}
        assert await house.events() == ["Email Bounced"]


def test_addresses_fit_into_what_smtp_allows() -> None:
    assert max(len(make("f" * 32).partition("@")[0]) for make in (OURS.bounce, OURS.reply)) <= 64
