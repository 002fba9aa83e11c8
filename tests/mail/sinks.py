"""The fast sink of the benches in the test's own event loop: it offers PIPELINING and is far away if asked to be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.sink import Conversation, Counts, House
from tabiji.channels.email.compose import Mail


@dataclass(frozen=True)
class Sink:
    """One that runs."""

    port: int
    house: House

    @property
    def counts(self) -> Counts:
        """What has come in."""
        return self.house.counts


@asynccontextmanager
async def sink(*, latency: float = 0.0, pipelining: bool = True) -> AsyncGenerator[Sink]:
    """Run one on a free port."""
    house = House(latency=latency, pipelining=pipelining)
    server = await asyncio.get_running_loop().create_server(lambda: Conversation(house), "127.0.0.1", 0)
    try:
        yield Sink(server.sockets[0].getsockname()[1], house)
    finally:
        server.close()
        house.hang_up()
        await server.wait_closed()


def a_mail(recipient: str = "hanako@example.jp", number: int = 1) -> Mail:
    """A small one."""
    name = f"<{number}@example.com>"
    content = f"From: hello@example.com\r\nSubject: x\r\nMessage-ID: {name}\r\n\r\n.dot\r\n".encode()
    return Mail(content=content, sender="hello@example.com", recipient=recipient, message_id=name)
