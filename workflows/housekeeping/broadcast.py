"""One mail to many: turn after turn, until nobody is left. Who has had it is in the ledger; this only keeps going."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy, VersioningBehavior

from tabiji.domain.broadcasts import BROADCAST, BROADCAST_TURN, WAKE, BroadcastOrder, Turn

_TURN_TIMEOUT = timedelta(minutes=3)
_DEAD_AFTER = timedelta(seconds=10)
_RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
_BULK = Priority(priority_key=5)
_ODD = timedelta(milliseconds=50)
"""Less than this is not worth a timer."""


@workflow.defn(name=BROADCAST, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class SendBroadcast:
    """`wake` says that something was changed: paused, resumed, cancelled."""

    def __init__(self) -> None:
        self._woken = False

    @workflow.signal(name=WAKE)
    def wake(self) -> None:
        """Look again."""
        self._woken = True

    @workflow.run
    async def run(self, order: BroadcastOrder) -> str:
        """Take turns. Answers how it ended."""
        while True:
            self._woken = False
            turn: Turn = await workflow.execute_activity(
                BROADCAST_TURN,
                order,
                result_type=Turn,
                start_to_close_timeout=_TURN_TIMEOUT,
                heartbeat_timeout=_DEAD_AFTER,
                retry_policy=_RETRIES,
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                priority=_BULK,
                summary="Send to those who are due",
            )
            order = turn.order
            workflow.set_current_details(turn.says or f"{turn.sent} sent, {turn.refused} refused in this turn")
            if turn.over:
                return turn.says
            if turn.wait > _ODD and not self._woken:
                await workflow.wait_condition(lambda: self._woken, timeout=turn.wait, timeout_summary=turn.says or None)
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(order)
