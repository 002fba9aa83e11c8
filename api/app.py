"""The HTTP door: `uvicorn api.app:create_app --factory`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.types import Scope

from api import (
    accounts,
    approval_pages,
    approvals,
    batches,
    broadcasts,
    changes,
    conditions,
    confirmations,
    contacts,
    enrollments,
    events,
    experiments,
    health,
    hooks,
    imports,
    inbound,
    journeys,
    launches,
    links,
    mails,
    messages,
    openapi,
    params,
    pauses,
    preferences,
    stuck,
    suppressions,
    tasks,
    topics,
    traces,
    tracker,
    unsubscribe,
    webhooks,
)
from api.carriers import door as carriers
from api.deps import parts_of_app
from api.errors import Unbroken, install
from api.forms import files as form_files
from api.forms import landing
from api.forms import pages as form_pages
from api.forms import scripts as form_scripts
from api.guard import BoundedBodies, SafeAnswers
from api.ingest import described
from api.ingest.door import Application
from api.keys import KeyGate
from api.metrics import Measured, Metrics
from api.parts import MakeParts, open_parts
from api.touches import settle_for_ever
from tabiji import log
from tabiji import settings as environment
from tabiji.settings import Settings

ROUTERS = (
    contacts.router,
    topics.router,
    messages.router,
    links.router,
    accounts.router,
    changes.router,
    enrollments.router,
    journeys.router,
    launches.router,
    pauses.router,
    batches.router,
    broadcasts.router,
    # Before the events' own: its path would be taken for one of theirs.
    traces.router,
    events.router,
    experiments.router,
    imports.router,
    conditions.router,
    params.router,
    tasks.router,
    suppressions.router,
    inbound.router,
    approvals.router,
    stuck.router,
    mails.router,
    unsubscribe.router,
    confirmations.router,
    preferences.router,
    tracker.router,
    # The script of a form before its page: the page's path would take it for a name.
    form_scripts.router,
    form_pages.router,
    form_files.router,
    landing.router,
    approval_pages.router,
    hooks.router,
    carriers.router,
    webhooks.router,
    health.router,
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application as the settings say. Starts, and takes events, while Temporal is away.

    Raises:
        ConfigurationError: A setting is wrong; when serving begins also: the secret is missing. A database of
            another version is no reason not to start: /readyz says so, and mends itself with the migration.
    """
    settings = settings or environment.load()
    log.configure(settings.log_level, process="api")
    # Paths hold the tokens of mail links, and queries hold addresses: requests are counted in /metrics, by route.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    return compose(lambda: open_parts(settings))


def compose(make_parts: MakeParts) -> FastAPI:
    """The application out of ready-made parts, which are made when serving begins."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with make_parts() as parts:
            app.state.parts = parts
            settling = asyncio.create_task(settle_for_ever(parts))
            try:
                yield
            finally:
                settling.cancel()
                await asyncio.gather(settling, return_exceptions=True)

    # The usual pages of documentation load scripts from elsewhere; the description itself wants a key.
    app = Application(title=openapi.TITLE, lifespan=lifespan, docs_url=None, redoc_url=None, **openapi.ABOUT)
    app.router.routes.extend(described.routes())
    for router in ROUTERS:
        app.include_router(router)
    install(app)
    openapi.complete(app)
    # The last one added is the first a request meets.
    app.add_middleware(BoundedBodies)
    app.add_middleware(KeyGate)
    app.add_middleware(Unbroken)
    app.add_middleware(Measured, metrics=_metrics)
    app.add_middleware(SafeAnswers)
    return app


def _metrics(scope: Scope) -> Metrics:
    app: Any = scope["app"]
    return parts_of_app(app).metrics
