"""Workflows that do not move, each in its own way, and one that only waits. Alone here for the sandbox's sake."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError


@activity.defn
async def hopeless() -> None:
    raise ApplicationError("somebody@example.com is in the words", type="template")


@workflow.defn
class Broken:
    @workflow.run
    async def run(self) -> None:
        raise RuntimeError("a bug in a journey")


@workflow.defn
class Failing:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(hopeless, start_to_close_timeout=timedelta(seconds=5))


@workflow.defn
class Sleeping:
    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(days=3), summary="Wait 3 days")
