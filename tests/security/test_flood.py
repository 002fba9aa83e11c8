"""One key sends as fast as it can: it meets a limit, and whoever else sends does not feel it."""

from __future__ import annotations

import asyncio
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.journeys.stage import until
from tests.security.processes import own_api, seconds

ASKED = 15
FLOODERS = 32


async def answers(client: httpx2.AsyncClient, name: str) -> list[float]:
    """How long a client that sends now and then waits for its answers. All of them are good."""
    took: list[float] = []
    for place in range(ASKED):
        body = {"userId": f"{name}-{place}", "event": "X", "messageId": f"{name}-{place}"}
        status, span = await seconds(client, "/v1/track", body)
        assert status == 200
        took.append(span)
        await asyncio.sleep(0.1)
    return took


async def flood(client: httpx2.AsyncClient, path: str, body: dict[str, Any], counts: Counter[int]) -> None:
    while True:
        status, _ = await seconds(client, path, body)
        counts[status] += 1


async def under_flood(folder: Path, path: str, body: dict[str, Any], **settings: str) -> tuple[list[float], ...]:
    """Another key's waits before and under the flood; and what the flood was answered."""
    counts = Counter[int]()
    async with (
        own_api(folder, f"sqlite:///{folder / 'flood.sqlite3'}", **settings) as served,
        await served.client("calm") as calm,
        await served.client("loud") as loud,
    ):
        idle = await answers(calm, "idle")
        flooding = [asyncio.create_task(flood(loud, path, body, counts)) for _ in range(FLOODERS)]
        await until(lambda: counts.total() > 2 * FLOODERS, "the flood has begun", within=60)
        under = await answers(calm, "under")
        for one in flooding:
            one.cancel()
        await asyncio.gather(*flooding, return_exceptions=True)
    return idle, under, [float(status) for status in counts]


async def test_a_flood_from_one_key_meets_its_limit_and_another_key_does_not_feel_it(tmp_path: Path) -> None:
    body = {"userId": "loud", "event": "Flood"}
    idle, under, answered = await under_flood(tmp_path, "/v1/track", body, TABIJI_KEY_RATE="20")

    assert set(answered) == {200, 429}
    # The flood's own clients share this process, and other tests the machine: room for both.
    assert statistics.median(under) < 5 * statistics.median(idle) + 0.15


@pytest.mark.slow
async def test_a_flood_of_batches_below_any_limit_waits_behind_itself(tmp_path: Path) -> None:
    """More than can be stored, from one key: at the entrance keys take turns."""
    batch = [{"type": "track", "userId": f"loud-{place}", "event": "Flood"} for place in range(100)]
    _, under, answered = await under_flood(tmp_path, "/v1/batch", {"batch": batch}, TABIJI_KEY_RATE="1000000")

    assert 200 in answered
    # 3,200 events wait at any time: in one queue each answer would come after all of them.
    assert statistics.median(under) < 1.5
