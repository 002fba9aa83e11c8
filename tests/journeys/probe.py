"""A workflow that asks an activity one thing, for the tests of the plugin."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy


@workflow.defn
class Asks:
    """Asks, at most twice."""

    @workflow.run
    async def run(self, what: str) -> str:
        answer: str = await workflow.execute_activity(
            "ask",
            what,
            result_type=str,
            start_to_close_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(maximum_attempts=2, initial_interval=timedelta(milliseconds=10)),
        )
        return answer
