"""The application behind a real port, and another site that embeds its forms."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from api.app import compose
from api.parts import Parts
from models.database import Database
from tabiji.domain.forms import Form, FormCatalog
from tabiji.settings import Settings
from tests.api.conftest import parts_on, settings_for


@dataclass(frozen=True)
class Site:
    """Something that serves pages."""

    url: str
    app: Any

    @property
    def parts(self) -> Parts:
        """Of the application."""
        found: Parts = self.app.state.parts
        return found


@asynccontextmanager
async def forms_site(database: Database, data: Path, *forms: Form, **settings: Any) -> AsyncGenerator[Site]:
    """The application, with further forms."""
    sock = listening()
    address = f"http://127.0.0.1:{sock.getsockname()[1]}"
    made = settings_for(database, data, public_url=address, **settings)
    async with served(compose(lambda: with_forms(database, made, forms)), sock) as site:
        yield site


@asynccontextmanager
async def with_forms(database: Database, settings: Settings, forms: Iterable[Form]) -> AsyncGenerator[Parts]:
    """Parts that know further forms, or others in the place of those in the folder."""
    async with parts_on(database, settings) as parts:
        own = {form.name: form for form in (*parts.forms, *forms)}
        yield dataclasses.replace(parts, forms=FormCatalog(own.values()))


@asynccontextmanager
async def other_site(pages: Mapping[str, Callable[[Request], str]], policy: str) -> AsyncGenerator[Site]:
    """A site of somebody's own, with a content security policy."""

    def route(path: str, made: Callable[[Request], str]) -> Route:
        async def answer(request: Request) -> Response:
            return HTMLResponse(made(request), headers={"Content-Security-Policy": policy})

        return Route(path, answer)

    app = Starlette(routes=[route(path, made) for path, made in pages.items()])
    async with served(app, listening()) as site:
        yield site


@asynccontextmanager
async def served(app: FastAPI | Starlette, sock: socket.socket) -> AsyncGenerator[Site]:
    """Serve until the end of the block."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
    running = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        while not server.started:
            if running.done():
                running.result()
            await asyncio.sleep(0.01)
        yield Site(f"http://127.0.0.1:{sock.getsockname()[1]}", app)
    finally:
        server.should_exit = True
        await running
        sock.close()


def listening() -> socket.socket:
    """A port of our own."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock
