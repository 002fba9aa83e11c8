"""Every activity of a worker, put together from settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client import CollectorRegistry

from activities.alarms import Alarms
from activities.approvals import Approvals
from activities.broadcasts import Broadcasts
from activities.contacts import Contacts
from activities.discovery import name_of, own_activities
from activities.enrollments import Enrollments
from activities.messages import Messages
from activities.metrics import watch_relays
from activities.notices import Notices
from activities.post import Post
from activities.reads import Reads
from activities.sweeps import Sweeps
from activities.tasks import Tasks
from activities.teams import Teams
from activities.webhooks import Webhooks
from models import breaker
from models.clock import SystemClock
from models.database import Database
from models.occasions import Occasions
from models.record import Outbox, Recorder
from models.sqlite import Lane
from models.waits import Waits
from tabiji.channels.email.compose import Mailbox
from tabiji.channels.email.smtp.settings import relays_of
from tabiji.channels.webhook import WebhookPost
from tabiji.domain.journeys import Catalog
from tabiji.domain.topics import Topics
from tabiji.settings import Settings


@asynccontextmanager
async def registered(
    settings: Settings,
    database: Database,
    catalog: Catalog,
    outbox: Outbox,
    topics: Topics,
    *,
    registry: CollectorRegistry | None = None,
) -> AsyncGenerator[list[Callable[..., Any]]]:
    """The activities, bound to what they need. Connections to the relay are closed at the end. `registry` takes the
    counts of mails.

    Raises:
        ConfigurationError: An address in the settings is none, there is no signing secret, or an activity of one's own
            cannot be used.
    """
    breaker.arm(breaker.Bounds.of(settings))
    relay = relays_of(settings)
    if registry is not None:
        watch_relays(relay.tallies(), registry)
    clock = SystemClock(settings.clock_shift)
    recorder = Recorder(database, catalog, clock, outbox, lane=Lane.JOURNEYS)
    post = Post.of(
        settings,
        database,
        relay,
        secret=settings.signing_secret,
        topics=topics,
        catalog=catalog,
        recorder=recorder,
    )
    teams = Teams.of(settings)
    webhooks = webhook_post(settings)
    enrollments = Enrollments(Waits(database, catalog, outbox, zone=settings.zone))
    occasions = Occasions(database, catalog, clock, outbox, zone=settings.zone)
    broadcasts = Broadcasts(database, post, clock, zone=settings.zone, connections=settings.smtp_connections)
    sweeps = Sweeps(occasions, rate=settings.enter_rate)
    ours: list[Callable[..., Any]] = [
        *Messages(post, teams).all,
        *Contacts(recorder).all,
        *Reads(database).all,
        *Tasks(recorder).all,
        *Webhooks(database, webhooks).all,
        *Approvals(recorder, post, teams, settings.zone).all,
        *enrollments.all,
        sweeps.sweep_page,
        broadcasts.turn,
    ]
    sender = Mailbox.parse(settings.mail_from, "TABIJI_MAIL_FROM")
    alarms = Alarms(database, relay, sender, settings.ops_email, settings.public_url)
    notices = Notices(database, relay, teams, sender, settings.public_url)
    telling = asyncio.gather(notices.run(), alarms.run())
    try:
        yield ours + own_activities(frozenset(map(name_of, ours)))
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        await webhooks.close()
        await relay.close()


def webhook_post(settings: Settings) -> WebhookPost:
    """Calls outside systems as the settings allow."""
    secrets = {host: secret.get_secret_value() for host, secret in settings.webhook_secrets.items()}
    return WebhookPost(hosts=settings.webhook_hosts, secrets=secrets)
