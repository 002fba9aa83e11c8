"""Applications behind real uvicorn, and what is said to them byte by byte."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn

from tabiji.server import OPTIONS


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def served(app: Any) -> Generator[int]:
    """Serve an application as `tabiji api` does, in a thread. Yields the port."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, **OPTIONS))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield port
    finally:
        server.should_exit = True
        thread.join(timeout=20)


async def talk(port: int, *pieces: bytes, pause: float = 0, patience: float = 10) -> bytes:
    """Send pieces and read until the other side closes, or has nothing more to say for half a second."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        for piece in pieces:
            try:
                writer.write(piece)
                await writer.drain()
            except ConnectionError:
                break
            await asyncio.sleep(pause)
        answer = await _everything(reader, patience)
    finally:
        writer.transport.abort()
    return answer


async def _everything(reader: asyncio.StreamReader, patience: float) -> bytes:
    said = b""
    try:
        while True:
            async with asyncio.timeout(0.5 if said else patience):
                piece = await reader.read(65536)
            if not piece:
                return said
            said += piece
    except (TimeoutError, ConnectionError):
        return said
