"""The whole application over real databases. Temporal is away, as it may be: nothing here may depend on it."""

from __future__ import annotations

import socket
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlmodel import SQLModel

from activities.dispatch import Dispatcher
from api.app import compose
from api.metrics import Metrics
from api.parts import Parts
from models.clock import SystemClock
from models.database import Database, insert, table
from models.group import Entrance
from models.keys import create_key
from models.message import Message
from tabiji import JourneyPlugin
from tabiji.channels.email.links import Links
from tabiji.domain.journeys import Catalog
from tabiji.journey.discovery import (
    discover,
    discover_events,
    discover_forms,
    discover_params,
    discover_sources,
    discover_topics,
)
from tabiji.settings import Settings
from tabiji.temporal import connect

SECRET = "a secret that is only fit for tests"
BROWSER = {
    "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 "
    "Safari/537.36",
    "Accept-Language": "ja,en;q=0.8",
}
"""Who has no key is a person."""


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def settings_for(database: Database, data: Path, **more: Any) -> Settings:
    return Settings(
        _env_file=None,  # type: ignore[call-arg] # pydantic-settings takes it
        database_url=database.url.render_as_string(hide_password=False)
        .replace("+aiosqlite", "")
        .replace("+asyncpg", ""),
        data=data,
        secret=SecretStr(SECRET),
        temporal_address=f"127.0.0.1:{free_port()}",
        **more,
    )


@asynccontextmanager
async def parts_on(database: Database, settings: Settings) -> AsyncGenerator[Parts]:
    catalog = Catalog(journey.spec for journey in discover())
    client = await connect(settings, [JourneyPlugin()], lazy=True)
    outbox = Dispatcher(client, database, catalog, task_queue=settings.task_queue)
    clock = SystemClock()
    recorder = Entrance(database, catalog, clock, outbox)
    try:
        yield Parts(
            settings,
            database,
            catalog,
            clock,
            recorder,
            outbox,
            client,
            Links(SECRET, settings.public_url),
            Metrics(outbox.counts),
            discover_events(),
            discover_params(),
            forms=discover_forms(),
            sources=discover_sources(),
            topics=discover_topics(),
        )
    finally:
        await recorder.close()
        await outbox.close()


@dataclass
class Door:
    """The application, a client for each kind of caller, and a look at what is stored."""

    app: FastAPI
    parts: Parts
    nobody: httpx2.AsyncClient
    ingest: httpx2.AsyncClient
    full: httpx2.AsyncClient

    async def rows(self, model: type[SQLModel]) -> int:
        async with self.parts.database.read() as tx:
            return (await tx.execute(select(func.count()).select_from(table(model)))).scalar_one()

    async def all(self, model: type[SQLModel]) -> list[Any]:
        async with self.parts.database.read() as tx:
            return list((await tx.execute(select(table(model)))).all())

    async def contact(self, **identity: str) -> dict[str, Any]:
        answer = await self.full.get("/v1/contacts", params=identity)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@asynccontextmanager
async def opened(database: Database, settings: Settings) -> AsyncGenerator[Door]:
    app = compose(lambda: parts_on(database, settings))
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)

        def client(key: str | None) -> httpx2.AsyncClient:
            headers = {"Authorization": f"Bearer {key}"} if key else BROWSER
            return httpx2.AsyncClient(transport=transport, base_url="http://tabiji.example", headers=headers)

        ingest, full = await create_key(database, "web", "write"), await create_key(database, "ops", "admin")
        async with client(None) as nobody, client(ingest) as web, client(full) as ops:
            yield Door(app, app.state.parts, nobody, web, ops)


@pytest.fixture
async def door(database: Database, tmp_path: Path) -> AsyncGenerator[Door]:
    async with opened(database, settings_for(database, tmp_path)) as door:
        yield door


async def with_a_mail(door: Door, traits: dict[str, Any], *, template: str) -> uuid.UUID:
    """A contact of whom these are known, and the mail `m1` to them, as a worker would have written it."""
    await door.full.post("/v1/identify", json={"userId": "u1", "traits": traits})
    made = (await door.full.post("/v1/journeys/whitepaper-nurture/enrollments", json={"user_id": "u1"})).json()
    contact = uuid.UUID(made["contact_id"])
    async with door.parts.database.write() as tx:
        now = await door.parts.database.now(tx)
        await tx.execute(
            insert(tx, Message).values(
                key="k", public_id="m1", enrollment_id=made["id"], contact_id=contact, step="s", visit=1,
                audience="contact", template=template, state="sent", token="t", run_id="r",
                activity_id="a", attempt=1, lease_until=now, deferrals=0, maybe_twice=0, test=False, at=now,
                asked_at=now, recorded_at=now,
            )
        )  # fmt: skip # a row
    return contact
