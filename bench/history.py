"""Counts what a journey writes into its Temporal history, beside a bare SDK workflow that does the same.

    python -m bench.history

The scenario: enter, mail, wait a day for a click, then another mail or the end; a goal is declared. Everything is
real but the relay: server, database, record, listen, dispatch, a versioned worker. Prints one JSON object per case.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import select
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.worker import Worker

from activities.dispatch import Dispatcher
from activities.enrollments import Enrollments
from bench.sample import Bare, Clicked
from models.clock import SystemClock
from models.database import Database, table
from models.enrollment import Listener
from models.incoming import Incoming
from models.record import Recorder
from models.schema import upgrade
from models.waits import Waits
from tabiji import JourneyPlugin
from tabiji.deploys.versions import at_work, promote
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import SendEmail, SendOutcome
from tabiji.testing import dev_server

TEMPO = 86_400 / 2
"""A journey day takes two seconds."""
QUEUE = "bench"


@activity.defn(name="send_email")
async def sends(_order: SendEmail) -> SendOutcome:
    """The one thing replaced: no relay is counted here."""
    return SendOutcome(state="sent")


@activity.defn(name="bare_send")
async def bare_send(_template: str) -> str:
    """What a team without us would write."""
    return "sent"


async def main() -> None:
    """Print both cases."""
    for report in await counted():
        print(json.dumps(report))


async def counted() -> list[dict[str, Any]]:
    """Count both cases."""
    reports: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'bench.sqlite3'}")
        await upgrade(f"sqlite:///{Path(folder) / 'bench.sqlite3'}")
        made: list[Callable[..., Any]] = []
        async with dev_server(JourneyPlugin(journeys=[Clicked], activities=made)) as temporal:
            catalog = Catalog([Clicked.spec])
            dispatcher = Dispatcher(temporal.client, database, catalog, task_queue=QUEUE)
            bookkeeping = Enrollments(Waits(database, catalog, dispatcher))
            made += [sends, bare_send, *bookkeeping.all]
            recorder = Recorder(database, catalog, SystemClock(), dispatcher)
            versioned = at_work(QUEUE, "counted")
            async with Worker(
                temporal.client, task_queue=QUEUE, workflows=[Bare], activities=made, deployment_config=versioned
            ):
                await promote(temporal.client, QUEUE, "counted")
                for clicked in (True, False):
                    ours = await _ours(temporal.client, database, recorder, dispatcher, clicked=clicked)
                    bare = await _bare(temporal.client, clicked=clicked)
                    reports.append(_report(clicked, ours, bare))
        await database.close()
    return reports


_numbers = count(1)


async def _ours(
    client: Client, database: Database, recorder: Recorder, dispatcher: Dispatcher, *, clicked: bool
) -> WorkflowHistory:
    def incoming(name: str) -> Incoming:
        clock = SystemClock()
        return Incoming(
            kind="track",
            name=name,
            message_id=f"bench-{next(_numbers)}",
            at=clock.now(),
            anonymous_id=f"visitor-{clicked}",
            tempo=TEMPO,
        )

    entered = (await recorder.record([incoming("Nurtured")]))[0].entered[0]
    await dispatcher.settle()
    handle = client.get_workflow_handle(entered)
    if clicked:
        listeners = table(Listener)
        waiting = select(listeners.c.step).where(listeners.c.enrollment_id == entered, listeners.c.step != "goal")
        while True:
            async with database.read() as tx:
                if (await tx.execute(waiting)).first():
                    break
            await asyncio.sleep(0.01)
        # The timer must have been started, or the look-back alone would answer and the count be flattered.
        await _until_event(handle, EventType.EVENT_TYPE_TIMER_STARTED)
        await recorder.record([incoming("Email Link Clicked")])
    await handle.result()
    return await handle.fetch_history()


async def _bare(client: Client, *, clicked: bool) -> WorkflowHistory:
    handle = await client.start_workflow(Bare.run, 86_400 / TEMPO, id=f"bare-{clicked}", task_queue=QUEUE)
    if clicked:
        await _until_event(handle, EventType.EVENT_TYPE_TIMER_STARTED)
        await handle.signal(Bare.clicked)
    await handle.result()
    return await handle.fetch_history()


async def _until_event(handle: WorkflowHandle[Any, Any], kind: EventType.ValueType) -> None:
    # Nothing tells when a history grows.
    while not any(event.event_type == kind for event in (await handle.fetch_history()).events):  # noqa: ASYNC110
        await asyncio.sleep(0.02)


def _report(clicked: bool, ours: WorkflowHistory, bare: WorkflowHistory) -> dict[str, Any]:
    kinds = Counter(EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in ours.events)
    calls = kinds["ACTIVITY_TASK_SCHEDULED"] + kinds["MARKER_RECORDED"]
    return {
        "scenario": "mail, wait a day, clicked" if clicked else "mail, wait a day, not clicked",
        "events": len(ours.events),
        "bare_events": len(bare.events),
        "ratio": round(len(ours.events) / len(bare.events), 2),
        "budget": 26 if clicked else 23,
        "activity_calls": calls,
        "local_activities": kinds["MARKER_RECORDED"],
        "bytes": sum(event.ByteSize() for event in ours.events),
        "bare_bytes": sum(event.ByteSize() for event in bare.events),
        "kinds": dict(sorted(kinds.items())),
    }


if __name__ == "__main__":
    asyncio.run(main())
