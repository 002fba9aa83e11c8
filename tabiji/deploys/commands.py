"""What a journey asked Temporal for, read from a history or from the code as it runs: in one shape, to be compared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, cast

from pydantic import JsonValue
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.bridge.proto.workflow_commands import WorkflowCommand

Kind = Literal["activity", "timer", "child", "end"]
Key = tuple[Kind, str]
"""Which command it is: the SDK counts activities and timers of a run, each by itself."""


@dataclass(frozen=True)
class Command:
    """One command."""

    kind: Kind
    id: str
    name: str
    """Type of the activity or the child; how a run ends."""
    local: bool = False
    summary: str | None = None
    arguments: JsonValue = None
    """The first argument. What a local activity was told is in no history."""
    duration: timedelta | None = None
    event: int = 0
    """Its event's number in the history."""

    @property
    def key(self) -> Key:
        """See `Key`."""
        return self.kind, self.id

    @property
    def step(self) -> str | None:
        """The step that is named in what the activity was told."""
        told = self.arguments.get("step") if isinstance(self.arguments, dict) else None
        return told if isinstance(told, str) else None

    @property
    def words(self) -> str:
        """For a reader."""
        if self.kind == "end":
            return f"the end of the run ({self.name})"
        return self.summary or (f"a timer of {self.duration}" if self.kind == "timer" else self.name)


def in_history(events: Iterable[HistoryEvent]) -> Iterator[Command]:
    """The commands a history holds, in order."""
    for event in events:
        if (found := _of_event(event)) is not None:
            yield found


def of_code(command: WorkflowCommand) -> Command | None:
    """A command as the SDK hands it on; None for what says nothing of the way a journey takes."""
    summary = summary_of(command.user_metadata.summary)
    match command.WhichOneof("variant"):
        case "schedule_activity":
            told = command.schedule_activity
            return Command(
                "activity", str(told.seq), told.activity_type, summary=summary, arguments=_first(told.arguments)
            )
        case "schedule_local_activity":
            at_once = command.schedule_local_activity
            return Command(
                "activity",
                str(at_once.seq),
                at_once.activity_type,
                local=True,
                summary=summary,
                arguments=_first(at_once.arguments),
            )
        case "start_timer":
            timer = command.start_timer
            span = timer.start_to_fire_timeout.ToTimedelta()
            return Command("timer", str(timer.seq), "timer", summary=summary, duration=span)
        case "start_child_workflow_execution":
            child = command.start_child_workflow_execution
            return Command("child", child.workflow_id, child.workflow_type, arguments=_first(child.input))
        case "complete_workflow_execution":
            return Command("end", "", "completed")
        case "fail_workflow_execution":
            return Command("end", "", "failed")
        case "cancel_workflow_execution":
            return Command("end", "", "cancelled")
        case "continue_as_new_workflow_execution":
            return Command("end", "", "went on in a new run")
        case _:
            return None


def _of_event(event: HistoryEvent) -> Command | None:
    summary = summary_of(event.user_metadata.summary)
    number = event.event_id
    match event.event_type:
        case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            told = event.activity_task_scheduled_event_attributes
            arguments = _first(told.input.payloads)
            name = told.activity_type.name
            return Command("activity", told.activity_id, name, summary=summary, arguments=arguments, event=number)
        case EventType.EVENT_TYPE_MARKER_RECORDED:
            return _of_marker(event, summary)
        case EventType.EVENT_TYPE_TIMER_STARTED:
            timer = event.timer_started_event_attributes
            span = timer.start_to_fire_timeout.ToTimedelta()
            return Command("timer", timer.timer_id, "timer", summary=summary, duration=span, event=number)
        case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            child = event.start_child_workflow_execution_initiated_event_attributes
            arguments = _first(child.input.payloads)
            return Command("child", child.workflow_id, child.workflow_type.name, arguments=arguments, event=number)
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
            return Command("end", "", "completed", event=number)
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
            return Command("end", "", "failed", event=number)
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
            return Command("end", "", "cancelled", event=number)
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
            return Command("end", "", "went on in a new run", event=number)
        case _:
            return None


def _of_marker(event: HistoryEvent, summary: str | None) -> Command | None:
    marker = event.marker_recorded_event_attributes
    if marker.marker_name != "core_local_activity":
        return None
    about = cast("dict[str, Any]", decoded(marker.details["data"].payloads[0]))
    return Command(
        "activity", str(about["seq"]), about["activity_type"], local=True, summary=summary, event=event.event_id
    )


def decoded(payload: Payload) -> JsonValue:
    """What a payload holds; None where that is not JSON."""
    if payload.metadata.get("encoding") not in (b"json/plain", b"json/protobuf"):
        return None
    value: JsonValue = json.loads(payload.data)
    return value


def text_payload(value: JsonValue) -> bytes:
    """The data of a JSON payload."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def summary_of(payload: Payload) -> str | None:
    """The words somebody reads in the Temporal UI."""
    words = decoded(payload) if payload.data else None
    return words if isinstance(words, str) else None


def _first(payloads: Iterable[Payload]) -> JsonValue:
    return next((decoded(payload) for payload in payloads), None)
