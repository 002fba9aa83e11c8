"""Measures how soon a journey that waits for a click acts on it, beside a bare SDK workflow that is signalled.

    python -m bench.click_latency [--people 40] [--rate 4]

Everything is real and a process of its own, as in `bench.latency`: a mail is sent through the desk's relay, its link
is followed over HTTP with a browser's headers, and the journey's next activity is awaited. Ours: from sending the
request for the link to the start of the activity. Bare: from sending the signal to the start of the activity.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from bench.desk import desk, process, quantiles, run
from bench.latency import ROOT, bare_times, in_turn
from tabiji.channels.email.links import Links

JOURNEY = '''"""The journey that is measured."""

from tabiji import Journey, days, journey, on


@journey(trigger=on("Bench Begun"))
class Clicker(Journey):
    """Send a mail, wait for a click in it, then act once."""

    async def steps(self) -> None:
        mail = await self.send_email("whitepaper/welcome", topic="transactional")
        if await self.wait_for(self.clicked(mail), timeout=days(1)):
            await self.tag("clicked")
'''
BROWSER = {
    "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 "
    "Safari/537.36",
    "Accept-Language": "en",
}


async def main(people: int, rate: float) -> None:
    """Print what was measured."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        await run(sys.executable, "-m", "tabiji.cli", "new", str(project), cwd=ROOT)
        (project / "workflows" / "clicker.py").write_text(JOURNEY)
        async with desk(project) as env:
            client = await Client.connect(f"127.0.0.1:{env['TABIJI_TEMPORAL_PORT']}")
            base = f"http://127.0.0.1:{env['TABIJI_API_PORT']}"
            headers = {"Authorization": f"Bearer {(project / '.tabiji' / 'key').read_text().strip()}"}
            links = Links((project / ".tabiji" / "secret").read_text().strip(), base)
            async with httpx2.AsyncClient(base_url=base, headers=headers, trust_env=False, timeout=30) as api:
                ours = await _ours(client, api, links, people, rate)
            async with process(sys.executable, "-m", "bench.bare_signal", client.service_client.config.target_host):
                bare = await bare_times(client, people, rate)
    report: dict[str, Any] = {
        "people": people,
        "clicks_a_second": rate,
        "click_to_started_ms": quantiles([started - sent for sent, _, started in ours]),
        "redirect_ms": quantiles([answered - sent for sent, answered, _ in ours]),
        "bare_signal_to_started_ms": quantiles([started - sent for sent, started in bare]),
    }
    report["ratio_p50"] = round(report["click_to_started_ms"]["p50"] / report["bare_signal_to_started_ms"]["p50"], 2)
    print(json.dumps(report, indent=2))


async def _ours(
    client: Client, api: httpx2.AsyncClient, links: Links, people: int, rate: float
) -> list[tuple[float, float, float]]:
    async def begin(n: int) -> tuple[str, str]:
        who = {"userId": f"bench-{n}"}
        await api.post("/v1/identify", json={**who, "traits": {"email": f"bench-{n}@example.com"}})
        (await api.post("/v1/track", json={**who, "event": "Bench Begun"})).raise_for_status()
        found = (await api.get("/v1/contacts", params={"user_id": f"bench-{n}"})).raise_for_status().json()
        return f"clicker/{found['id']}/1", str(found["id"])

    begun: list[tuple[str, str]] = await in_turn([partial(begin, n) for n in range(people)], rate=20)
    messages = [await _mail(api, contact) for _, contact in begun]
    for id, _ in begun:
        while not await _last(client, id, EventType.EVENT_TYPE_TIMER_STARTED):  # noqa: ASYNC110 # another process tells nobody
            await asyncio.sleep(0.05)
    times: dict[int, tuple[float, float]] = {}

    async def click(n: int) -> None:
        link = links.click(messages[n], "https://www.example.com/offer", 1)
        sent = time.time()
        answer = await api.get(link, headers=BROWSER)
        if answer.status_code != 302:
            raise SystemExit(f"a link answered {answer.status_code}")
        times[n] = (sent, time.time())

    await in_turn([partial(click, n) for n in range(people)], rate=rate)
    return [(*times[n], await _acted(client, id)) for n, (id, _) in enumerate(begun)]


async def _mail(api: httpx2.AsyncClient, contact: str) -> str:
    while True:
        page = (await api.get("/v1/messages", params={"contact": contact})).raise_for_status().json()
        if page["messages"] and page["messages"][0]["state"] == "sent":
            return str(page["messages"][0]["id"])
        await asyncio.sleep(0.1)


async def _acted(client: Client, id: str) -> float:
    """The mail's activity is the first, the one after the click the second."""
    while True:
        started = await _last(client, id, EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED)
        if len(started) > 1:
            return started[1]
        await asyncio.sleep(0.05)


async def _last(client: Client, id: str, kind: EventType.ValueType) -> list[float]:
    history = await client.get_workflow_handle(id).fetch_history()
    return [one.event_time.seconds + one.event_time.nanos / 1e9 for one in history.events if one.event_type == kind]


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--people", type=int, default=40)
    given.add_argument("--rate", type=float, default=4)
    asyncio.run(main(**vars(given.parse_args())))
