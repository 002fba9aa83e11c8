"""Stand before every route: one bounds what a request may be, one sets what every answer carries."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiProblem, problem_response

LARGEST_BODY = 32 * 1024
LARGEST_HOOK = 2 * 1024 * 1024
"""Of other systems, which send whole orders and cannot make them smaller."""
HOOKS = ("/v1/hooks/", "/v1/carriers/")
PATIENCE = 20.0
"""Seconds a client has to send its body."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # addresses of mail links are secrets of their readers
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class _Refused(Exception):
    def __init__(self, problem: ApiProblem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class SafeAnswers:
    """Adds security headers where a route has not set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class BoundedBodies:
    """Refuses bodies that are too large or too slow."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        largest = LARGEST_HOOK if scope["path"].startswith(HOOKS) else LARGEST_BODY
        body = _Body(receive, Headers(scope=scope).get("content-length", ""), largest)
        try:
            await body.read()
        except _Refused as refused:
            await problem_response(refused.problem)(scope, receive, send)
            return
        await self._app(scope, body.replay, send)


class _Body:
    """A body read ahead, so that its end is known before anybody acts on its beginning."""

    def __init__(self, receive: Receive, announced: str, largest: int) -> None:
        self._receive = receive
        self._largest = largest
        self._announced = int(announced) if announced.isdecimal() and len(announced) < 20 else 0
        self._messages: list[Message] = []

    async def read(self) -> None:
        if self._announced > self._largest:
            raise _Refused(_too_large(self._largest))
        try:
            async with asyncio.timeout(PATIENCE):
                await self._read()
        except TimeoutError:
            raise _Refused(
                ApiProblem(408, "too_slow", f"the body did not arrive in {PATIENCE:.0f} seconds", headers=_CLOSE)
            ) from None

    async def _read(self) -> None:
        whole = bytearray()
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                self._messages.append(message)
                return
            whole += message.get("body", b"")
            if len(whole) > self._largest:
                raise _Refused(_too_large(self._largest))
            if not message.get("more_body", False):
                self._messages.append({"type": "http.request", "body": bytes(whole), "more_body": False})
                return

    async def replay(self) -> Message:
        return self._messages.pop(0) if self._messages else await self._receive()


_CLOSE = {"Connection": "close"}


def _too_large(largest: int) -> ApiProblem:
    return ApiProblem(413, "too_large", f"the body may have at most {largest} bytes", headers=_CLOSE)
