"""A shop's order ends the main journey, on real parts: the shop's own signed request, the door, Temporal, mails."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.app import compose
from api.metrics import Metrics
from api.parts import Parts
from models.database import Database
from models.group import Entrance
from tabiji import days, hours
from tabiji.channels.email.links import Links
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import Ending
from tabiji.journey.discovery import discover, discover_events, discover_sources
from tests.api.conftest import SECRET, settings_for
from tests.hooks.receivers import house, receiver
from tests.hooks.shop import ORDER, SETTINGS, tells
from tests.journeys.relay import Relay, relay
from tests.journeys.stage import Stage, until
from tests.journeys.test_whitepaper_nurture import VISITOR, WELCOME, on_stage, submits_the_form


@pytest.fixture
async def smtp() -> AsyncGenerator[Relay]:
    async with relay() as taking:
        yield taking


@asynccontextmanager
async def shop_door(play: Stage, database: Database, folder: Path) -> AsyncGenerator[httpx2.AsyncClient]:
    """The API as the stage's people meet it: on its clock, with its outbox."""
    settings = settings_for(database, folder, **SETTINGS)
    catalog = Catalog(journey.spec for journey in discover())
    entrance = Entrance(database, catalog, play.clock, play.dispatcher)

    @asynccontextmanager
    async def parts() -> AsyncGenerator[Parts]:
        yield Parts(
            settings,
            database,
            catalog,
            play.clock,
            entrance,
            play.dispatcher,
            play.temporal.client,
            Links(SECRET, settings.public_url),
            Metrics(play.dispatcher.counts),
            discover_events(),
            sources=discover_sources(),
        )

    app = compose(parts)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://tabiji.example") as client:
            yield client
    await entrance.close()


async def test_an_order_in_the_shop_ends_the_whitepaper_journey_and_another_system_hears_of_it(
    sqlite: Database, smtp: Relay, tmp_path: Path
) -> None:
    async with (
        on_stage(sqlite, smtp, tmp_path) as play,
        shop_door(play, sqlite, tmp_path) as door,
        receiver() as crm,
        house(sqlite) as telling,
    ):
        await telling.subscribe(crm)
        nurture = await submits_the_form(play)
        await until(lambda: smtp.subjects == [WELCOME], "the welcome mail")
        await play.advance(days(2) + hours(1))
        await play.until_waiting_for("Page Viewed")

        play.clock.at = await play.temporal.get_current_time()
        order: dict[str, Any] = ORDER | {
            "email": VISITOR,
            "customer": ORDER["customer"] | {"email": VISITOR},
            "created_at": play.clock.at.isoformat(),
        }
        for _ in range(2):
            assert (await tells(door, "orders/create", order)).status_code == 200
        await play.dispatcher.settle()

        outcome = await play.finish(nurture)
        assert (outcome.ending, outcome.reason) == (Ending.GOAL, "Order Completed")
        assert (await play.enrollments())["onboarding"] in ("running", "completed")
        await telling.tell()
        (told,) = crm.bodies
        assert (told["type"], told["data"]["properties"]["total"]) == ("Order Completed", 447.41)
        assert told["data"]["contact"]["user_ids"] == ["shopify:115310627314723954"]
