"""Versions of the code that runs journeys: who is in which, who works for them, which one takes new people.

A version is a deployment's name and a build id. Journeys are pinned: a person stays in the version they started in
until they are moved, so its workers must stay as long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import BaseModel, Field
from temporalio.api.enums.v1 import TaskQueueType, WorkerDeploymentVersionStatus
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentResponse,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import WorkerDeploymentConfig

from tabiji.errors import Refused
from tabiji.temporal import JOURNEY

RPC_TIMEOUT = timedelta(seconds=3)
SEEN_LATELY = timedelta(seconds=90)
"""A poller asks at least once a minute; Temporal remembers it for five."""
PATIENCE = timedelta(seconds=60)
GLANCE = 0.25
"""Seconds between tries; Temporal takes few of them a second."""

State = Literal["current", "ramping", "draining", "drained", "inactive"]
_STATES: dict[int, State] = {
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT: "current",
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING: "ramping",
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING: "draining",
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED: "drained",
}


class Version(BaseModel):
    """One version of the code."""

    build: str
    state: State = Field(description="current: takes new people; drained: has nobody left; inactive: never had any")
    people: int = Field(description="enrollments that run in it")
    pollers: list[str] = Field(description="workers of it that asked for work lately, as process@host")
    since: datetime | None = Field(default=None, description="when it was made")

    @property
    def deserted(self) -> bool:
        """People are in it and nobody works for them."""
        return bool(self.people) and not self.pollers


class Warned(NamedTuple):
    """A reason to worry. `build` None: about the whole deployment."""

    build: str | None
    people: int
    words: str


class Versions(BaseModel):
    """A deployment: all its versions, the newest first."""

    deployment: str
    current: str | None = Field(description="the build that takes new people; null: none was promoted")
    versions: list[Version]
    unversioned: int = Field(description="enrollments that no version has taken yet")
    unversioned_pollers: list[str] = Field(default=[], description="workers without a version: a project of one's own")

    @property
    def warnings(self) -> list[Warned]:
        """What somebody must do something about."""
        found = [
            Warned(one.build, one.people, "people are in it and no worker of it runs: start one, so that they go on")
            for one in self.versions
            if one.deserted
        ]
        if self.current is None and self.versions and not self.unversioned_pollers:
            words = "no version is current, so nobody can begin: name one with tabiji versions --promote BUILD"
            found.append(Warned(None, self.unversioned, words))
        if self.current and self.unversioned and not any(v.pollers for v in self.versions if v.build == self.current):
            found.append(Warned(self.current, self.unversioned, "people wait to begin in it and no worker of it runs"))
        return found


def at_work(deployment: str, build: str) -> WorkerDeploymentConfig:
    """How a worker of this version works: whoever begins with it stays with it."""
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=deployment, build_id=build),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


async def versions(client: Client, deployment: str, task_queue: str) -> Versions:
    """Ask Temporal for all versions of a deployment. Without one there are none.

    Raises:
        RPCError: Temporal does not answer.
    """
    pollers = await _pollers(client, task_queue, datetime.now(UTC))
    described = await _described(client, deployment)
    summaries = described.worker_deployment_info.version_summaries if described else ()
    found = [
        Version(
            build=each.deployment_version.build_id,
            state=_STATES.get(each.status, "inactive"),
            people=await _people(client, f"= '{deployment}:{each.deployment_version.build_id}'"),
            pollers=pollers.get((deployment, each.deployment_version.build_id), []),
            since=_instant(each.create_time),
        )
        for each in summaries
    ]
    current = described.worker_deployment_info.routing_config.current_deployment_version.build_id if described else ""
    return Versions(
        deployment=deployment,
        current=current or None,
        versions=[_settled(one) for one in found],
        unversioned=await _people(client, "IS NULL"),
        unversioned_pollers=pollers.get(("", ""), []),
    )


async def current_build(client: Client, deployment: str) -> str | None:
    """The build that takes new people; None where none was promoted.

    Raises:
        RPCError: Temporal does not answer.
    """
    described = await _described(client, deployment)
    routing = described.worker_deployment_info.routing_config if described else None
    return (routing.current_deployment_version.build_id or None) if routing else None


def _settled(version: Version) -> Version:
    """Temporal takes minutes to see that the last one has left."""
    left = version.state == "draining" and not version.people
    return version.model_copy(update={"state": "drained"}) if left else version


async def promote(
    client: Client,
    deployment: str,
    build: str,
    *,
    patience: timedelta = PATIENCE,
    waiting: Callable[[], None] = lambda: None,
) -> None:
    """Make a version current: from now on new people begin in it. Nobody who is under way is touched.

    Waits for the first worker of it to come.

    Raises:
        Refused: None came, or it does not work on all that the version before worked on.
        RPCError: Temporal does not answer.
    """
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=deployment, build_id=build, identity="tabiji"
    )
    deadline = asyncio.get_running_loop().time() + patience.total_seconds()
    while True:
        try:
            await client.workflow_service.set_worker_deployment_current_version(request, timeout=RPC_TIMEOUT)
            return
        except RPCError as error:
            if error.status not in _NOT_YET or asyncio.get_running_loop().time() > deadline:
                raise _not_promoted(build, error) from error
        waiting()
        await asyncio.sleep(GLANCE)


_NOT_YET = frozenset(
    {
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.ABORTED,
    }
)
"""No worker of it has come yet, or the server is busy with another change."""


def _not_promoted(build: str, error: RPCError) -> Exception:
    if error.status == RPCStatusCode.NOT_FOUND:
        return Refused(
            f"no worker of version {build} has come, so it was not made current. Start one first; "
            "`tabiji versions` shows which there are."
        )
    if error.status == RPCStatusCode.FAILED_PRECONDITION:
        return Refused(f"version {build} was not made current: {error.message}")
    return error


async def _described(client: Client, deployment: str) -> DescribeWorkerDeploymentResponse | None:
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=deployment)
    try:
        # Temporal answers few of these a second; the client waits and asks again.
        return await client.workflow_service.describe_worker_deployment(request, retry=True, timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        raise


async def _people(client: Client, version: str) -> int:
    query = f'ExecutionStatus = "Running" AND {JOURNEY.name} IS NOT NULL AND TemporalWorkerDeploymentVersion {version}'
    return (await client.count_workflows(query, rpc_timeout=RPC_TIMEOUT)).count


async def _pollers(client: Client, task_queue: str, now: datetime) -> dict[tuple[str, str], list[str]]:
    """Who asked lately, for workflows, by version."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    described = await client.workflow_service.describe_task_queue(request, timeout=RPC_TIMEOUT)
    found: dict[tuple[str, str], list[str]] = {}
    for poller in described.pollers:
        if poller.last_access_time.ToDatetime(UTC) >= now - SEEN_LATELY:
            options = poller.deployment_options
            who = found.setdefault((options.deployment_name, options.build_id), [])
            who += [poller.identity] if poller.identity not in who else []
    return found


def _instant(stamp: Timestamp) -> datetime | None:
    return stamp.ToDatetime(UTC) if stamp.seconds else None
