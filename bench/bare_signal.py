"""The bare SDK's side of `bench.latency`, as a process of its own: `python -m bench.bare_signal ADDRESS`."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

QUEUE = "bench-bare"


@activity.defn(name="bare_act")
async def act() -> None:
    """When it was started is all that counts."""


@workflow.defn(name="bare-signal")
class Bare:
    """Waits for one signal, then acts once."""

    def __init__(self) -> None:
        self._pinged = False

    @workflow.signal
    def pinged(self) -> None:
        """The web app's signal."""
        self._pinged = True

    @workflow.run
    async def run(self) -> None:
        """Wait, act."""
        await workflow.wait_condition(lambda: self._pinged, timeout=timedelta(days=1))
        await workflow.execute_activity("bare_act", start_to_close_timeout=timedelta(seconds=60))


async def main(address: str) -> None:
    """Work until the process is ended."""
    client = await Client.connect(address)
    async with Worker(client, task_queue=QUEUE, workflows=[Bare], activities=[act]):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
