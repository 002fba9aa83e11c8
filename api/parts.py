"""What the HTTP door is made of, and how a process gets it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

from temporalio.client import Client

from activities.dispatch import Counts, Dispatcher
from activities.steering import Steering
from api.carriers.sns import Sns
from api.known_keys import KnownKeys
from api.lately import Lately
from api.limits import Buckets, Limits
from api.metrics import Metrics
from models import breaker
from models.clock import Clock, SystemClock
from models.database import Database
from models.event_problem import ProblemTally
from models.group import Entrance
from models.record import Outbox
from models.rejection import Rejections
from tabiji.channels.email.links import Links
from tabiji.domain.event_catalog import EventCatalog
from tabiji.domain.forms import FormCatalog
from tabiji.domain.hooks import Sources
from tabiji.domain.journeys import Catalog
from tabiji.domain.params import ParamCatalog
from tabiji.domain.topics import Topics
from tabiji.errors import Unavailable
from tabiji.journey.discovery import (
    discover,
    discover_events,
    discover_forms,
    discover_params,
    discover_sources,
    discover_topics,
)
from tabiji.plugin import JourneyPlugin
from tabiji.settings import Settings
from tabiji.temporal import connect

WRITTEN_EVERY = 10.0
"""Seconds between two writes of what came in otherwise than declared, and of which keys were used."""

FORMS_A_MINUTE, FORMS_AT_ONCE = 10, 30
"""So many filled-in forms may come from one address: a whole office's, not a program's."""


class Delivery(Outbox, Protocol):
    """The outbox, as the API needs it: with what it has counted."""

    @property
    def counts(self) -> Counts:
        """What this process has delivered so far."""
        ...


@dataclass(frozen=True)
class Parts:
    """Ready-made parts. `client` may not have reached Temporal yet: events are taken all the same."""

    settings: Settings
    database: Database
    catalog: Catalog
    clock: Clock
    recorder: Entrance
    outbox: Delivery
    client: Client
    links: Links
    metrics: Metrics
    events: EventCatalog = field(default_factory=EventCatalog)
    params: ParamCatalog = field(default_factory=ParamCatalog)
    problems: ProblemTally = field(default_factory=ProblemTally)
    keys: KnownKeys = field(default_factory=KnownKeys)
    rejections: Rejections = field(default_factory=Rejections)
    limits: Limits = field(default_factory=Limits)
    forms: FormCatalog = field(default_factory=FormCatalog)
    topics: Topics = field(default_factory=Topics)
    sources: Sources = field(default_factory=Sources)
    sns: Sns = field(default_factory=Sns)
    lately: Lately = field(default_factory=Lately)
    form_posts: Buckets = field(default_factory=lambda: Buckets(FORMS_A_MINUTE / 60, size=FORMS_AT_ONCE))


MakeParts = Callable[[], AbstractAsyncContextManager[Parts]]
"""Called when the process starts to serve; closed when it stops."""


@asynccontextmanager
async def open_parts(settings: Settings) -> AsyncGenerator[Parts]:
    """Everything as the settings say. Temporal may be away: what is recorded is delivered once it is back."""
    breaker.arm(breaker.Bounds.of(settings))
    catalog = Catalog((journey.spec for journey in discover()), unlaunched=settings.unlaunched)
    client = await connect(settings, [JourneyPlugin()], lazy=True)
    sources = discover_sources()
    sources.check({name: [one.get_secret_value() for one in each] for name, each in settings.hook_secrets.items()})
    database = Database(settings.database, pool=settings.database_pool)
    dispatcher = Dispatcher(client, database, catalog, task_queue=settings.task_queue)
    clock = SystemClock(settings.clock_shift)
    steering = Steering(database, catalog, clock, dispatcher, resume_rate=settings.resume_rate)
    entrance = Entrance(database, catalog, clock, dispatcher)
    problems, keys, rejections = ProblemTally(), KnownKeys(), Rejections()
    running = (dispatcher.run(), steering.run(), _write_now_and_then(database, problems, keys, rejections))
    chores = [asyncio.create_task(one) for one in running]
    try:
        yield Parts(
            settings=settings,
            database=database,
            catalog=catalog,
            clock=clock,
            recorder=entrance,
            outbox=dispatcher,
            client=client,
            links=Links(settings.signing_secret, settings.public_url),
            metrics=Metrics(dispatcher.counts),
            events=discover_events(),
            params=discover_params(),
            forms=discover_forms(),
            topics=discover_topics(),
            sources=sources,
            problems=problems,
            keys=keys,
            rejections=rejections,
            limits=Limits(settings.key_rate, settings.address_rate, settings.proxies),
        )
    finally:
        await entrance.close()
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        await _write(database, problems, keys, rejections)
        await dispatcher.close()
        await database.close()


class _Tally(Protocol):
    async def write(self, database: Database) -> object: ...


async def _write_now_and_then(database: Database, *tallies: _Tally) -> None:
    while True:
        await asyncio.sleep(WRITTEN_EVERY)
        await _write(database, *tallies)


async def _write(database: Database, *tallies: _Tally) -> None:
    for tally in tallies:
        with suppress(Unavailable):
            await tally.write(database)
