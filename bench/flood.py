"""Counts what of a flood of events nobody waits for reaches Temporal. It should be nothing.

    python -m bench.flood [--contacts 10000] [--listeners 1000] [--events 100000]

Real: database (SQLite), record with all shipped journeys, the outbox and a Temporal dev server. Some of the people wait
for an event; then everybody sends events that no journey starts on and no wait asks for, beside as many plain inserts.
Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from temporalio.client import Client

from activities.dispatch import Dispatcher
from models.clock import SystemClock
from models.database import Database, insert, table
from models.enrollment import Dispatch, Enrollment, Listener
from models.event import Event
from models.incoming import Incoming
from models.record import Recorder
from models.schema import upgrade
from tabiji import JourneyPlugin, on
from tabiji.domain.journeys import Catalog, JourneySpec, never
from tabiji.journey.discovery import discover
from tabiji.testing import dev_server

BATCH = 100
WAITING = JourneySpec(
    name="waiting", title="Waits", triggers=(on("Bench Begun"),), goals=(on("Order Completed"),), reentry=never
)
_numbers = count(1)


async def flood(contacts: int, listeners: int, events: int) -> dict[str, Any]:
    """Send it, and count."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        await upgrade(url)
        database = Database(url)
        async with dev_server(JourneyPlugin()) as temporal:
            catalog = Catalog([*(one.spec for one in discover()), WAITING])
            outbox = Dispatcher(temporal.client, database, catalog, task_queue="nobody")
            recorder = Recorder(database, catalog, SystemClock(), outbox)
            await _record(recorder, [_event("Seen", n) for n in range(contacts)])
            await _record(recorder, [_event("Bench Begun", n) for n in range(listeners)])
            await outbox.settle()
            before = await _written(temporal.client, database), await _count(database, Dispatch)
            spent = await _record(recorder, [_event("Wandered About", n % contacts) for n in range(events)])
            await outbox.settle()
            after = await _written(temporal.client, database), await _count(database, Dispatch)
            report = {
                "contacts": contacts,
                "listeners": await _count(database, Listener),
                "events": events,
                "history_events_before": before[0],
                "history_events_in_temporal_because_of_it": after[0] - before[0],
                "dispatches_because_of_it": after[1] - before[1],
                "events_a_second": round(events / spent),
                "cost_of_a_bare_insert": round(spent / await _bare(database, events), 2),
            }
            await outbox.close()
        await database.close()
    return report


async def _record(recorder: Recorder, batch: Sequence[Incoming]) -> float:
    began = time.process_time()
    for place in range(0, len(batch), BATCH):
        await recorder.record(batch[place : place + BATCH])
    return time.process_time() - began


async def _bare(database: Database, events: int) -> float:
    """The same rows and as many transactions, and nothing else."""
    async with database.read() as tx:
        contact = await tx.scalar(select(table(Event).c.contact_id).limit(1))
    began = time.process_time()
    for place in range(0, events, BATCH):
        rows = [_row(contact, place + n) for n in range(min(BATCH, events - place))]
        async with database.write() as tx:
            await tx.execute(insert(tx, Event), rows)
    return time.process_time() - began


def _row(contact: Any, n: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    kept = {"kind": "track", "name": "Wandered About", "properties": {"n": n}, "context": {}, "at": now}
    return {**kept, "contact_id": contact, "message_id": f"bare-{n}", "recorded_at": now}


def _event(name: str, n: int) -> Incoming:
    return Incoming(
        kind="track",
        name=name,
        message_id=f"bench-{next(_numbers)}",
        at=datetime.now(UTC),
        properties={"n": n},
        user_id=f"user-{n}",
    )


async def _written(client: Client, database: Database) -> int:
    """Events in all histories there are."""
    async with database.read() as tx:
        ids = (await tx.scalars(select(table(Enrollment).c.id))).all()
    return sum([len((await client.get_workflow_handle(id).fetch_history()).events) for id in ids])


async def _count(database: Database, model: Any) -> int:
    async with database.read() as tx:
        return await tx.scalar(select(func.count()).select_from(table(model))) or 0


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    for name, usual in (("contacts", 10_000), ("listeners", 1_000), ("events", 100_000)):
        given.add_argument(f"--{name}", type=int, default=usual)
    print(json.dumps(asyncio.run(flood(**vars(given.parse_args()))), indent=2))
