"""Counts what each verb costs: events in the Temporal history, and billable actions of Temporal Cloud.

    python -m bench.costs            JSON, one object for each case
    python -m bench.costs --table    the table of docs/costs.md

Each case is a journey with that one verb on a real Temporal server, less an empty journey on the same server.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

from bench import verbs
from tabiji import Journey
from tabiji.simulation.play import stage
from tabiji.testing import JourneyEnvironment, Run
from tabiji.testing.server import Server

BILLED = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        EventType.EVENT_TYPE_TIMER_STARTED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    }
)
"""Local activities are billed once for each workflow task they run in, whatever their number."""


@dataclass(frozen=True)
class Cost:
    """What a case has more than an empty journey."""

    case: str
    events: int
    actions: int


def counted(history: WorkflowHistory) -> Counter[str]:
    """Events, and actions by Temporal's published rules."""
    kinds = [event.event_type for event in history.events]
    tasks_with_local_activities = {
        event.marker_recorded_event_attributes.workflow_task_completed_event_id
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED
    }
    actions = sum(kind in BILLED for kind in kinds) + len(tasks_with_local_activities)
    return Counter(events=len(kinds), actions=actions)


async def measured(server: Server) -> list[Cost]:
    """All cases, in the order of the table."""
    empty = await _one(server, verbs.Empty, _let_time_pass)
    cases: list[tuple[str, type[Journey], Callable[[JourneyEnvironment, Run], Awaitable[None]]]] = [
        (_case(journey), journey, _let_time_pass) for journey in verbs.SILENT
    ]
    cases += [
        ("wait_for, wait_first, wait_all, absent: answered", verbs.WaitFor, _clicks),
        ("the same: time up", verbs.WaitFor, _let_time_pass),
        ("approval: answered", verbs.Approval, _approves),
        ("approval: time up", verbs.Approval, _let_time_pass),
    ]
    found: list[Cost] = []
    for case, journey, act in cases:
        one = await _one(server, journey, act)
        found.append(Cost(case, one["events"] - empty["events"], one["actions"] - empty["actions"]))
    return [Cost("enter and end, nothing else", empty["events"], empty["actions"]), *found]


async def _one(
    server: Server,
    journey: type[Journey],
    act: Callable[[JourneyEnvironment, Run], Awaitable[None]],
) -> Counter[str]:
    environment = JourneyEnvironment(server)
    environment.replace("own", lambda: None)
    try:
        environment.loads(journey)
        run = await environment.start(journey)
        await act(environment, run)
        await run.result()
        return counted(await run.history())
    finally:
        environment.close()


async def _let_time_pass(_environment: JourneyEnvironment, _run: Run) -> None:
    """Nothing is done."""


async def _clicks(_environment: JourneyEnvironment, run: Run) -> None:
    await run.happens("Clicked")


async def _approves(environment: JourneyEnvironment, _run: Run) -> None:
    await environment.approves()


def _case(journey: type[Journey]) -> str:
    return journey.spec.title.removesuffix(".")


def table(costs: list[Cost]) -> str:
    """For the manual."""
    lines = ["| verb | events | actions |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {cost.case} | {cost.events} | {cost.actions} |" for cost in costs)])


def main() -> None:
    """Measure and print."""
    with stage() as server:
        costs = asyncio.run(measured(server))
    if "--table" in sys.argv:
        print(table(costs))
    else:
        for cost in costs:
            print(json.dumps(asdict(cost)))


if __name__ == "__main__":
    main()
