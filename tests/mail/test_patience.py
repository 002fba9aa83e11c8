"""How long a mail that a relay does not take now is tried again, and how it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from temporalio.testing import ActivityEnvironment

from activities.messages import Messages
from models.database import Database, table
from models.message import Message
from models.suppression import Suppression
from tabiji.channels.email.smtp import SmtpRelay
from tabiji.domain.orders import SendEmail, SendOutcome
from tabiji.errors import ChannelDown
from tabiji.journey.calls import MAIL_RETRIES
from tabiji.settings import Settings
from tests.mail.people import person
from tests.mail.relays import relay

SECRET = "s" * 32


async def attempt(messages: Messages, order: SendEmail, number: int, tried_for: timedelta) -> SendOutcome:
    environment = ActivityEnvironment()
    begun = environment.info.scheduled_time
    environment.info = replace(
        environment.info,
        attempt=number,
        activity_id="7",
        start_to_close_timeout=timedelta(seconds=60),
        started_time=begun + tried_for,
    )
    return await environment.run(messages.send_email, order)


@pytest.mark.parametrize("answer", ["451 4.7.1 greylisted", "450 4.1.1 unknown, for now", "452 4.2.2 full"])
async def test_a_mail_is_tried_for_a_day_and_then_given_up_with_the_reason(sqlite: Database, answer: str) -> None:
    """Not for good is not for ever suppressed, whatever the refusal was called."""
    somebody = await person(sqlite)
    async with relay() as server:
        carrier = SmtpRelay("127.0.0.1", server.port)
        settings = Settings(_env_file=None, secret=SecretStr(SECRET))  # type: ignore[call-arg, unused-ignore] # pydantic-settings' own
        messages = Messages.of(settings, sqlite, carrier, secret=SECRET)
        server.answers["rcpt"].extend([answer] * 3)
        for number, tried_for in enumerate((timedelta(0), timedelta(hours=23))):
            with pytest.raises(ChannelDown, match=answer[:9]):
                await attempt(messages, somebody.mail(), number + 1, tried_for)
        ended = await attempt(messages, somebody.mail(), 3, timedelta(hours=24, minutes=1))
        assert (ended.state, ended.reason) == ("failed", f"given up after 24 h: {answer[:9]}")
        assert not await attempt(messages, somebody.mail(), 4, timedelta(hours=25)), "and stays so"
        await carrier.close()
    assert server.received == []
    async with sqlite.read() as tx:
        messages_there, suppressed = table(Message), table(Suppression)
        assert (await tx.execute(select(messages_there.c.state))).scalars().all() == ["failed"]
        assert (await tx.execute(select(suppressed))).all() == []


async def test_the_relay_that_took_a_mail_is_written_down(sqlite: Database) -> None:
    somebody = await person(sqlite)
    async with relay() as server:
        carrier = SmtpRelay("127.0.0.1", server.port)
        settings = Settings(_env_file=None, secret=SecretStr(SECRET))  # type: ignore[call-arg, unused-ignore] # as above
        assert await attempt(Messages.of(settings, sqlite, carrier, secret=SECRET), somebody.mail(), 1, timedelta(0))
        await carrier.close()
    async with sqlite.read() as tx:
        messages_there = table(Message)
        assert (await tx.execute(select(messages_there.c.relay))).scalars().all() == [f"127.0.0.1:{server.port}"]


def test_tries_grow_apart_and_are_some_dozens_a_day() -> None:
    wait, tries, waited = MAIL_RETRIES.initial_interval, 0, timedelta(0)
    while waited < timedelta(hours=24):
        waited += wait
        tries += 1
        wait = min(wait * MAIL_RETRIES.backoff_coefficient, MAIL_RETRIES.maximum_interval or wait)
    assert 50 < tries < 150
