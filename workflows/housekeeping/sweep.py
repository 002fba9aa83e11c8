"""Enters contacts by the clock: those whose date has come, or the audience of a schedule. Temporal starts it."""

from __future__ import annotations

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey, VersioningBehavior

from tabiji.domain.durations import in_words
from tabiji.domain.sweeps import SWEEP, SWEEP_PAGE, SweepOrder, Swept

_SCHEDULED_FOR = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
_PAGE_TIMEOUT = timedelta(minutes=10)
_DEAD_AFTER = timedelta(seconds=30)
_RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))


@workflow.defn(name=SWEEP, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Sweep:
    """Page by page, until there is no further page.

    What it does twice, after a restart or at the next sweep, changes nothing: an entry counts once.
    """

    @workflow.run
    async def run(self, order: SweepOrder) -> Swept:
        """Sweep. The result counts what this run has done, not the runs it continues."""
        moment = order.moment or _moment(order)
        order = order.model_copy(update={"moment": moment})
        if order.schedule is not None and workflow.now() - moment > order.catch_up:
            workflow.set_current_details(f"Let pass: its time was more than {in_words(order.catch_up)} ago.")
            return Swept()
        swept = Swept()
        who = "those whose date has come" if order.schedule is None else str(order.schedule.who)
        while True:
            page: Swept = await workflow.execute_activity(
                SWEEP_PAGE,
                order,
                result_type=Swept,
                start_to_close_timeout=_PAGE_TIMEOUT,
                heartbeat_timeout=_DEAD_AFTER,
                retry_policy=_RETRIES,
                summary=f"Enter {who} into {order.journey}",
            )
            swept += page
            workflow.set_current_details(f"{swept.entered} entered, {swept.refused} not.")
            if swept.cursor is None:
                return swept
            order = order.model_copy(update={"cursor": swept.cursor})
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(order)


def _moment(order: SweepOrder) -> datetime:
    """For a schedule the time it was meant for: it names the occurrence. For dates now: after an outage all that is due
    is due in one sweep.
    """
    scheduled = workflow.info().typed_search_attributes.get(_SCHEDULED_FOR)
    return scheduled if scheduled is not None and order.schedule is not None else workflow.now()
