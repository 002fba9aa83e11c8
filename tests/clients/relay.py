"""Stands between a client and the API, and breaks the answer to its first call: stored, and the client cannot know."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

RETRY_AFTER = 1
"""Seconds the broken answer asks to wait."""


@dataclass(frozen=True)
class Asked:
    """One request that came by."""

    method: str
    path: str
    at: float
    body: bytes
    headers: dict[str, str]

    @property
    def message_ids(self) -> list[str]:
        """Of its calls."""
        plain = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        said: dict[str, Any] = json.loads(plain)
        return [call["messageId"] for call in said.get("batch", [said])]


@dataclass
class Relay:
    """What came by."""

    api: int
    port: int = 0
    asked: list[Asked] = field(default_factory=list[Asked])
    broken: int = 0
    """How many answers are still to be broken."""

    @property
    def calls(self) -> list[Asked]:
        """Without what browsers ask before, and settings."""
        return [one for one in self.asked if one.method == "POST"]

    def start(self, *, broken: int) -> None:
        """Forget what was, and break so many answers."""
        self.asked.clear()
        self.broken = broken

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            method, path, _ = lines[0].split(" ")
            named = (line.split(": ", 1) for line in lines[1:] if ": " in line)
            headers = {name.lower(): value for name, value in named}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.asked.append(Asked(method, path, time.monotonic(), body, headers))
            answer = await self._forward(lines, body)
            if method == "POST" and self.broken:
                self.broken -= 1
                answer = _broken(answer)
            writer.write(answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # a browser opens connections it then has no use for
        finally:
            writer.close()

    async def _forward(self, lines: list[str], body: bytes) -> bytes:
        kept = [line for line in lines if line and not line.lower().startswith("connection:")]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.api)
        try:
            writer.write("\r\n".join([*kept, "Connection: close", "", ""]).encode("latin-1") + body)
            return await reader.read()
        finally:
            writer.close()


def _broken(answer: bytes) -> bytes:
    """The same headers, so that a page may read it."""
    head, _, _ = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), answer
    kept = [line for line in head.split(b"\r\n")[1:] if not line.lower().startswith(b"content-length")]
    more = [b"Retry-After: %d" % RETRY_AFTER, b"Content-Length: 0"]
    return b"\r\n".join([b"HTTP/1.1 503 Service Unavailable", *kept, *more]) + b"\r\n\r\n"


@asynccontextmanager
async def relay(api: int, port: int) -> AsyncGenerator[Relay]:
    """A relay that listens."""
    made = Relay(api, port)
    server = await asyncio.start_server(made.serve, "127.0.0.1", port)
    async with server:
        yield made
