"""Sends events as fast as they are answered: keep-alive connections, one request each at a time.

    python -m bench.load '{"port": 8000, "path": "/v1/track", "key": "…", "clients": 64, "seconds": 5, "batch": 0}'

A process of its own that does next to nothing for a request, so that it is the server that is measured: `busy` says
how much of a core it needed. One event in five is of somebody new. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sys
import time
from collections import Counter
from itertools import count
from typing import cast

import uvloop

KNOWN = 5000
"""People who are known before it begins."""
NEW = 5
"""One event in so many is of somebody new."""

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_EVENT = (
    b'{"type":"track","%s","event":"Product Viewed","messageId":"node-next-%s-%d",'
    b'"timestamp":"2026-01-31T09:00:00.000Z","integrations":{},"_metadata":{"nodeVersion":"20.20.2","jsRuntime":"node"},'
    b'"properties":{"product_id":"p-17","name":"A product","price":4900,"currency":"JPY","path":"/products/17"},'
    b'"context":{"library":{"name":"@segment/analytics-node","version":"3.1.0"}}}'
)
"""As Segment's client for node sends it."""


def person(number: int) -> bytes:
    """Half of them are visitors, half of them known by an id."""
    return b'userId":"u%d' % number if number % 2 else b'anonymousId":"visitor-%d' % number


class Source:
    """Makes requests, no two alike."""

    def __init__(self, path: str, key: str, batch: int) -> None:
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self._batch = batch
        self._run = secrets.token_hex(8).encode()
        self._numbers = count(1)
        # Of other runs on the same database nobody is met again as new.
        self._new = KNOWN + secrets.randbelow(10**9) * 1000

    def event(self) -> bytes:
        """The next one."""
        number = next(self._numbers)
        who = self._new + number if number % NEW == 0 else number * 7919 % KNOWN
        return _EVENT % (person(who), self._run, number)

    def request(self) -> bytes:
        """The next one."""
        if self._batch:
            body = b'{"batch":[%s]}' % b",".join([self.event() for _ in range(self._batch)])
        else:
            body = self.event()
        return b"%s%d\r\n\r\n%s" % (self._head, len(body), body)


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, source: Source, answered: Counter[int], times: list[float]) -> None:
        self._source = source
        self._answered = answered
        self._times = times
        self._read = b""
        self._transport: asyncio.WriteTransport | None = None
        self._sent = 0.0
        self.stopping = False
        self.stopped = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's are none by name
        self._send()

    def data_received(self, data: bytes) -> None:
        """Count what was answered, and go on."""
        self._read += data
        head, end, body = self._read.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or length is None or len(body) < int(length[1]):
            return
        self._times.append(time.perf_counter() - self._sent)
        self._answered[int(head[9:12])] += 1
        self._read = b""
        if self.stopping:
            self.stopped.set_result(None)
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """The server has hung up."""
        if not self.stopped.done():
            self.stopped.set_exception(exc or ConnectionError("the server has hung up"))

    def _send(self) -> None:
        assert self._transport is not None
        request = self._source.request()
        self._sent = time.perf_counter()
        self._transport.write(request)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


async def load(*, port: int, path: str, key: str, clients: int, seconds: float, batch: int) -> dict[str, object]:
    """Send for so long."""
    source = Source(path, key, batch)
    answered: Counter[int] = Counter()
    times: list[float] = []
    loop = asyncio.get_running_loop()
    made = [
        (await loop.create_connection(lambda: Client(source, answered, times), "127.0.0.1", port))[1]
        for _ in range(clients)
    ]
    await asyncio.sleep(min(1.0, seconds / 4))  # warm
    warmed = answered.total()
    answered.clear()
    times.clear()
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    took, busy = time.perf_counter() - began, time.process_time() - cpu
    counted, waited = Counter(answered), sorted(times)
    for client in made:
        client.stopping = True
    await asyncio.gather(*(client.stopped for client in made))
    for client in made:
        client.close()
    everything = warmed + answered.total()
    return {
        "requests_per_second": round(counted.total() / took, 1),
        "events_per_second": round(counted.total() * (batch or 1) / took, 1),
        "p50_ms": round(waited[len(waited) // 2] * 1000, 2),
        "p99_ms": round(waited[len(waited) * 99 // 100] * 1000, 2),
        "statuses": dict(counted),
        "all": everything,
        "busy": round(busy / took, 2),
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(load(**json.loads(sys.argv[1])))))
