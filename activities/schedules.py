"""Keeps Temporal's schedules as the journeys declare them: one for a journey's dates, one for each of its schedules.

Every worker of the current version does this. Several at once, or one after the other, come to the same. An old version
that is started again, for those who are still in it, leaves the schedules of the new one alone.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from tabiji.deploys.versions import current_build
from tabiji.domain.durations import in_words
from tabiji.domain.journeys import Catalog, JourneySpec
from tabiji.domain.sweeps import SWEEP, SweepOrder
from tabiji.errors import ConfigurationError
from tabiji.settings import Settings

log = structlog.stdlib.get_logger(__name__)

RPC_TIMEOUT = timedelta(seconds=10)
LOOK_EVERY = 5.0
"""Seconds between looks whether this is the current version."""


async def keep_schedules(
    client: Client, settings: Settings, catalog: Catalog, build: str, *, look_every: float = LOOK_EVERY
) -> None:
    """Prepare the schedules whenever this build becomes the current one, until cancelled."""
    kept = False
    while True:
        try:
            current = await current_build(client, settings.deployment) == build
            if current and not kept:
                await prepare_schedules(client, settings, catalog)
            kept = current
        except (RPCError, ConfigurationError) as problem:
            log.warning("schedules.not_kept", problem=str(problem))
        await asyncio.sleep(look_every)


async def prepare_schedules(client: Client, settings: Settings, catalog: Catalog) -> None:
    """Create, change and delete schedules until they are what the journeys declare. Other task queues' are left alone.

    A schedule somebody has paused stays paused. No date counts that came before its journey first had one: a new
    journey does not begin with yesterday's birthdays.

    Raises:
        ConfigurationError: Temporal does not let us.
    """
    wanted = {id: schedule for spec in catalog for id, schedule in _schedules(spec, settings)}
    try:
        for id, schedule in wanted.items():
            await _establish(client, id, schedule)
        await _remove_others(client, settings, wanted.keys())
    except RPCError as error:
        raise ConfigurationError(
            f"Temporal refused to keep the schedules of {settings.task_queue!r} ({error.status.name}). Journeys that "
            f"start on dates or schedules need the right to write to namespace {client.namespace!r}."
        ) from None


def _schedules(spec: JourneySpec, settings: Settings) -> Iterator[tuple[str, Schedule]]:
    prefix = f"{_prefix(settings)}{spec.name}/"
    begins = datetime.now(UTC)
    if spec.dates:
        order = SweepOrder(journey=spec.name, dates=spec.dates, begins=begins, catch_up=settings.catch_up)
        yield f"{prefix}dates", _of_dates(order, f"{prefix}dates", settings)
    for schedule in spec.schedules:
        # Named by what it says, so that changing the order of triggers changes nothing.
        id = f"{prefix}{hashlib.sha256(schedule.model_dump_json().encode()).hexdigest()[:12]}"
        order = SweepOrder(journey=spec.name, schedule=schedule, begins=begins, catch_up=settings.catch_up)
        yield id, _of_a_schedule(order, id, settings)


def _of_dates(order: SweepOrder, id: str, settings: Settings) -> Schedule:
    """One at a time. A sweep looks back itself, so nothing is gained by making up for those that were missed."""
    dates = "; ".join(map(str, order.dates))
    return Schedule(
        action=_action(order, id, settings, f"{order.journey}: {dates}"),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=settings.dates_every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=settings.dates_every),
    )


def _of_a_schedule(order: SweepOrder, id: str, settings: Settings) -> Schedule:
    """The next begins when the one before is through. What Temporal was away for is made up for, if late."""
    if order.schedule is None:
        raise ValueError("an order of dates")
    return Schedule(
        action=_action(order, id, settings, f"{order.journey}: {order.schedule}"),
        spec=ScheduleSpec(
            cron_expressions=[order.schedule.cron], time_zone_name=order.schedule.timezone or settings.timezone
        ),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=settings.catch_up),
    )


def _action(order: SweepOrder, id: str, settings: Settings, summary: str) -> ScheduleActionStartWorkflow:
    return ScheduleActionStartWorkflow(
        SWEEP,
        order,
        id=id,
        task_queue=settings.task_queue,
        static_summary=summary[:200],
        static_details=f"Late by more than {in_words(settings.catch_up)}, it lets pass what was missed.",
    )


async def _establish(client: Client, id: str, schedule: Schedule) -> None:
    try:
        await client.create_schedule(id, schedule, rpc_timeout=RPC_TIMEOUT)
        log.info("schedule.created", schedule=id)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(id).update(
            lambda there: _changed(client, there, schedule), rpc_timeout=RPC_TIMEOUT
        )


async def _changed(client: Client, there: ScheduleUpdateInput, wanted: Schedule) -> ScheduleUpdate:
    now = there.description.schedule
    old, new = await _order_of(client, now), await _order_of(client, wanted)
    _action_of(wanted).args = [new.model_copy(update={"begins": old.begins})]
    wanted.state = now.state
    return ScheduleUpdate(wanted)


async def _order_of(client: Client, schedule: Schedule) -> SweepOrder:
    order: object = _action_of(schedule).args[0]
    if isinstance(order, Payload):
        [order] = await client.data_converter.decode([order], [SweepOrder])
    return SweepOrder.model_validate(order)


def _action_of(schedule: Schedule) -> ScheduleActionStartWorkflow:
    if not isinstance(schedule.action, ScheduleActionStartWorkflow):
        raise TypeError("a schedule that starts no workflow is none of ours")
    return schedule.action


async def _remove_others(client: Client, settings: Settings, wanted: Collection[str]) -> None:
    async for found in await client.list_schedules(rpc_timeout=RPC_TIMEOUT):
        if found.id.startswith(_prefix(settings)) and found.id not in wanted:
            try:
                await client.get_schedule_handle(found.id).delete(rpc_timeout=RPC_TIMEOUT)
                log.info("schedule.deleted", schedule=found.id)
            except RPCError as error:
                if error.status != RPCStatusCode.NOT_FOUND:
                    raise


def _prefix(settings: Settings) -> str:
    return f"tabiji/{settings.task_queue}/"
