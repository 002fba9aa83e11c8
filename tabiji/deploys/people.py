"""People under way, as a move sees them: who is in which version, what their journals hold, why somebody stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.service import RPCError, RPCStatusCode

from tabiji.domain.orders import JOURNAL, Carried, EnrollmentInput

ANSWER_WITHIN = timedelta(seconds=10)
RPC_TIMEOUT = timedelta(seconds=10)


@dataclass(frozen=True)
class Someone:
    """One enrollment under way, with the journal it would take along; or why it could not be asked."""

    id: str
    journey: str
    enrollment: EnrollmentInput | None = None
    silent: str | None = None


async def listed(client: Client, query: str) -> AsyncIterator[tuple[str, str]]:
    """Ids and journeys of those a query finds."""
    async for found in client.list_workflows(query, rpc_timeout=RPC_TIMEOUT):
        yield found.id, found.workflow_type


async def ask(client: Client, id: str, journey: str) -> Someone | None:
    """Ask for somebody's journal. None when they have ended meanwhile.

    A worker of their version answers, so one must run.
    """
    try:
        enrollment = await _input(client, id)
        handle = client.get_workflow_handle(id)
        carried = await handle.query(JOURNAL, result_type=Carried, rpc_timeout=ANSWER_WITHIN)
    except WorkflowQueryRejectedError:
        return None
    except WorkflowQueryFailedError as error:
        return Someone(id, journey, silent=f"it cannot say where it is: {error.message}")
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        if error.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.FAILED_PRECONDITION):
            return Someone(id, journey, silent="no worker of its version answers")
        raise
    return Someone(id, journey, enrollment.model_copy(update={"carried": carried}))


async def _input(client: Client, id: str) -> EnrollmentInput:
    request = GetWorkflowExecutionHistoryRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=id), maximum_page_size=1
    )
    found = await client.workflow_service.get_workflow_execution_history(request, timeout=RPC_TIMEOUT)
    payloads = found.history.events[0].workflow_execution_started_event_attributes.input.payloads
    enrollment: EnrollmentInput
    [enrollment] = await client.data_converter.decode(payloads, [EnrollmentInput])
    return enrollment


async def why_still_there(client: Client, id: str) -> str | None:
    """Why somebody has not moved yet; None when they have ended."""
    try:
        described = await client.get_workflow_handle(id).describe(rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        raise
    if described.status != WorkflowExecutionStatus.RUNNING:
        return None
    raw = described.raw_description
    for pending in raw.pending_activities:
        failing = f", attempt {pending.attempt}" if pending.attempt > 1 else ""
        last = pending.last_failure.application_failure_info.type
        return f"carries out {pending.activity_type.name}{failing}{f' ({last})' if last else ''}"
    if raw.HasField("pending_workflow_task"):
        attempt = raw.pending_workflow_task.attempt
        return f"its code fails, attempt {attempt}" if attempt > 1 else "its worker has not taken it up yet"
    return "waits, and has not been told or has no wait open"
