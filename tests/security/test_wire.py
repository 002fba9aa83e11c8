"""What a client may do with a connection: heads without end, without haste, or of another length than they say."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api import guard
from api.guard import BoundedBodies
from tabiji import server
from tests.security.serving import served, talk

ASK = b"GET / HTTP/1.1\r\nHost: x\r\n"


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{len(request.headers)} headers, {len(await request.body())} bytes")


@pytest.fixture(scope="module")
def port() -> Generator[int]:
    app: Any = Starlette(routes=[Route("/", echo, methods=["GET", "POST"])])
    app.add_middleware(BoundedBodies)
    with served(app) as port:
        yield port


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PATIENCE", 0.5)
    monkeypatch.setattr(guard, "PATIENCE", 0.5)


async def test_an_ordinary_request_and_a_few_in_one_go_are_answered(port: int) -> None:
    three = (ASK + b"\r\n") * 2 + ASK + b"Connection: close\r\n\r\n"

    assert (await talk(port, three)).count(b"200 OK") == 3


@pytest.mark.parametrize(
    "head",
    [
        ASK + b"X-Long: " + b"a" * 1_000_000 + b"\r\n\r\n",
        ASK + b"X-Endless: " + b"a" * 1_000_000,
        ASK + b"".join(b"X-%d: y\r\n" % place for place in range(10_000)) + b"\r\n",
        ASK + b"".join(b"X-%d: y\r\n" % place for place in range(300)) + b"\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /?" + b"a=b&" * 50_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=[
        "a megabyte in a header",
        "a header without end",
        "10,000 headers",
        "300 headers",
        "a long path",
        "a long query",
    ],
)
async def test_a_head_that_is_too_large_is_refused_and_the_connection_closed(port: int, head: bytes) -> None:
    answer = await talk(port, head)

    assert answer == b"" or status(answer) == 431
    assert answer.count(b"HTTP/1.1") <= 1


async def test_a_head_of_nearly_64_kilobytes_and_a_large_body_behind_a_small_head_are_fine(port: int) -> None:
    wide = ASK + b"X-Long: " + b"a" * 60_000 + b"\r\nConnection: close\r\n\r\n"
    deep = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 30000\r\n\r\n" + b"b" * 30_000

    assert b"3 headers" in await talk(port, wide)
    assert b"30000 bytes" in await talk(port, deep)


@pytest.mark.parametrize(
    "begun", [b"", b"GE", ASK, ASK + b"X-Slow: ", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"]
)
async def test_who_stops_in_the_middle_is_not_waited_for(port: int, begun: bytes) -> None:
    answer = await asyncio.wait_for(talk(port, begun), 8)

    assert status(answer) == 408


async def test_a_byte_now_and_then_is_no_haste(port: int) -> None:
    """Each keeps the connection alive for a parser that counts from the last one."""
    answer = await talk(port, *(ASK[place : place + 1] for place in range(20)), pause=0.05)

    assert answer == b"" or status(answer) == 408  # what it still sends may cost it the answer


LENGTHS = {
    b"-1": 400,
    b"1e3": 400,
    b"99999999999999999999999": 400,
    b"9999999": 413,
    b"5\r\nContent-Length: 6": 400,
    b"5\r\nTransfer-Encoding: chunked": 400,
    b"": 400,
}


@pytest.mark.parametrize("length", LENGTHS)
async def test_a_wrong_length_is_refused(port: int, length: bytes) -> None:
    answer = await talk(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\nabcde")

    assert status(answer) == LENGTHS[length]


async def test_more_than_the_length_says_is_no_second_answer_to_the_first(port: int) -> None:
    answer = await talk(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" + b"defgh\r\n\r\n")

    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"3 bytes" in answer or status(answer) == 400


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"5;" + b"e" * 100_000, b"fffffffffffffffffffff\r\n"])
async def test_chunks_that_are_none_are_refused(port: int, chunk: bytes) -> None:
    answer = await talk(port, b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk)

    assert answer == b"" or status(answer) in (400, 408, 431)
    assert b"200 OK" not in answer
