"""Signs that Temporal and a worker do their work."""

from __future__ import annotations

import asyncio

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from tabiji.desk.child import Probe
from tabiji.errors import ConfigurationError
from tabiji.plugin import JourneyPlugin
from tabiji.settings import Settings
from tabiji.temporal import connect, prepare

KINDS = (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)


def temporal_ready(settings: Settings) -> Probe:
    """It answers, and its namespace has what journeys need."""

    async def probe(_pid: int) -> bool:
        try:
            async with asyncio.timeout(10):
                await prepare(await connect(settings, [JourneyPlugin()]), settings)
        except ConfigurationError:
            return False
        return True

    return probe


def worker_ready(settings: Settings) -> Probe:
    """Temporal sees this very process poll, for workflows and for activities. Pollers of dead ones linger there."""
    connected: list[Client] = []

    async def probe(pid: int) -> bool:
        try:
            if not connected:
                connected.append(await connect(settings, [JourneyPlugin()]))
            return all([await _polls(connected[0], settings, kind, pid) for kind in KINDS])
        except (ConfigurationError, RPCError):
            return False

    return probe


async def _polls(client: Client, settings: Settings, kind: TaskQueueType.ValueType, pid: int) -> bool:
    queue = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=settings.temporal_namespace,
            task_queue=TaskQueue(name=settings.task_queue),
            task_queue_type=kind,
        )
    )
    return any(poller.identity.startswith(f"{pid}@") for poller in queue.pollers)
