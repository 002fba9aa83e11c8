"""Takes Segment's calls over HTTP.

It stands before FastAPI and answers by itself: at the speed events come in, each thing a framework does for a request
is a good part of its cost. The routes are there all the same, so that whoever lists them sees these too.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import structlog
from fastapi import FastAPI
from prometheus_client import Histogram
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from api.deps import parts_of_app
from api.errors import ApiProblem, FieldProblem, InvalidInput, translate
from api.ingest.answers import answer, preflight, refuse
from api.ingest.batches import Asked, take, wanted
from api.ingest.calls import LARGEST_BATCH, LARGEST_EVENT, Batch
from api.ingest.checks import MOST_TOLD, Problems
from api.ingest.events import Arrival, incoming
from api.ingest.paths import DOORS, SITE_SETTINGS, Path, site_settings, write_key_in
from api.ingest.reading import body_of, inflate, read_batch, read_call
from api.keys import Action, is_trusted, key_of, require
from api.metrics import METHODS
from api.parts import Parts
from api.recording import record
from models.keys import Key
from models.rejection import Refused
from tabiji.errors import TabijiError

log = structlog.stdlib.get_logger(__name__)

ACCEPTED = b'{"success":true}'
KEY_NAME = "tabiji.key"
"""Where a request keeps the name of its key, for the note of a refusal."""
_TYPES = ("application/json", "text/plain")


class Application(FastAPI):
    """Answers calls of Segment's kind by itself, before any middleware; everything else as FastAPI does."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._observed: dict[tuple[str, str, int], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        path = _path(scope)
        if path is None:
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        began = time.perf_counter()
        status = 500
        try:
            status = await _serve(path, scope, receive, send)
        finally:
            self._observe(scope, path.route, status, time.perf_counter() - began)

    def _observe(self, scope: Scope, route: str, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        seen = self._observed.get((method, route, status))
        if seen is None:
            metrics = parts_of_app(scope["app"]).metrics
            seen = self._observed[(method, route, status)] = metrics.requests.labels(method, route, str(status))
        seen.observe(seconds)


def _path(scope: Scope) -> Path | None:
    if scope["type"] != "http":
        return None
    found = DOORS.get(scope["path"])
    return SITE_SETTINGS if found is None and write_key_in(scope["path"]) is not None else found


async def _serve(path: Path, scope: Scope, receive: Receive, send: Send) -> int:
    """Answer, whatever happens. Returns the status."""
    try:
        if scope["method"] == "OPTIONS":
            return await preflight(send, path.method)
        if scope["method"] != path.method:
            raise ApiProblem(405, "method_not_allowed", f"send it with {path.method}", headers={"Allow": path.method})
        return await _answer(path, scope, receive, send)
    except (ApiProblem, TabijiError) as error:
        problem = translate(error)
        _note(path, scope, problem)
        return await refuse(send, problem)
    except Exception as error:
        log.exception("api.broken", route=path.route, problem=type(error).__name__)
        return await refuse(send, translate(error))


def _note(path: Path, scope: Scope, problem: ApiProblem) -> None:
    """For who looks for an event that never arrived."""
    rejections = parts_of_app(scope["app"]).rejections
    key: str | None = scope.get(KEY_NAME)
    for one in problem.errors[:MOST_TOLD] or [FieldProblem(field="", problem=str(problem.detail))]:
        rejections.note(Refused(path.kind, problem.status_code, one.problem, one.field, key))


async def _answer(path: Path, scope: Scope, receive: Receive, send: Send) -> int:
    parts = parts_of_app(scope["app"])
    headers = Headers(scope=scope)
    match path.kind:
        case "settings":
            shown = write_key_in(scope["path"])
            origin = [pair for pair in headers.raw if pair[0] == b"origin"]
            return await answer(
                send, site_settings(parts, shown, await key_of(parts, scope, Headers(raw=origin), shown))
            )
        case "metrics":
            # Segment's browser client tells its maker how it fares. Nobody here wants to know.
            await body_of(receive, headers.get("content-length", ""), LARGEST_EVENT)
            return await answer(send, ACCEPTED)
        case "batch" | "import":
            return await answer(send, await _many(path, parts, scope, headers, receive))
        case _:
            await _one(path, parts, scope, headers, receive)
            return await answer(send, ACCEPTED)


async def _one(path: Path, parts: Parts, scope: Scope, headers: Headers, receive: Receive) -> None:
    """One call: all of it, or an error."""
    key = await key_of(parts, scope, headers) if "authorization" in headers else None
    if key is not None:
        scope[KEY_NAME] = key.name
        require(key, Action(path.kind), "this call")
        await parts.limits.admit(key, 0, _address(parts, key, scope))
    try:
        call = read_call(await _body(headers, receive, LARGEST_EVENT))
    except ApiProblem:
        if key is None:
            await key_of(parts, scope, headers)  # who shows no key learns nothing of what is wrong
        raise
    if key is None:
        key = await key_of(parts, scope, headers, call.writeKey)
        scope[KEY_NAME] = key.name
        require(key, Action(path.kind), "this call")
    if call.type is not None and call.type != path.kind:
        raise InvalidInput(FieldProblem(field="type", problem=f"must be {path.kind}, or left out, at this path"))
    problems = Problems()
    found = incoming(path.kind, call, _arrival(parts, key), problems)
    if found is None:
        raise InvalidInput(*problems.found)
    for action, what, _ in wanted(found):
        require(key, action, what)
    await parts.limits.admit(key, 1, _address(parts, key, scope))
    await record(parts, [found], lane=key.name)


async def _many(path: Path, parts: Parts, scope: Scope, headers: Headers, receive: Receive) -> bytes:
    """A batch: what is good of it is stored."""
    key = await key_of(parts, scope, headers) if "authorization" in headers else None
    if key is not None:
        _may_send(key, path)
        await parts.limits.admit(key, 0, _address(parts, key, scope))
    try:
        batch, items = read_batch(await _body(headers, receive, LARGEST_BATCH))
    except ApiProblem:
        if key is None:
            await key_of(parts, scope, headers)
        raise
    if key is None:
        key = await key_of(parts, scope, headers, batch.writeKey)
        _may_send(key, path)
    arrival = _arrival(parts, key, batch, historical=path.kind == "import")
    return await take(Asked(parts, key, arrival, _address(parts, key, scope)), items)


def _may_send(key: Key, path: Path) -> None:
    if path.kind == "import":
        require(key, Action.IMPORT, "an import")
    else:
        require(key, Action.TRACK, "a batch")


async def _body(headers: Headers, receive: Receive, most: int) -> bytes:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TYPES:
        words = "send JSON, with Content-Type: application/json, or text/plain as browsers do"
        raise ApiProblem(415, "unsupported_media_type", words)
    body = await body_of(receive, headers.get("content-length", ""), most)
    return inflate(body, headers.get("content-encoding", "").strip().lower(), most)


def _arrival(parts: Parts, key: Key, batch: Batch | None = None, *, historical: bool = False) -> Arrival:
    return Arrival(
        now=parts.clock.now(),
        wall=parts.clock.wall(),
        public=key.scope == "browser",
        trusts=partial(is_trusted, parts, key),
        historical=historical,
        context=batch.context if batch else None,
        sent_at=batch.sentAt if batch else None,
        topics=parts.topics,
    )


def _address(parts: Parts, key: Key, scope: Scope) -> str:
    """Counted only for keys that are in everybody's hands."""
    return parts.limits.address(scope) if key.scope == "browser" else ""
