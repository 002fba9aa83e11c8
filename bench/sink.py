"""A fast SMTP server that takes mails and forgets them, in a process of its own: so that it is not what is measured.

    python -m bench.sink --port 2526 --control 2527 --file taken.jsonl

prints ``{"port": 2526, "control": 2527}`` when it listens. The counts, as JSON, are what a GET at the control port
answers, and what it prints at its end on SIGTERM. `bench.sinks.running` starts one and asks it.

Who a mail is for may ask for trouble, by how the local part begins:

    451-2x.hanako@example.jp   451 for the first two tries of this address, then taken
    550@…                      550 each time; an enhanced status may stand in words: 552_5.2.2@…
    drop-1x@…                  hangs up at RCPT, once
    dropdata-1x@…              takes the message and hangs up without a word, once

Latency is per answer: as if the server were so far away, for a group of pipelined commands once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

import uvloop

TROUBLE = re.compile(
    rb"(?P<what>[45]\d\d|drop|dropdata)(?:_(?P<status>[45]\.\d+\.\d+))?(?:-(?P<times>\d+)x)?(?:[.+@]|$)"
)
_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(rb"<([^>]*)>")
_END = b"\r\n.\r\n"


@dataclass
class Counts:
    """What has come in.

    Attributes:
        mails: A message for one recipient counts as one, each time it is taken.
        pairs: How often each Message-ID was taken for each recipient.
        answers: Refusals by code, and lines dropped.
        latest: Seconds between the first and the last mail.
    """

    mails: int = 0
    size: int = 0
    connections: int = 0
    open: int = 0
    most_open: int = 0
    pairs: Counter[tuple[bytes, bytes]] = field(default_factory=Counter[tuple[bytes, bytes]])
    tries: Counter[bytes] = field(default_factory=Counter[bytes])
    answers: Counter[str] = field(default_factory=Counter[str])
    first: float = 0.0
    last: float = 0.0

    def took(self, message_id: bytes, recipient: bytes, size: int) -> None:
        """One more."""
        self.last = time.monotonic()
        self.first = self.first or self.last
        self.mails += 1
        self.size += size
        self.pairs[message_id, recipient] += 1

    def shown(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "mails": self.mails,
            "distinct": len(self.pairs),
            "twice": sum(1 for times in self.pairs.values() if times > 1),
            "recipients": len({recipient for _, recipient in self.pairs}),
            "message_ids": len({message_id for message_id, _ in self.pairs}),
            "bytes": self.size,
            "connections": self.connections,
            "most_open": self.most_open,
            "answers": dict(self.answers),
            "seconds": round(self.last - self.first, 3),
        }


@dataclass
class House:
    """What all connections share."""

    counts: Counts = field(default_factory=Counts)
    latency: float = 0.0
    pipelining: bool = True
    file: IO[str] | None = None
    bodies: bool = False
    open: set[asyncio.Transport] = field(default_factory=set[asyncio.Transport])

    def trouble(self, recipient: bytes) -> tuple[bytes, bytes] | None:
        """What this try of an address is to meet: an action or code, and what to answer."""
        found = TROUBLE.match(recipient)
        if found is None:
            return None
        self.counts.tries[recipient] += 1
        if found["times"] is not None and self.counts.tries[recipient] > int(found["times"]):
            return None
        self.counts.answers[found["what"].decode()] += 1
        status = found["status"] or found["what"][:1] + b".0.0"
        return found["what"], b"%b %b as asked\r\n" % (found["what"], status)

    def hang_up(self) -> None:
        """Break every line, without a word."""
        for transport in list(self.open):
            transport.abort()

    def keep(self, conversation: Conversation, content: bytes) -> None:
        """Count a message, and write it down where that is wanted."""
        found = _MESSAGE_ID.search(content)
        message_id = found[1] if found else b""
        for recipient in conversation.recipients:
            self.counts.took(message_id, recipient, len(content))
            if self.file is not None:
                self._write(conversation, message_id, recipient, content)

    def _write(self, conversation: Conversation, message_id: bytes, recipient: bytes, content: bytes) -> None:
        line: dict[str, Any] = {
            "message_id": message_id.decode("latin-1"),
            "recipient": recipient.decode("latin-1"),
            "sender": conversation.sender.decode("latin-1"),
            "at": time.time(),
            "bytes": len(content),
        }
        if self.bodies:
            line["content"] = content.decode("latin-1")
        cast("IO[str]", self.file).write(json.dumps(line) + "\n")


class Conversation(asyncio.Protocol):
    """One connection."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._buffer = b""
        self._in_data = False
        self._drop_at_end = False
        self._answers: list[bytes] = []
        self.sender = b""
        self.recipients: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See base class."""
        self._transport = cast("asyncio.Transport", transport)
        counts = self._house.counts
        counts.connections += 1
        counts.open += 1
        counts.most_open = max(counts.most_open, counts.open)
        self._house.open.add(self._transport)
        self._transport.write(b"220 sink ESMTP\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        """See base class."""
        self._house.counts.open -= 1
        self._house.open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        """See base class."""
        self._buffer = self._buffer + data if self._buffer else data
        while self._buffer and not self._transport.is_closing():
            if not (self._message() if self._in_data else self._line()):
                break
        if self._answers and not self._transport.is_closing():
            said, self._answers = b"".join(self._answers), []
            if self._house.latency:
                asyncio.get_running_loop().call_later(self._house.latency, self._say, said)
            else:
                self._transport.write(said)

    def _say(self, said: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(said)
            if said.startswith(b"221"):
                self._transport.close()

    def _message(self) -> bool:
        if self._buffer.startswith(b".\r\n"):
            content, after = b"", 3
        else:
            end = self._buffer.find(_END)
            if end < 0:
                return False
            content, after = self._buffer[: end + 2], end + len(_END)
        self._buffer = self._buffer[after:]
        self._in_data = False
        if not self.recipients:
            self._answers.append(b"554 5.5.1 no valid recipients\r\n")
        else:
            self._house.keep(self, content)
            self._answers.append(b"250 2.0.0 taken\r\n")
        if self._drop_at_end:
            self._transport.abort()
        self._forget()
        return True

    def _line(self) -> bool:
        end = self._buffer.find(b"\n")
        if end < 0:
            return False
        line, self._buffer = self._buffer[:end].rstrip(b"\r"), self._buffer[end + 1 :]
        if said := self._answer(line):
            self._answers.append(said)
        return True

    def _answer(self, line: bytes) -> bytes:
        match line[:4].upper():
            case b"MAIL":
                return self._mail(line)
            case b"RCPT":
                return self._rcpt(line)
            case b"DATA":
                return self._data()
            case b"EHLO":
                return self._ehlo()
            case b"QUIT":
                return self._quit()
            case b"RSET":
                self._forget()
                return b"250 2.0.0 ok\r\n"
            case b"NOOP" | b"HELO":
                return b"250 2.0.0 ok\r\n"
            case _:
                return b"500 5.5.2 what?\r\n"

    def _forget(self) -> None:
        self.sender, self.recipients, self._drop_at_end = b"", [], False

    def _ehlo(self) -> bytes:
        offered = [b"sink", *([b"PIPELINING"] if self._house.pipelining else []), b"8BITMIME", b"ENHANCEDSTATUSCODES"]
        last = len(offered) - 1
        return b"".join(b"250%b%b\r\n" % (b" " if nr == last else b"-", word) for nr, word in enumerate(offered))

    def _mail(self, line: bytes) -> bytes:
        self._forget()
        found = _ADDRESS.search(line)
        self.sender = found[1] if found else b""
        return b"250 2.1.0 ok\r\n"

    def _rcpt(self, line: bytes) -> bytes:
        found = _ADDRESS.search(line)
        recipient = found[1] if found else b""
        match self._house.trouble(recipient):
            case (b"drop", _):
                self._transport.abort()
                return b""
            case (b"dropdata", _):
                self._drop_at_end = True
            case (_, answer):
                return answer
            case None:
                pass
        self.recipients.append(recipient)
        return b"250 2.1.5 ok\r\n"

    def _data(self) -> bytes:
        if not self.recipients:
            return b"503 5.5.1 no recipient\r\n"
        self._in_data = True
        return b"354 go on\r\n"

    def _quit(self) -> bytes:
        if self._house.latency:
            return b"221 2.0.0 bye\r\n"
        self._transport.write(b"".join(self._answers) + b"221 2.0.0 bye\r\n")
        self._answers = []
        self._transport.close()
        return b""


async def _tell(house: House, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The control port: counts for a GET; ``GET /hang-up`` breaks every line."""
    try:
        asked = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        writer.close()
        return
    if asked.startswith(b"GET /hang-up"):
        house.hang_up()
    if house.file is not None:
        house.file.flush()
    body = json.dumps(house.counts.shown()).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % len(body) + body)
    await writer.drain()
    writer.close()


async def _outlive_nobody(parent: int, stop: asyncio.Event) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(1)
    stop.set()


async def serve(house: House, port: int, control: int, *, with_parent: bool = False) -> None:
    """Until SIGTERM or SIGINT, or until whoever started it has gone."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    server = await loop.create_server(lambda: Conversation(house), "127.0.0.1", port, backlog=512)
    told = await asyncio.start_server(partial(_tell, house), "127.0.0.1", control)
    ports = {"port": server.sockets[0].getsockname()[1], "control": told.sockets[0].getsockname()[1]}
    print(json.dumps(ports), flush=True)
    orphaned = asyncio.create_task(_outlive_nobody(os.getppid(), stop)) if with_parent else None
    await stop.wait()
    if orphaned is not None:
        orphaned.cancel()
    server.close()
    told.close()
    house.hang_up()


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description="A fast SMTP sink.")
    parser.add_argument("--port", type=int, default=0, help="0: any free one, printed")
    parser.add_argument("--control", type=int, default=0, help="0: any free one, printed")
    parser.add_argument("--latency", type=float, default=0.0, metavar="MS", help="milliseconds before each answer")
    parser.add_argument("--no-pipelining", action="store_true", help="do not offer PIPELINING")
    parser.add_argument("--file", type=Path, help="one JSON line for each message and recipient")
    parser.add_argument("--bodies", action="store_true", help="with the message itself")
    parser.add_argument("--with-parent", action="store_true", help="end when whoever started it has gone")
    asked = parser.parse_args()
    file = asked.file.open("a", encoding="utf-8") if asked.file else None
    house = House(
        latency=asked.latency / 1000, pipelining=not asked.no_pipelining, file=file, bodies=cast("bool", asked.bodies)
    )
    uvloop.run(serve(house, asked.port, asked.control, with_parent=asked.with_parent))
    if file is not None:
        file.close()
    print(json.dumps(house.counts.shown()), flush=True)


if __name__ == "__main__":
    main()
