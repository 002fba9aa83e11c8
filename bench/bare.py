"""What events are measured against: FastAPI that does nothing, and an endpoint that only parses and inserts.

python -m bench.bare PORT DATABASE_URL
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import uvicorn
from fastapi import FastAPI, Request
from sqlalchemy import select

from models.contact import Contact
from models.database import Database, insert, table
from models.event import Event
from tabiji.server import OPTIONS


def create_app(database_url: str) -> FastAPI:
    """Two endpoints."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        app.state.database = database = Database(database_url)
        async with database.read() as tx:
            app.state.contacts = list((await tx.scalars(select(table(Contact).c.id).limit(1000))).all())
        yield
        await database.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/empty", response_model=None)
    async def empty() -> dict[str, bool]:  # pyright: ignore[reportUnusedFunction] # a route
        return {"success": True}

    @app.post("/insert", response_model=None)
    async def bulk(request: Request) -> dict[str, bool]:  # pyright: ignore[reportUnusedFunction] # a route
        state = request.app.state
        items = msgspec.json.decode(await request.body())["batch"]
        now = datetime.now(UTC)
        contacts: list[UUID] = state.contacts
        rows = [_row(item, contacts[place % len(contacts)], now) for place, item in enumerate(items)]
        async with state.database.write() as tx:
            await tx.execute(insert(tx, Event), rows)
        return {"success": True}

    return app


def _row(item: dict[str, Any], contact: UUID, now: datetime) -> dict[str, Any]:
    return {
        "contact_id": contact,
        "kind": item["type"],
        "name": item["event"],
        "properties": item["properties"],
        "context": item["context"],
        "message_id": item["messageId"],
        "at": now,
        "recorded_at": now,
    }


if __name__ == "__main__":
    uvicorn.run(create_app(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), **OPTIONS)
