"""People per second through a journey of two mails, beside a workflow written by hand that makes the same calls.

    python -m bench.two_mails [--people 300] [--rounds 4]

One worker, one Temporal server, one database and one relay (a process of its own) carry both: the same activities with
the same ledger, so that what differs is what the language of journeys costs. The people, their consents and
enrollments are there before; all workflows of a round are started the same way, and a round lasts from the first start
to the last end, less the wait between the mails. Rounds take turns. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from activities.dispatch import Dispatcher
from activities.registry import registered
from bench.drip import WAIT, ByHand, TwoMails
from bench.sinks import running
from models.base import new_id
from models.contact import Consent, Contact
from models.database import Database, insert
from models.enrollment import Enrollment
from models.schema import upgrade
from tabiji import JourneyPlugin, log
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import EnrollmentInput
from tabiji.domain.topics import Topics
from tabiji.settings import Settings
from tabiji.testing import dev_server

QUEUE = "bench"
AT_ONCE = 32
"""Starts under way."""


async def main(people: int, rounds: int) -> None:
    """Print what was measured."""
    log.configure("error", process="bench")
    times: dict[str, list[float]] = {"two-mails": [], "by-hand": []}
    with tempfile.TemporaryDirectory() as folder:
        async with running() as relay:
            settings = Settings(
                _env_file=None,  # type: ignore[call-arg] # pydantic-settings takes it
                database_url=f"sqlite:///{Path(folder) / 'bench.sqlite3'}",
                smtp_port=relay.port,
                secret="s" * 32,  # type: ignore[arg-type] # pydantic makes it secret
            )
            await upgrade(settings.database)
            database = Database(settings.database)
            made: list[Callable[..., Any]] = []
            async with dev_server(JourneyPlugin(journeys=[TwoMails], activities=made)) as temporal:
                catalog = Catalog([TwoMails.spec])
                dispatcher = Dispatcher(temporal.client, database, catalog, task_queue=QUEUE)
                async with registered(settings, database, catalog, dispatcher, Topics()) as activities:
                    made += activities
                    worker = Worker(
                        temporal.client,
                        task_queue=QUEUE,
                        workflows=[ByHand],
                        activities=made,
                        max_concurrent_local_activities=settings.database_pool,
                        max_concurrent_activities=settings.database_pool + 4 * settings.smtp_connections,
                    )
                    async with worker:
                        for number in range(rounds + 1):
                            for kind, found in times.items():
                                inputs = await _prepared(database, kind, people)
                                took = await _through(temporal.client, kind, inputs)
                                if number:  # the first warms both
                                    found.append(took)
            await database.close()
            taken = (await relay.counts())["mails"]
    expected = 2 * people * 2 * (rounds + 1)
    ours, bare = (statistics.median(found) for found in times.values())
    ratios = [theirs / mine for mine, theirs in zip(*times.values(), strict=True)]
    print(
        json.dumps(
            {
                "people": people,
                "people_a_second": {"two-mails": round(people / ours, 1), "by-hand": round(people / bare, 1)},
                "ratio": round(statistics.median(ratios), 3),
                "ratios": [round(ratio, 3) for ratio in ratios],
                "mails": {"expected": expected, "taken": taken},
            },
            indent=2,
        )
    )


async def _prepared(database: Database, kind: str, people: int) -> list[EnrollmentInput]:
    now = datetime.now(UTC)
    ids = [new_id() for _ in range(people)]
    contact: dict[str, Any] = {
        "attributes": {"first_name": "Hanako"}, "score": 0, "created_at": now, "recorded_at": now,
    }  # fmt: skip # a row
    consent: dict[str, Any] = {"topic": "marketing", "given": True, "confirmed": True, "source": "bench", "at": now}
    enrolled: dict[str, Any] = {
        "journey": kind, "n": 1, "entry_key": "", "entry_seq": 0, "state": "running", "path": [], "tempo": 1.0,
        "test": False, "start_confirmed": True, "entered_at": now, "entered_wall": now, "recorded_at": now,
    }  # fmt: skip # a row
    async with database.write() as tx:
        await tx.execute(insert(tx, Contact), [contact | {"id": id, "email": f"{id}@example.jp"} for id in ids])
        await tx.execute(insert(tx, Consent), [consent | {"contact_id": id, "recorded_at": now} for id in ids])
        await tx.execute(insert(tx, Enrollment), [enrolled | {"id": f"{kind}/{id}/1", "contact_id": id} for id in ids])
    return [
        EnrollmentInput(
            enrollment_id=f"{kind}/{id}/1",
            contact_id=str(id),
            journey=kind,
            entered_at=now,
            entered_wall=now,
            entry_seq=0,
        )
        for id in ids
    ]


async def _through(client: Client, kind: str, inputs: list[EnrollmentInput]) -> float:
    slots, began = asyncio.Semaphore(AT_ONCE), time.perf_counter()

    async def one(given: EnrollmentInput) -> None:
        async with slots:
            handle = await client.start_workflow(kind, given, id=given.enrollment_id, task_queue=QUEUE)
        await handle.result()

    await asyncio.gather(*map(one, inputs))
    return time.perf_counter() - began - WAIT.total_seconds()


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--people", type=int, default=300)
    given.add_argument("--rounds", type=int, default=4)
    asyncio.run(main(**vars(given.parse_args())))
