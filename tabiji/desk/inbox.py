"""The local inbox: takes every mail over SMTP, delivers none, and shows them on a page.

    python -m tabiji.desk.inbox

Mails are kept in a Maildir in the data folder. Both servers listen on this machine alone, in one event loop.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tabiji import log as logs
from tabiji.desk.decisions import Decisions
from tabiji.desk.mailstore import Mail, MailStore
from tabiji.errors import TabijiError
from tabiji.settings import Settings, load

log = structlog.stdlib.get_logger(__name__)

HOST = "127.0.0.1"
BIGGEST = 32 << 20
SHOWN = 200
OWN_PAGES = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'"
# What a mail brings may load pictures and style itself; it runs nothing, sends no form and has no origin.
MAIL = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src http: https: data:; "
    "style-src 'unsafe-inline' https:; font-src https: data:; form-action 'none'; frame-ancestors 'self'"
)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
NEW_TAB = '<base target="_blank">'


class Sink:
    """aiosmtpd's handler: a 250 means that the mail is on disk."""

    def __init__(self, store: MailStore) -> None:
        self._store = store

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """See aiosmtpd."""
        content = envelope.original_content or b""
        recipients = [str(recipient) for recipient in envelope.rcpt_tos]
        key = await asyncio.to_thread(
            self._store.add, content, sender=str(envelope.mail_from or ""), recipients=recipients
        )
        log.info("inbox.kept", id=key, bytes=len(content))
        return f"250 2.0.0 kept as {key}"


class Pages:
    """What a browser and a program can ask for."""

    def __init__(self, store: MailStore, decisions: Decisions | None) -> None:
        self._store = store
        self._decisions = decisions
        self._templates = Environment(loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True)

    async def index(self, _request: Request) -> Response:
        """The list."""
        mails = await run_in_threadpool(self._store.list, limit=SHOWN)
        unsent = await self._decisions.unsent() if self._decisions else []
        return self._page("list.html", mails=mails, shown=SHOWN, unsent=unsent)

    async def mail(self, request: Request) -> Response:
        """One mail: as HTML, as text, its headers or its source."""
        mail = await self._find(request)
        views = [name for name, there in (("html", mail.html), ("text", mail.text)) if there] + ["headers", "source"]
        view = request.query_params.get("view", views[0])
        sent = await self._decisions.of(mail.message_id) if self._decisions else None
        return self._page("mail.html", mail=mail, views=views, view=view if view in views else views[0], sent=sent)

    async def body(self, request: Request) -> Response:
        """The mail's own HTML, for the sandboxed frame."""
        mail = await self._find(request)
        html, found = _HEAD.subn(lambda head: head[0] + NEW_TAB, mail.html, count=1)
        return HTMLResponse(html if found else NEW_TAB + html, headers={"Content-Security-Policy": MAIL})

    async def messages(self, request: Request) -> Response:
        """The list, for programs. `?to=` one recipient, `?limit=` at most so many."""
        limit = request.query_params.get("limit")
        if limit is not None and not limit.isdecimal():
            raise HTTPException(422, "limit must be a whole number")
        found = await run_in_threadpool(
            self._store.list, to=request.query_params.get("to"), limit=int(limit) if limit else None
        )
        return JSONResponse([summary.shown() for summary in found])

    async def message(self, request: Request) -> Response:
        """One mail, for programs."""
        return JSONResponse((await self._find(request)).shown())

    async def _find(self, request: Request) -> Mail:
        mail = await run_in_threadpool(self._store.get, request.path_params["id"])
        if mail is None:
            raise HTTPException(404, "there is no such mail")
        return mail

    def _page(self, template: str, **values: Any) -> Response:
        html = self._templates.get_template(template).render(**values)
        return HTMLResponse(html, headers={"Content-Security-Policy": OWN_PAGES})


async def healthy(_request: Request) -> Response:
    """Whether this process answers."""
    return PlainTextResponse("ok")


async def careful(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Headers every answer has: a link in a mail must not tell where it was read."""
    response = await call_next(request)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


def create_app(store: MailStore, decisions: Decisions | None = None) -> Starlette:
    """The page and the JSON. Answers only requests addressed to this machine: no other site's name may lead here."""
    pages = Pages(store, decisions)
    return Starlette(
        routes=[
            Route("/", pages.index),
            Route("/messages/{id}", pages.mail),
            Route("/messages/{id}/html", pages.body),
            Route("/api/messages", pages.messages),
            Route("/api/messages/{id}", pages.message),
            Route("/healthz", healthy),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"], www_redirect=False),
            Middleware(BaseHTTPMiddleware, dispatch=careful),
        ],
    )


async def serve(settings: Settings) -> None:
    """Run both servers until a signal comes."""
    store = MailStore(settings.data / "mail")
    sink, decisions = Sink(store), Decisions(settings)
    web = uvicorn.Server(
        uvicorn.Config(
            create_app(store, decisions),
            host=HOST,
            port=settings.inbox_port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
    )

    def smtp() -> SMTP:
        return SMTP(sink, hostname="inbox.localhost", data_size_limit=BIGGEST, enable_SMTPUTF8=True)

    listening = await asyncio.get_running_loop().create_server(smtp, HOST, settings.smtp_port)
    try:
        await web.serve()
    finally:
        listening.close()
        await decisions.close()


def main() -> int:
    """Run as a process of its own."""
    try:
        settings = load()
        logs.configure(settings.log_level, process="inbox")
        asyncio.run(serve(settings))
    except TabijiError as error:
        print(f"tabiji: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
