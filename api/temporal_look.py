"""Looks into Temporal for journeys that do not move. Bounded: it examines a sample and says of what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import BaseModel, Field
from temporalio.api.enums.v1 import EventType, PendingWorkflowTaskState, TaskQueueType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from tabiji.deploys.versions import versions
from tabiji.temporal import JOURNEY

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 8
RPC_TIMEOUT = timedelta(seconds=3)
UNATTENDED = timedelta(seconds=15)
"""How long a workflow task may wait for a worker: more than the ten seconds a killed worker's takes to return."""
OVERDUE = timedelta(seconds=30)
SEEN_LATELY = timedelta(seconds=90)
"""A poller asks at least once a minute; Temporal remembers it for five."""
STEADY_FAILURE = 3
"""Attempts of an activity that make it worth a look."""


class StuckTask(BaseModel):
    """A workflow task that fails again and again, or that no worker takes."""

    enrollment_id: str
    problem: Literal["failing", "unattended"]
    attempt: int
    since: datetime | None


class StuckActivity(BaseModel):
    """An effect that fails again and again. It goes on trying."""

    enrollment_id: str
    activity: str
    attempt: int
    last_failure: str = Field(description="the error's code; the worker's log has the rest")
    next_try: datetime | None


class OverdueTimer(BaseModel):
    """A timer that should have fired."""

    enrollment_id: str
    summary: str | None
    due: datetime


class QueueWithoutPoller(BaseModel):
    """A task queue nobody works on."""

    task_queue: str
    kind: Literal["workflow", "activity"]
    last_seen: datetime | None


class StrandedVersion(BaseModel):
    """A version of the code nobody works for although people are in it, or wait for it."""

    version: str
    people: int
    problem: str


class Look(BaseModel):
    """What was found, and how far the look went."""

    running: int = Field(description="journeys that run, by Temporal's own count")
    sampled: int = Field(description="how many of them were looked at: those Temporal calls troubled, then the latest")
    workflow_tasks: list[StuckTask] = []
    activities: list[StuckActivity] = []
    timers: list[OverdueTimer] = []
    queues: list[QueueWithoutPoller] = []
    versions: list[StrandedVersion] = []

    @property
    def troubled(self) -> bool:
        """Whether anything was found."""
        return bool(self.workflow_tasks or self.activities or self.timers or self.queues or self.versions)


async def look(client: Client, *, task_queue: str, deployment: str, sample: int) -> Look:
    """Look at the queue, at the versions of the code and at a sample of the running journeys.

    Raises:
        RPCError: Temporal does not answer.
    """
    now = datetime.now(UTC)
    mine = f'ExecutionStatus = "Running" AND {JOURNEY.name} IS NOT NULL'
    found = Look(running=(await client.count_workflows(mine, rpc_timeout=RPC_TIMEOUT)).count, sampled=0)
    found.queues = await _queues_without_poller(client, task_queue, now)
    found.versions = await _stranded(client, task_queue, deployment)
    ids = await _sample(client, mine, sample)
    found.sampled = len(ids)
    for described, timers in await _bounded(ids, lambda id: _examine(client, id, now)):
        if described is not None:
            found.workflow_tasks += _stuck_task(described, now)
            found.activities += _stuck_activities(described)
        found.timers += timers
    return found


async def _sample(client: Client, mine: str, most: int) -> list[str]:
    """Those Temporal itself has marked as troubled, then the latest: its visibility sorts no other way everywhere."""
    troubled = await _ids(client, f"{mine} AND TemporalReportedProblems IS NOT NULL", most)
    latest = await _ids(client, mine, most)
    return list(dict.fromkeys([*troubled, *latest]))[:most]


async def _ids(client: Client, query: str, most: int) -> list[str]:
    if not most:
        return []
    try:
        return [found.id async for found in client.list_workflows(query, limit=most, rpc_timeout=RPC_TIMEOUT)]
    except RPCError as error:
        if error.status == RPCStatusCode.INVALID_ARGUMENT:
            return []  # an older server does not mark troubled workflows
        raise


async def _examine(
    client: Client, id: str, now: datetime
) -> tuple[DescribeWorkflowExecutionResponse | None, list[OverdueTimer]]:
    handle = client.get_workflow_handle(id)
    try:
        described = (await handle.describe(rpc_timeout=RPC_TIMEOUT)).raw_description
        timers = await _overdue(id, handle.fetch_history_events(rpc_timeout=RPC_TIMEOUT), now, client)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None, []  # it has ended meanwhile
        raise
    return described, timers


async def _overdue(id: str, events: AsyncIterator[HistoryEvent], now: datetime, client: Client) -> list[OverdueTimer]:
    waiting: dict[str, OverdueTimer] = {}
    async for event in events:
        match event.event_type:
            case EventType.EVENT_TYPE_TIMER_STARTED:
                started = event.timer_started_event_attributes
                due = _instant(event.event_time) + started.start_to_fire_timeout.ToTimedelta()
                summary = await _summary(client, event)
                waiting[started.timer_id] = OverdueTimer(enrollment_id=id, summary=summary, due=due)
            case EventType.EVENT_TYPE_TIMER_FIRED:
                waiting.pop(event.timer_fired_event_attributes.timer_id, None)
            case EventType.EVENT_TYPE_TIMER_CANCELED:
                waiting.pop(event.timer_canceled_event_attributes.timer_id, None)
            case _:
                pass
    return [timer for timer in waiting.values() if timer.due < now - OVERDUE]


async def _summary(client: Client, event: HistoryEvent) -> str | None:
    if not event.user_metadata.HasField("summary"):
        return None
    (words,) = await client.data_converter.decode([event.user_metadata.summary], [str])
    return str(words)


def _stuck_task(described: DescribeWorkflowExecutionResponse, now: datetime) -> list[StuckTask]:
    if not described.HasField("pending_workflow_task"):
        return []
    task = described.pending_workflow_task
    since = _instant(task.original_scheduled_time) if task.HasField("original_scheduled_time") else None
    id = described.workflow_execution_info.execution.workflow_id
    if task.attempt > 1:
        return [StuckTask(enrollment_id=id, problem="failing", attempt=task.attempt, since=since)]
    scheduled = task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED
    if scheduled and since is not None and since < now - UNATTENDED:
        return [StuckTask(enrollment_id=id, problem="unattended", attempt=task.attempt, since=since)]
    return []


def _stuck_activities(described: DescribeWorkflowExecutionResponse) -> list[StuckActivity]:
    return [
        StuckActivity(
            enrollment_id=described.workflow_execution_info.execution.workflow_id,
            activity=pending.activity_type.name,
            attempt=pending.attempt,
            last_failure=pending.last_failure.application_failure_info.type or "unknown",
            next_try=_instant(pending.scheduled_time) if pending.HasField("scheduled_time") else None,
        )
        for pending in described.pending_activities
        if pending.attempt >= STEADY_FAILURE
    ]


async def _queues_without_poller(client: Client, task_queue: str, now: datetime) -> list[QueueWithoutPoller]:
    found: list[QueueWithoutPoller] = []
    kinds: tuple[tuple[Literal["workflow", "activity"], TaskQueueType.ValueType], ...] = (
        ("workflow", TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
        ("activity", TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
    )
    for kind, type in kinds:
        request = DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=type
        )
        described = await client.workflow_service.describe_task_queue(request, timeout=RPC_TIMEOUT)
        last = max((_instant(poller.last_access_time) for poller in described.pollers), default=None)
        if last is None or last < now - SEEN_LATELY:
            found.append(QueueWithoutPoller(task_queue=task_queue, kind=kind, last_seen=last))
    return found


async def _stranded(client: Client, task_queue: str, deployment: str) -> list[StrandedVersion]:
    try:
        found = await versions(client, deployment, task_queue)
    except RPCError as error:
        if error.status == RPCStatusCode.UNIMPLEMENTED:
            return []  # an older server knows no versions
        raise
    return [
        StrandedVersion(version=warning.build or deployment, people=warning.people, problem=warning.words)
        for warning in found.warnings
    ]


async def _bounded(items: Sequence[T], work: Callable[[T], Awaitable[R]]) -> list[R]:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(item: T) -> R:
        async with slots:
            return await work(item)

    return await asyncio.gather(*(one(item) for item in items))


def _instant(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)
