"""kill -9 at every point of a mail's road, and in the middle of the talk with the relay; and the next attempt."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import dataclass

import pytest

from models.database import Database
from tabiji.domain.orders import SendEmail
from tests.mail.one_attempt import attempt
from tests.mail.people import message, person
from tests.mail.relays import HANG, Relay, relay


@dataclass(frozen=True)
class Left:
    """What a crash at one point leaves after the next attempt: mails at the relay, the message's state, and how often
    we know that it may have gone out twice. By what the order asks for.
    """

    at_least_once: tuple[int, str, int]
    at_most_once: tuple[int, str, int]


POINTS = {
    "message.rendered": Left((1, "sent", 0), (1, "sent", 0)),
    "message.claimed": Left((1, "sent", 1), (1, "sent", 0)),
    "message.on_wire": Left((1, "sent", 1), (0, "unknown", 0)),
    "message.taken": Left((2, "sent", 1), (1, "unknown", 0)),
    "message.marked": Left((1, "sent", 0), (1, "sent", 0)),
}
"""Every point between the steps of the road. Twice only between the relay's yes and our mark."""


@pytest.mark.parametrize("delivery", ["at_least_once", "at_most_once"])
@pytest.mark.parametrize("point", POINTS)
async def test_a_crash_at_any_point_loses_nothing_and_repeats_only_what_the_relay_had_and_we_had_not_noted(
    sqlite: Database, point: str, delivery: str
) -> None:
    order = (await person(sqlite)).mail(delivery=delivery)
    async with relay() as server:
        assert await dies_at(point, sqlite, server, order) == -signal.SIGKILL
        await attempt(str(sqlite.url), server.port, order, 2)
        mails = len(server.received)
        assert len({mail["Message-ID"] for mail in server.mails}) == min(mails, 1)
    row = await message(sqlite, order.key)
    assert (mails, row.state, row.maybe_twice) == getattr(POINTS[point], delivery)


async def dies_at(point: str, database: Database, server: Relay, order: SendEmail) -> int:
    """One attempt in a process of its own, which dies there. Returns its exit code."""
    process = await _one_attempt(database, server, order, {"TABIJI_CRASH_AT": point})
    return await asyncio.wait_for(process.wait(), 60)


async def _one_attempt(
    database: Database, server: Relay, order: SendEmail, env: dict[str, str] | None = None
) -> asyncio.subprocess.Process:
    url = database.url.set(drivername=database.dialect).render_as_string(hide_password=False)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.mail.one_attempt", url, str(server.port)),
        stdin=PIPE,
        stderr=DEVNULL,
        env={**os.environ, **(env or {})},
    )
    assert process.stdin is not None
    process.stdin.write(order.model_dump_json().encode())
    process.stdin.close()
    return process


async def killed_at(stage: str, database: Database, server: Relay, order: SendEmail) -> None:
    """Begin in a process of its own, and kill it when the relay has heard this command."""
    server.answers[stage].append(HANG)
    process = await _one_attempt(database, server, order)
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
