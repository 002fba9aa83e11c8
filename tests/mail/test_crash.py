"""kill -9 in the middle of a conversation with the relay, and the next attempt."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE

import pytest

from models.database import Database
from tabiji.domain.orders import SendEmail
from tests.mail.one_attempt import attempt
from tests.mail.people import message, person
from tests.mail.relays import HANG, Relay, relay


async def killed_at(stage: str, database: Database, server: Relay, order: SendEmail) -> None:
    """Begin in a process of its own, and kill it when the relay has heard this command."""
    url = database.url.set(drivername=database.dialect).render_as_string(hide_password=False)
    server.answers[stage].append(HANG)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.mail.one_attempt", url, str(server.port), stdin=PIPE, stderr=DEVNULL
    )
    assert process.stdin is not None
    process.stdin.write(order.model_dump_json().encode())
    process.stdin.close()
    await asyncio.wait_for(server.hanging.wait(), 60)
    process.kill()
    await process.wait()


@pytest.mark.parametrize("stage", ["rcpt", "data"])
async def test_a_worker_killed_while_sending_loses_no_mail(database: Database, stage: str) -> None:
    order = (await person(database)).mail()
    async with relay() as server:
        await killed_at(stage, database, server, order)
        assert await attempt(str(database.url), server.port, order, 2)
        # Killed before the message it went out once; after it, twice under one Message-ID.
        assert len(server.received) == (1 if stage == "rcpt" else 2)
        assert len({mail["Message-ID"] for mail in server.mails}) == 1
    row = await message(database, order.key)
    assert (row.state, row.maybe_twice) == ("sent", 1)


@pytest.mark.parametrize("stage", ["rcpt", "data"])
async def test_a_worker_killed_while_sending_at_most_once_repeats_none(database: Database, stage: str) -> None:
    order = (await person(database)).mail(delivery="at_most_once")
    async with relay() as server:
        await killed_at(stage, database, server, order)
        outcome = await attempt(str(database.url), server.port, order, 2)
        assert outcome.state == ("sent" if stage == "rcpt" else "unknown")
        assert len(server.received) == 1
