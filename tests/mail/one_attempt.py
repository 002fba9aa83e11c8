"""One attempt at one mail, in a process that can be killed: `python -m tests.mail.one_attempt URL PORT < order`."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import timedelta

from temporalio.testing import ActivityEnvironment

from activities.messages import Messages
from models.database import Database
from tabiji import crash
from tabiji.channels.email.smtp import SmtpRelay
from tabiji.domain.orders import SendEmail, SendOutcome
from tabiji.settings import Settings

SECRET = "s" * 32


async def attempt(url: str, port: int, order: SendEmail, number: int) -> SendOutcome:
    """What a worker does with this order at its n-th attempt."""
    database, carrier = Database(url), SmtpRelay("127.0.0.1", port)
    try:
        environment = ActivityEnvironment()
        environment.info = replace(
            environment.info, attempt=number, activity_id="7", start_to_close_timeout=timedelta(seconds=60)
        )
        messages = Messages.of(Settings(), database, carrier, secret=SECRET)
        return await environment.run(messages.send_email, order)
    finally:
        await carrier.close()
        await database.close()


if __name__ == "__main__":
    crash.arm(Settings().crash_at)
    asyncio.run(attempt(sys.argv[1], int(sys.argv[2]), SendEmail.model_validate_json(sys.stdin.read()), 1))
