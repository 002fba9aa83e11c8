"""A shop's web site that loads our script from another host, under a policy as strict as any."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import uvicorn
from playwright.async_api import ConsoleMessage, Page
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import compose
from api.parts import Parts
from models.contact import Contact, Identity
from models.database import Database, insert, table
from models.event import Event
from models.incoming import Incoming
from models.keys import create_key
from models.message import Message
from tests.api.conftest import free_port, parts_on, settings_for
from tests.docs.pages import blocks

HOST = "www.shop.localhost"
"""Of the site. Chromium itself knows where it is."""
DOCUMENT = "docs/tracker.md"
PATIENCE = 10.0
HTML = """<!doctype html>
<html lang="ja"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>{script}</head><body>{body}</body></html>"""


@dataclass
class Shop:
    """The site, the API beside it, and what has arrived there."""

    parts: Parts
    key: str
    api: str
    origin: str
    pages: dict[str, str] = field(default_factory=dict[str, str])
    """What is served at a path; elsewhere an empty page."""
    policy: str = ""
    asked: list[str] = field(default_factory=list[str])
    """Paths of the API that were asked for, in order. Browsers tell nobody else of their last beacon."""

    def own(self, text: str) -> str:
        """What the document says, with our own host and key in it."""
        return text.replace("https://t.example.com", self.api).replace("tbj_…", self.key)

    def script(self, **data: str) -> str:
        """The tag a page carries, as the document has it."""
        more = "".join(f' data-{name}="{value}"' for name, value in data.items())
        return self.own(blocks(DOCUMENT, "html")[0].text).replace(" defer", f"{more} defer")

    def put(
        self, path: str, title: str, body: str = "", *, script: str | None = None, before: str = "", **data: str
    ) -> str:
        """Serve a page. Returns its address."""
        tags = before + (self.script(**data) if script is None else script)
        self.pages[path] = HTML.format(title=title, script=tags, body=body)
        return self.origin + path

    async def events(self, below: str) -> list[Any]:
        """What was recorded of pages below a path, in order."""
        events = table(Event)
        async with self.parts.database.read() as tx:
            rows = (await tx.execute(select(events).order_by(events.c.seq))).all()
        return [row for row in rows if str(row.context.get("page", {}).get("path", "")).startswith(below)]

    async def contact(self, kind: str, value: str) -> Any:
        """Whom an identity leads to, once it does."""
        identities, contacts = table(Identity), table(Contact)
        query = select(contacts).join(identities, identities.c.contact_id == contacts.c.id)
        query = query.where(identities.c.kind == kind, identities.c.value == value)
        async with asyncio.timeout(PATIENCE):
            while True:
                async with self.parts.database.read() as tx:
                    if (found := (await tx.execute(query)).one_or_none()) is not None:
                        return found
                await asyncio.sleep(0.05)

    async def heard(self, below: str, *expected: str) -> list[Any]:
        """The same, once all of these have arrived; in whatever order."""
        wanted, found = sorted(expected), list[Any]()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while sorted(names(found)) != wanted:
                    await asyncio.sleep(0.05)
                    found = await self.events(below)
        assert sorted(names(found)) == wanted
        return found


def app_of(shop: Callable[[], Shop]) -> ASGIApp:
    """The site's server."""

    async def site(scope: Scope, receive: Receive, send: Send) -> None:
        request, here = Request(scope), shop()
        path = request.url.path
        if path.endswith(".js"):
            answer = Response(here.pages[path], media_type="text/javascript")
        elif path.startswith("/files/"):
            answer = Response(b"%PDF-1.4", headers={"Content-Disposition": "attachment"})
        else:
            html = here.pages.get(path, HTML.format(title="", script="", body=""))
            answer = Response(html, media_type="text/html", headers={"Content-Security-Policy": here.policy})
        await answer(scope, receive, send)

    return site


@asynccontextmanager
async def served(app: ASGIApp, port: int, *, lifespan: bool) -> AsyncGenerator[None]:
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        log_config=None,
        lifespan="on" if lifespan else "off",
        ws="none",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    # Signals are the test session's.
    serving = asyncio.create_task(server.serve(sockets=[listening(port)]))
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110 # uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def open_shop(database: Database, folder: Path) -> AsyncGenerator[Shop]:
    """Both servers, on free ports."""
    ours, theirs = free_port(), free_port()
    api = f"http://127.0.0.1:{ours}"
    settings = settings_for(database, folder, public_url=api, sites=(HOST,), address_rate=10_000)
    app = compose(lambda: parts_on(database, settings))
    shops: list[Shop] = []

    async def noted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            shops[0].asked.append(scope["path"])
        await app(scope, receive, send)

    async with served(noted, ours, lifespan=True), served(app_of(lambda: shops[0]), theirs, lifespan=False):
        origin = f"http://{HOST}:{theirs}"
        shop = Shop(app.state.parts, await create_key(database, "pages", "browser", [origin]), api, origin)
        (policy,) = blocks(DOCUMENT, "http")
        shop.policy = shop.own(policy.text).removeprefix("Content-Security-Policy:").strip()
        shops.append(shop)
        yield shop


def listening(port: int) -> socket.socket:
    found = socket.create_server(("127.0.0.1", port))
    found.setblocking(False)
    return found


def complaints_of(page: Page) -> list[str]:
    """What a page's console says in red, as it comes; violations of the policy are among it."""
    found: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            found.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def names(events: Sequence[Any]) -> list[str]:
    return [event.name for event in events]


def only(events: Sequence[Any], name: str) -> Any:
    """The one event of that name."""
    (found,) = [event for event in events if event.name == name]
    return found


async def mailed(shop: Shop, address: str) -> tuple[str, UUID]:
    """Somebody with one mail, as a worker would have written it: the message's public id, and who they are."""
    parts, public_id = shop.parts, uuid4().hex
    said = Incoming("identify", "Identified", uuid4().hex, parts.clock.now(), email=address)
    (known,) = await parts.recorder.record([said])
    entered = await parts.recorder.enroll("whitepaper-nurture", known.contact_id)
    async with parts.database.write() as tx:
        now = await parts.database.now(tx)
        await tx.execute(
            insert(tx, Message).values(
                key=public_id, public_id=public_id, enrollment_id=entered.enrollment_id, contact_id=known.contact_id,
                step="s", visit=1, audience="contact", template="whitepaper/welcome", state="sent", token="t",
                run_id="r", activity_id="a", attempt=1, lease_until=now, deferrals=0, maybe_twice=0, test=False,
                at=now, asked_at=now, recorded_at=now,
            )
        )  # fmt: skip # a row
    return public_id, known.contact_id
