"""Every activity of a worker, put together from settings."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from activities.contacts import Contacts
from activities.enrollments import Enrollments
from activities.messages import Messages
from activities.reads import Reads
from activities.sweeps import Sweeps
from models.clock import SystemClock
from models.database import Database
from models.occasions import Occasions
from models.record import Outbox, Recorder
from models.waits import Waits
from tabiji.channels.email.smtp import SmtpRelay
from tabiji.domain.journeys import Catalog
from tabiji.settings import Settings


@asynccontextmanager
async def registered(
    settings: Settings, database: Database, catalog: Catalog, outbox: Outbox
) -> AsyncGenerator[list[Callable[..., Any]]]:
    """The activities, bound to what they need. Connections to the relay are closed at the end.

    Raises:
        ConfigurationError: An address in the settings is none, or there is no signing secret.
    """
    relay = SmtpRelay(
        settings.smtp_host,
        settings.smtp_port,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        security=settings.smtp_security,
        connections=settings.smtp_connections,
    )
    messages = Messages.of(settings, database, relay, secret=settings.signing_secret)
    clock = SystemClock(settings.clock_shift)
    recorder = Recorder(database, catalog, clock, outbox)
    enrollments = Enrollments(Waits(database, catalog, outbox, zone=settings.zone))
    occasions = Occasions(database, catalog, clock, outbox, zone=settings.zone)
    sweeps = Sweeps(occasions, rate=settings.enter_rate)
    try:
        yield [
            messages.send_email,
            messages.notify_sales,
            *Contacts(recorder).all,
            *Reads(database).all,
            *enrollments.all,
            sweeps.sweep_page,
        ]
    finally:
        await relay.close()
