"""Measures `record` alone, without HTTP, against a bare insert of the same rows.

    python -m bench.ingest_core                     both databases, JSON
    python -m bench.ingest_core --events 50000 --sizes 100 --only sqlite

The bare insert writes the rows of the events and nothing else: one statement with a parameter list, one transaction for
each batch. Both take turns batch by batch, on the same tables, so that what else the machine does falls on both. One
event in five is the first of a new contact; every journey of `workflows/` is loaded, and nobody waits. CPU is this
process's; PostgreSQL's own is in the wall time alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from statistics import median
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bench.databases import both, settings_of
from models.base import new_id
from models.clock import SystemClock
from models.contact import Contact
from models.database import Database, insert
from models.enroll import Pending
from models.event import Event
from models.incoming import Incoming
from models.record import Recorder
from tabiji.domain.journeys import Catalog
from tabiji.journey.discovery import discover

SIZES = (1, 64, 100, 1000)
KNOWN = 5000
NEW = 5
"""One event in so many is of somebody new."""


class Nobody:
    """An outbox for a measurement in which nobody waits."""

    def offer(self, pending: Sequence[Pending]) -> None:
        """See `Outbox`."""
        assert not pending


@dataclass
class Spent:
    """Seconds, batch by batch. Reported is the batch in the middle: what else the machine does falls on a few."""

    cpu: list[float] = field(default_factory=list[float])
    wall: list[float] = field(default_factory=list[float])

    async def on(self, work: Callable[[], Awaitable[Any]]) -> None:
        """Do it, and count."""
        cpu, wall = time.process_time(), time.perf_counter()
        await work()
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)

    def per(self, events: int) -> dict[str, float]:
        """For a report. `events` in a batch."""
        return {
            "events_per_second": round(events / median(self.wall)),
            "cpu_us_per_event": round(median(self.cpu) / events * 1e6, 1),
            "wall_us_per_event": round(median(self.wall) / events * 1e6, 1),
        }


class People:
    """Whose events they are: half of them visitors, half of them known by an id."""

    def __init__(self) -> None:
        self._count = 0

    def one(self, number: int) -> dict[str, str]:
        """Identities of somebody; always the same for a number."""
        return {"user_id": f"u{number}"} if number % 2 else {"anonymous_id": f"visitor-{number}"}

    def next(self) -> dict[str, str]:
        """Of the next event."""
        self._count += 1
        if self._count % NEW == 0:
            return self.one(KNOWN + self._count)
        return self.one(self._count * 7919 % KNOWN)


def event(identities: dict[str, str]) -> Incoming:
    """A page somebody looked at."""
    return Incoming(
        kind="page",
        name="Page Viewed",
        message_id=str(uuid.uuid4()),
        at=datetime.now(UTC),
        properties={"path": "/products/17", "url": "https://shop.example.com/products/17", "title": "A product"},
        context={"locale": "ja-JP", "timezone": "Asia/Tokyo", "userAgent": "Mozilla/5.0 (X11; Linux x86_64)"},
        **identities,  # type: ignore[arg-type] # names of fields that take text
    )


def row(item: Incoming, contact: uuid.UUID) -> dict[str, Any]:
    """The same as a row."""
    return {
        "contact_id": contact,
        "kind": item.kind,
        "name": item.name,
        "properties": item.properties,
        "context": item.context,
        "message_id": item.message_id,
        "at": item.at,
        "recorded_at": item.at,
    }


async def measured(database: Database, size: int, events: int) -> dict[str, Any]:
    """One size of batch on one database."""
    catalog = Catalog(journey.spec for journey in discover())
    recorder = Recorder(database, catalog, SystemClock(), Nobody())
    people, contacts = People(), [new_id() for _ in range(KNOWN)]
    await _prepare(database, recorder, people, contacts)
    ours, bare = Spent(), Spent()
    rounds = max(3, events // size)
    for count in range(rounds):
        batch = [event(people.next()) for _ in range(size)]
        rows = [row(event({}), contacts[(count * size + n) * 7919 % KNOWN]) for n in range(size)]
        await ours.on(partial(recorder.record, batch))
        await bare.on(partial(database.transact, partial(_bare, rows)))
    return {
        "batch": size,
        "batches": rounds,
        "record": ours.per(size),
        "bare_insert": bare.per(size),
        "cpu_ratio": round(median(bare.cpu) / median(ours.cpu), 2),
        "wall_ratio": round(median(bare.wall) / median(ours.wall), 2),
    }


async def _bare(rows: list[dict[str, Any]], tx: AsyncConnection) -> None:
    await tx.execute(insert(tx, Event), rows)


async def _prepare(database: Database, recorder: Recorder, people: People, contacts: list[uuid.UUID]) -> None:
    for start in range(0, KNOWN, 1000):
        await recorder.record([event(people.one(number)) for number in range(start, start + 1000)])
    now = datetime.now(UTC)
    rows: list[dict[str, Any]] = [
        {"id": contact, "attributes": {}, "score": 0, "created_at": now, "recorded_at": now} for contact in contacts
    ]
    async with database.write() as tx:
        await tx.execute(insert(tx, Contact), rows)


async def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.ingest_core")
    parser.add_argument("--events", type=int, default=10_000, help="for each size of batch; a quarter of it one by one")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    wanted = parser.parse_args(arguments)
    report: dict[str, Any] = {
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "new_contacts": f"1 in {NEW}",
    }
    async with both() as databases:
        for database in databases:
            if wanted.only in (None, database.dialect):
                sizes = [
                    await measured(database, size, wanted.events // 4 if size == 1 else wanted.events)
                    for size in wanted.sizes
                ]
                report[database.dialect] = {"settings": await settings_of(database), "sizes": sizes}
    report["load_after"] = round(os.getloadavg()[0], 2)
    json.dump(report, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
