"""One key sends as fast as it can: it meets a limit, and whoever else sends does not feel it."""

from __future__ import annotations

import asyncio
import statistics
from collections import Counter
from pathlib import Path

import httpx2

from tests.journeys.stage import until
from tests.security.processes import own_api, seconds

ASKED = 40
FLOODERS = 32


async def answers(client: httpx2.AsyncClient, name: str) -> list[float]:
    """How long a client that sends now and then waits for its answers. All of them are good."""
    took: list[float] = []
    for place in range(ASKED):
        body = {"userId": f"{name}-{place}", "event": "X", "messageId": f"{name}-{place}"}
        status, span = await seconds(client, "/v1/track", body)
        assert status == 200
        took.append(span)
        await asyncio.sleep(0.02)
    return took


async def flood(client: httpx2.AsyncClient, name: str, counts: Counter[int]) -> None:
    for place in range(1_000_000):
        status, _ = await seconds(client, "/v1/track", {"userId": f"{name}-{place % 50}", "event": "Flood"})
        counts[status] += 1


async def test_a_flood_from_one_key_meets_its_limit_and_another_key_does_not_feel_it(tmp_path: Path) -> None:
    url, counts = f"sqlite:///{tmp_path / 'flood.sqlite3'}", Counter[int]()
    async with (
        own_api(tmp_path, url, TABIJI_KEY_RATE="20") as served,
        await served.client("calm") as calm,
        await served.client("loud") as loud,
    ):
        await answers(calm, "warm")
        idle = await answers(calm, "idle")
        flooding = [asyncio.create_task(flood(loud, str(number), counts)) for number in range(FLOODERS)]
        await until(lambda: counts[429] > FLOODERS, "the flood has met its limit")
        under = await answers(calm, "under")
        for one in flooding:
            one.cancel()
        await asyncio.gather(*flooding, return_exceptions=True)

    print(statistics.median(idle), statistics.median(under), max(under), counts)
    assert set(counts) == {200, 429}
    assert counts[429] > counts[200] / 4
    assert statistics.median(under) < 3 * statistics.median(idle) + 0.03
    assert sorted(under)[-3] < 10 * statistics.median(idle) + 0.25
