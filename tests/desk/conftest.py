"""What tests of the desk share: free ports, and waiting for something to become true."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

Eventually = Callable[[Callable[[], bool]], "asyncio.Future[None]"]


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Ports nobody listens on, a new one at each call."""
    given: set[int] = set()

    def pick() -> int:
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = int(probe.getsockname()[1])
            if port not in given:
                given.add(port)
                return port

    return pick


async def eventually(true: Callable[[], bool], *, within: float = 20) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110 # other processes set no event here
            await asyncio.sleep(0.05)
