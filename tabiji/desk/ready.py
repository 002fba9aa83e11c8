"""Ways to see that a process does its work, not only that it runs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tabiji.desk.child import Probe

ANSWER = 2.0
"""Seconds an answer may take."""


def http(port: int, path: str, host: str = "127.0.0.1") -> Probe:
    """It answers 200 there."""

    async def probe(_pid: int) -> bool:
        async with _conversation(host, port) as (reader, writer):
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            return b" 200 " in await reader.readline()

    return probe


def smtp(port: int, host: str = "127.0.0.1") -> Probe:
    """It greets."""

    async def probe(_pid: int) -> bool:
        async with _conversation(host, port) as (reader, writer):
            greeting = await reader.readline()
            writer.write(b"QUIT\r\n")
            await reader.readline()
            return greeting.startswith(b"220")

    return probe


def every(*probes: Probe) -> Probe:
    """Each of them."""

    async def probe(pid: int) -> bool:
        return all([await one(pid) for one in probes])

    return probe


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((host, port))
        except OSError:
            return False
    return True


def reach(host: str) -> str:
    """Where to knock at a server that listens there."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 # compared, not bound


@asynccontextmanager
async def _conversation(host: str, port: int) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with asyncio.timeout(ANSWER):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            yield reader, writer
        finally:
            writer.close()
