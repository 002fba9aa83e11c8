"""Mails as they will look: wide and narrow side by side, for anybody, and again at every save.

Listens on this machine alone. Nothing is sent, nothing is counted.
"""

from __future__ import annotations

import asyncio
import email
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from email.policy import default as modern
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route
from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType] # its event type needs trio

from tabiji.channels.email.render import Rendered
from tabiji.desk.inbox import HOST, MAIL, NEW_TAB, healthy
from tabiji.desk.mails.check import Checker, Problem, names_in
from tabiji.desk.mails.people import Person, people_of
from tabiji.desk.mails.send import written
from tabiji.desk.mails.whom import somebody
from tabiji.domain.topics import Topics
from tabiji.errors import TabijiError
from tabiji.settings import Settings

PAGES = Path(__file__).parent.parent / "pages"
OWN = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'self'"
)
VIEWS = ("html", "text", "headers", "check")
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_SCRIPT = "new EventSource('/changes').onmessage = () => location.reload();\n"
_BEGIN = "ann"


@dataclass
class _Shown:
    """One template for one person, or why it cannot be shown."""

    person: Person | None = None
    rendered: Rendered | None = None
    headers: tuple[tuple[str, str], ...] = ()
    problem: str = ""


class Preview:
    """The pages. Everything is read anew for each of them: templates, brand and people may just have been saved."""

    def __init__(
        self, settings: Settings, topics: Topics, sent: Mapping[str, frozenset[str]], ends: asyncio.Event
    ) -> None:
        self._ends = ends
        self._settings = settings
        self._topics = topics
        self._sent = sent
        self._pages = Environment(loader=FileSystemLoader(PAGES), autoescape=True)

    async def index(self, _request: Request) -> Response:
        """The list."""
        return self._page("previews.html", names=names_in(self._settings.templates / "email"))

    async def mail(self, request: Request) -> Response:
        """One mail: as HTML, as text, its headers, what is wrong with it."""
        name, asked = request.path_params["name"], request.query_params
        view = asked.get("view", "html")
        shown = await run_in_threadpool(self._shown, name, asked.get("as") or _BEGIN, asked.get("variant") or None)
        people, variants = await run_in_threadpool(self._choices, name)
        return self._page(
            "preview.html",
            name=name,
            shown=shown,
            who=asked.get("as") or _BEGIN,
            people=people,
            variant=asked.get("variant") or "",
            variants=variants,
            views=VIEWS,
            view=view if view in VIEWS else "html",
            problems=await run_in_threadpool(self._problems, name) if view == "check" else [],
        )

    async def body(self, request: Request) -> Response:
        """The mail's own HTML, for the sandboxed frames."""
        name, asked = request.path_params["name"], request.query_params
        shown = await run_in_threadpool(self._shown, name, asked.get("as") or _BEGIN, asked.get("variant") or None)
        html = shown.rendered.html if shown.rendered is not None else ""
        framed, found = _HEAD.subn(lambda head: head[0] + NEW_TAB, html, count=1)
        return _answer(framed if found else NEW_TAB + html, MAIL)

    async def changes(self, _request: Request) -> Response:
        """Says so when a file of the templates was saved: server-sent events."""
        return StreamingResponse(self.saves(), media_type="text/event-stream")

    async def script(self, _request: Request) -> Response:
        """Loads the page again when a file was saved."""
        return Response(_SCRIPT, media_type="text/javascript")

    async def saves(self) -> AsyncIterator[str]:
        """The stream of it."""
        yield ": here\n\n"
        async for _ in awatch(self._settings.templates, debounce=200, stop_event=self._ends):
            yield "data: saved\n\n"

    def _checker(self) -> Checker:
        return Checker(self._settings, self._topics, self._sent)

    def _shown(self, name: str, who: str, variant: str | None) -> _Shown:
        shown = _Shown()
        try:
            checker = self._checker()
            shown.person = person = somebody(self._settings, checker.people(name), who)
            shown.rendered = checker.renderer.render(name, checker.facts(name, person), variant)
            mail = written(checker, shown.rendered, to=person.email, way_out=checker.way_out(name))
            message = email.message_from_bytes(mail.content, policy=modern)
            shown.headers = tuple((header, str(value)) for header, value in message.items())
        except TabijiError as error:
            shown.problem = str(error)
        return shown

    def _choices(self, name: str) -> tuple[list[Person], list[str | None]]:
        try:
            checker = self._checker()
            return checker.people(name), checker.variants(name)
        except TabijiError:
            return people_of(Path("nowhere")), [None]  # what is wrong is said beside it

    def _problems(self, name: str) -> list[Problem]:
        try:
            return self._checker().check([name])
        except TabijiError:
            return []  # what is wrong is said beside it

    def _page(self, template: str, **values: Any) -> Response:
        html = self._pages.get_template(template).render(**values)
        return _answer(html, OWN)


def create_app(
    settings: Settings, topics: Topics, sent: Mapping[str, frozenset[str]], ends: asyncio.Event | None = None
) -> Starlette:
    """Answers only requests addressed to this machine: no other site's name may lead here.

    Args:
        settings: Where the templates are, and which API knows contacts.
        topics: Those declared.
        sent: On which topics journeys send each template.
        ends: Set when pages shall no longer wait for the next save.
    """
    pages = Preview(settings, topics, sent, ends or asyncio.Event())
    return Starlette(
        routes=[
            Route("/", pages.index),
            Route("/mail/{name:path}", pages.mail),
            Route("/html/{name:path}", pages.body),
            Route("/changes", pages.changes),
            Route("/preview.js", pages.script),
            Route("/healthz", healthy),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"], www_redirect=False)],
    )


def serve(settings: Settings, topics: Topics, sent: Mapping[str, frozenset[str]], *, port: int) -> None:
    """Until a signal comes."""
    asyncio.run(_serve(settings, topics, sent, port))


async def _serve(settings: Settings, topics: Topics, sent: Mapping[str, frozenset[str]], port: int) -> None:
    ends = asyncio.Event()
    app = create_app(settings, topics, sent, ends)
    config = uvicorn.Config(app, host=HOST, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=2)
    await _Server(config, ends).serve()


class _Server(uvicorn.Server):
    """Tells pages that wait for a save that there will be none."""

    def __init__(self, config: uvicorn.Config, ends: asyncio.Event) -> None:
        super().__init__(config)
        self._ends = ends
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See base class."""
        self._loop.call_soon_threadsafe(self._ends.set)
        super().handle_exit(sig, frame)


def _answer(html: str, policy: str) -> HTMLResponse:
    # Where a link of a mail leads must not be told where it was looked at.
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    return HTMLResponse(html, headers={**headers, "X-Content-Type-Options": "nosniff"})
