"""What a workflow's history says about the moment: is something under way, which timers are open, how did it end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

FAR = timedelta(days=60 * 365)
"""A timer further away stands for a wait without a limit."""

_ENDS = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    }
)


@dataclass(frozen=True)
class Standing:
    """A run as its history has it. `broken` are the words of a workflow task that failed."""

    busy: bool
    begun: datetime
    timers: tuple[datetime, ...] = ()
    over: bool = False
    broken: str | None = None

    def due(self, now: datetime) -> datetime | None:
        """The next timer, where there is one that is meant to fire."""
        return min((at for at in self.timers if at - now < FAR), default=None)


def standing(events: Iterable[HistoryEvent]) -> Standing:
    """Read a history to its end."""
    open_timers: dict[str, datetime] = {}
    activities: set[int] = set()
    task, over, broken, begun = True, False, None, datetime.max.replace(tzinfo=UTC)
    for event in events:
        begun = min(begun, event.event_time.ToDatetime(tzinfo=UTC))
        kind = event.event_type
        task = _task_open(kind, task)
        over = kind in _ENDS
        _timer(event, open_timers)
        _activity(event, activities)
        if kind == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            failure = event.workflow_task_failed_event_attributes.failure
            broken = f"{failure.message}\n{failure.stack_trace}"
        elif kind == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            broken = None
    return Standing(not over and (task or bool(activities)), begun, tuple(open_timers.values()), over, broken)


def _task_open(kind: Any, before: bool) -> bool:
    match kind:
        case EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED | EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
            return True
        case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return False
        case _:
            return before


def _timer(event: HistoryEvent, timers: dict[str, datetime]) -> None:
    match event.event_type:
        case EventType.EVENT_TYPE_TIMER_STARTED:
            started = event.timer_started_event_attributes
            begun = event.event_time.ToDatetime(tzinfo=UTC)
            timers[started.timer_id] = begun + started.start_to_fire_timeout.ToTimedelta()
        case EventType.EVENT_TYPE_TIMER_FIRED:
            timers.pop(event.timer_fired_event_attributes.timer_id, None)
        case EventType.EVENT_TYPE_TIMER_CANCELED:
            timers.pop(event.timer_canceled_event_attributes.timer_id, None)
        case _:
            pass


def _activity(event: HistoryEvent, activities: set[int]) -> None:
    match event.event_type:
        case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            activities.add(event.event_id)
        case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            activities.discard(event.activity_task_completed_event_attributes.scheduled_event_id)
        case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
            activities.discard(event.activity_task_failed_event_attributes.scheduled_event_id)
        case EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
            activities.discard(event.activity_task_timed_out_event_attributes.scheduled_event_id)
        case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
            activities.discard(event.activity_task_canceled_event_attributes.scheduled_event_id)
        case _:
            pass
