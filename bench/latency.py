"""Measures how soon a waiting journey acts on an event, beside a bare SDK workflow that is signalled.

    python -m bench.latency [--rate 50] [--waited-for 0.2] [--seconds 20]

Everything is real and a process of its own: a fresh project at its desk (`tabiji up`: API, worker, SQLite, Temporal
dev server), and beside it a worker of the bare SDK on the same server. Ours: from sending `POST /v1/track`, and from
its 200, to the start of the journey's next activity. Bare: from sending the signal to the start of the activity. Starts
are read from Temporal's histories. Of the events a share is waited for, each by a journey of its own that then acts and
ends; the others are page views of the same people. The bare workflows are signalled as often as journeys are woken,
one after the other. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from bench.bare_signal import QUEUE, Bare
from bench.desk import desk, process, quantiles, run

ROOT = Path(__file__).parent.parent
JOURNEY = '''"""The journey that is measured."""

from tabiji import Journey, days, journey, on


@journey(trigger=on("Bench Begun"))
class Pinged(Journey):
    """Wait for a ping, then act once."""

    async def steps(self) -> None:
        if await self.wait_for(on("Bench Pinged"), timeout=days(1)):
            await self.tag("pinged")
'''


async def main(rate: float, seconds: float, waited_for: float) -> None:
    """Print what was measured."""
    many, woken = int(rate * seconds * waited_for), rate * waited_for
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        await run(sys.executable, "-m", "tabiji.cli", "new", str(project), cwd=ROOT)
        (project / "workflows" / "pinged.py").write_text(JOURNEY)
        async with desk(project) as env:
            client = await Client.connect(f"127.0.0.1:{env['TABIJI_TEMPORAL_PORT']}")
            key = (project / ".tabiji" / "key").read_text().strip()
            async with httpx2.AsyncClient(
                base_url=f"http://127.0.0.1:{env['TABIJI_API_PORT']}",
                headers={"Authorization": f"Bearer {key}"},
                trust_env=False,
                timeout=30,
            ) as api:
                ours = await _ours(client, api, many, woken, views=rate - woken)
            async with process(sys.executable, "-m", "bench.bare_signal", client.service_client.config.target_host):
                bare = await bare_times(client, many, woken)
    report: dict[str, Any] = {
        "events_a_second": rate,
        "journeys_woken_a_second": woken,
        "journeys": many,
        "ours_sent_to_started_ms": quantiles([start - sent for sent, _, start in ours]),
        "ours_accepted_to_started_ms": quantiles([start - accepted for _, accepted, start in ours]),
        "accepting_ms": quantiles([accepted - sent for sent, accepted, _ in ours]),
        "bare_signal_to_started_ms": quantiles([start - sent for sent, start in bare]),
    }
    report["ratio_p50"] = round(
        report["ours_sent_to_started_ms"]["p50"] / report["bare_signal_to_started_ms"]["p50"], 2
    )
    print(json.dumps(report, indent=2))


async def _ours(
    client: Client, api: httpx2.AsyncClient, many: int, rate: float, *, views: float
) -> list[tuple[float, float, float]]:
    async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await api.post(path, json=body)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    async def begin(n: int) -> str:
        await post("/v1/track", {"userId": f"bench-{n}", "event": "Bench Begun"})
        contact = (await api.get("/v1/contacts", params={"user_id": f"bench-{n}"})).raise_for_status().json()["id"]
        return f"pinged/{contact}/1"

    ids = await in_turn([partial(begin, n) for n in range(many)], rate=200)
    await _all_wait(client, ids)
    times: dict[int, tuple[float, float]] = {}

    async def ping(n: int) -> None:
        sent = time.time()
        await post("/v1/track", {"userId": f"bench-{n}", "event": "Bench Pinged"})
        times[n] = (sent, time.time())

    async def view(n: int) -> None:
        await post("/v1/page", {"userId": f"bench-{n % many}", "properties": {"path": f"/{n}"}})

    pages = [partial(view, n) for n in range(int(many / rate * views))]
    await asyncio.gather(
        in_turn([partial(ping, n) for n in range(many)], rate=rate), in_turn(pages, rate=max(views, 1))
    )
    return [(*times[n], await _started(client, id)) for n, id in enumerate(ids)]


async def bare_times(client: Client, many: int, rate: float) -> list[tuple[float, float]]:
    """Signal bare workflows, one after the other: when each signal was sent, and when its activity started."""

    async def begin(n: int) -> str:
        await client.start_workflow(Bare.run, id=f"bare-{n}", task_queue=QUEUE)
        return f"bare-{n}"

    ids = await in_turn([partial(begin, n) for n in range(many)], rate=200)
    await _all_wait(client, ids)
    sent: dict[str, float] = {}

    async def ping(id: str) -> None:
        sent[id] = time.time()
        await client.get_workflow_handle(id).signal(Bare.pinged)

    await in_turn([partial(ping, id) for id in ids], rate=rate)
    return [(sent[id], await _started(client, id)) for id in ids]


async def in_turn(work: Sequence[Callable[[], Awaitable[Any]]], *, rate: float) -> list[Any]:
    """Begin one after the other at a rate, however long each takes. At most 64 are under way."""
    slots, begun = asyncio.Semaphore(64), time.monotonic()

    async def one(n: int, act: Callable[[], Awaitable[Any]]) -> Any:
        await asyncio.sleep(max(0.0, begun + n / rate - time.monotonic()))
        async with slots:
            return await act()

    return await asyncio.gather(*(one(n, act) for n, act in enumerate(work)))


async def _all_wait(client: Client, ids: Sequence[str]) -> None:
    for id in ids:
        while not await _at(client, id, EventType.EVENT_TYPE_TIMER_STARTED):  # noqa: ASYNC110 # another process tells nobody
            await asyncio.sleep(0.05)


async def _started(client: Client, id: str) -> float:
    while (at := await _at(client, id, EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED)) is None:  # noqa: ASYNC110 # another process tells nobody
        await asyncio.sleep(0.05)
    return at


async def _at(client: Client, id: str, kind: EventType.ValueType) -> float | None:
    from temporalio.service import RPCError

    try:
        history = await client.get_workflow_handle(id).fetch_history()
    except RPCError:
        return None  # its start has not been delivered yet
    found = [event.event_time for event in history.events if event.event_type == kind]
    return found[0].seconds + found[0].nanos / 1e9 if found else None


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--rate", type=float, default=50)
    given.add_argument("--waited-for", type=float, default=0.2, help="the share of the events that wakes somebody")
    given.add_argument("--seconds", type=float, default=20)
    asyncio.run(main(**vars(given.parse_args())))
