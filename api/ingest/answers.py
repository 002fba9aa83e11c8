"""Answers of the event door. Any page may read them: nothing in them is secret, and no cookie is looked at."""

from __future__ import annotations

from starlette.types import Message, Send

from api.errors import ApiProblem, problem_response
from api.guard import HEADERS

ASKED = "authorization, content-type, content-encoding, x-retry-count"
"""Headers that Segment's clients send from pages."""
REMEMBERED = 86_400
"""Seconds a browser may remember what pages may send here; it remembers it for less by itself."""

_SAFE = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
_OPEN = [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"retry-after")]
_JSON = [(b"content-type", b"application/json"), *_SAFE, *_OPEN]


async def answer(send: Send, body: bytes) -> int:
    """Yes."""
    start: Message = {
        "type": "http.response.start",
        "status": 200,
        "headers": [*_JSON, (b"content-length", b"%d" % len(body))],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body})
    return 200


async def refuse(send: Send, problem: ApiProblem) -> int:
    """No, because."""
    response = problem_response(problem)
    start: Message = {
        "type": "http.response.start",
        "status": response.status_code,
        "headers": [*response.raw_headers, *_SAFE, *_OPEN],
    }
    await send(start)
    await send({"type": "http.response.body", "body": response.body})
    return response.status_code


async def preflight(send: Send, method: str) -> int:
    """What a browser asks before a page may send a key along."""
    headers = [
        *_SAFE,
        *_OPEN,
        (b"access-control-allow-methods", method.encode()),
        (b"access-control-allow-headers", ASKED.encode()),
        (b"access-control-max-age", str(REMEMBERED).encode()),
        (b"vary", b"origin"),
    ]
    start: Message = {"type": "http.response.start", "status": 204, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": b""})
    return 204
