"""How the API is served: uvicorn, with bounds for the head of a request, of which its fast parser has none.

    uvicorn.run(create_app, factory=True, host=…, port=…, **OPTIONS)

Without them a client could send one header for ever, into memory; or open connections and say nothing.
"""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 * 1024
MOST_HEADERS = 200
PATIENCE = 20.0
"""Seconds a client has to send the head of a request."""


class _TooLarge(Exception):
    pass


class BoundedHeads(HttpToolsProtocol):
    """One connection. Closes it with 431 where a head is too large, and with 408 where it is too slow."""

    _unread = 0
    _late: TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override] # as uvicorn declares it
        """See asyncio."""
        super().connection_made(transport)
        self._late = self.loop.call_later(PATIENCE, self._too_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        if self._refused or self.transport.is_closing():
            return
        self._unread += len(data)
        super().data_received(data)
        if self._unread > LARGEST_HEAD:
            self._refuse(b"431 Request Header Fields Too Large", f"the head may have at most {LARGEST_HEAD} bytes")
        elif self._unread and self._late is None:
            self._late = self.loop.call_later(PATIENCE, self._too_late)

    def on_headers_complete(self) -> None:
        """See httptools."""
        # What was read with it may be a body: only where there was much is it worth counting.
        if len(self.headers) > MOST_HEADERS or (self._unread > LARGEST_HEAD and self._size() > LARGEST_HEAD):
            raise _TooLarge
        self._in_time()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """See httptools."""
        self._in_time()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """See httptools."""
        self._in_time()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What cannot be read as HTTP, or has too large a head."""
        if self._size() > LARGEST_HEAD or len(self.headers or ()) > MOST_HEADERS:
            words = f"the head may have at most {LARGEST_HEAD} bytes and {MOST_HEADERS} headers"
            self._refuse(b"431 Request Header Fields Too Large", words)
        else:
            super().send_400_response(msg)

    def _size(self) -> int:
        return sum(len(name) + len(value) + 4 for name, value in self.headers or ()) + len(getattr(self, "url", b""))

    def _in_time(self) -> None:
        self._unread = 0
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _too_late(self) -> None:
        self._late = None
        self._refuse(b"408 Request Timeout", f"the head did not arrive in {PATIENCE:.0f} seconds")

    def _refuse(self, status: bytes, words: str) -> None:
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        body = words.encode("ascii")
        head = b"HTTP/1.1 %s\r\ncontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(head % (status, len(body)) + body)
        self.transport.close()


OPTIONS: dict[str, Any] = {
    "http": BoundedHeads,
    "ws": "none",
    "proxy_headers": False,  # whose word on addresses counts is a setting of ours
    "server_header": False,
    "log_config": None,
    "access_log": False,  # addresses of people stand in paths and queries
    "timeout_graceful_shutdown": 10,
}
"""For `uvicorn.run` and `uvicorn.Config`."""
