"""Replays journeys and listens in: what the code here asks for, at which step and line, and where it stands at the end.

Replay itself compares commands and not what is in them.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio import workflow
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowInterceptorClassInput,
    WorkflowRunner,
)

from tabiji.deploys.commands import Command, Key, of_code
from tabiji.domain.orders import Carried
from tabiji.journey.callers import of_an_author
from tabiji.journey.journal import Place
from tabiji.journey.journey import Journey
from tabiji.journey.steps import step_at_caller
from tabiji.journey.travel import Travel

NEAR = timedelta(milliseconds=5)


@dataclass(frozen=True)
class Source:
    """A line of somebody's code."""

    file: str
    line: int

    def __str__(self) -> str:
        """As an editor takes it."""
        here = Path.cwd()
        file = Path(self.file)
        return f"{file.relative_to(here) if file.is_relative_to(here) else file}:{self.line}"


def _authors(trace: str) -> Source | None:
    """The last line of a traceback that is neither Python's nor a library's."""
    lines = [Source(file, int(line)) for file, line in re.findall(r'File "(.+?)", line (\d+)', trace)]
    return next((each for each in reversed(lines) if of_an_author(each.file)), None)


@dataclass
class Watched:
    """What one run asked for, and where it stands."""

    commands: dict[Key, Command] = field(default_factory=dict[Key, Command])
    steps: dict[Key, str] = field(default_factory=dict[Key, str])
    sources: dict[str, Source] = field(default_factory=dict[str, Source])
    latest: str | None = None
    """The step that was begun last."""
    failure: str | None = None
    failed_at: Source | None = None
    travel: Travel | None = None

    @property
    def behind(self) -> Carried:
        """What it would take along."""
        return self.travel.journal.carried() if self.travel is not None else Carried()

    def attach(self, travel: Travel) -> None:
        """Note where in the source each step of this run stands."""
        self.travel = travel
        named = travel.place

        def place(verb: str, step: str | None) -> Place:
            name = step or step_at_caller(3, verb)
            author = sys._getframe(2)  # pyright: ignore[reportPrivateUsage] # the only way to a caller's position
            self.sources[name] = Source(author.f_code.co_filename, author.f_lineno)
            self.latest = name
            return named(verb, name)

        travel.place = place  # type: ignore[method-assign] # of this one run, which lives for this look alone

    def take(self, act: WorkflowActivation, completion: WorkflowActivationCompletion) -> None:
        """What one activation led to."""
        if completion.HasField("failed"):
            failure = completion.failed.failure
            self.failure = ": ".join(filter(None, (failure.application_failure_info.type, failure.message)))
            self.failed_at = _authors(failure.stack_trace)
        now = act.timestamp.ToDatetime(UTC)
        for each in completion.successful.commands:
            command = of_code(each)
            if command is None or command.key in self.commands:
                continue
            self.commands[command.key] = command
            step = command.step or (self._waits_until(now, command) if command.kind == "timer" else None)
            if step is not None:
                self.steps[command.key] = step

    def _waits_until(self, now: datetime, command: Command) -> str | None:
        """The step whose wait a timer is: the only one open, or the one with its deadline."""
        if self.travel is None or command.duration is None:
            return None
        waits = list(self.travel.journal.open.values())
        at = self.travel.enrollment
        tempo = at.tempo
        due = at.entered_at + (max(now - at.entered_wall, timedelta(0)) + command.duration) * tempo
        fitting = [
            wait for wait in waits if wait.deadline is not None and abs(wait.deadline - due) <= NEAR * max(tempo, 1)
        ]
        return fitting[-1].step if fitting else (waits[0].step if len(waits) == 1 else None)


class Watching(WorkflowRunner, Interceptor):
    """Runs workflows as another runner does, and keeps what each asked for, by run id."""

    def __init__(self, inner: WorkflowRunner) -> None:
        self._inner = inner
        self.runs: dict[str, Watched] = {}

    def prepare_workflow(self, defn: Any) -> None:
        """See base class."""
        self._inner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """See base class."""
        watched = self.runs[det.info.run_id] = Watched()
        return _WatchedInstance(self._inner.create_instance(det), watched)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """See base class."""
        runs = self.runs

        class Attaching(WorkflowInboundInterceptor):
            async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
                journey = workflow.instance()
                if isinstance(journey, Journey):
                    runs[workflow.info().run_id].attach(journey._travel)  # pyright: ignore[reportPrivateUsage] # ours
                return await super().execute_workflow(input)

        return Attaching


class _WatchedInstance(WorkflowInstance):
    def __init__(self, inner: WorkflowInstance, watched: Watched) -> None:
        self._inner = inner
        self._watched = watched

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """See base class."""
        completion = self._inner.activate(act)
        self._watched.take(act, completion)
        return completion

    def get_serialization_context(self, command_info: Any) -> Any:
        """See base class."""
        return self._inner.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        """See base class."""
        return self._inner.get_external_store_context(command_info)

    def get_thread_id(self) -> int | None:
        """See base class."""
        return self._inner.get_thread_id()

    def get_info(self) -> workflow.Info:
        """See base class."""
        return self._inner.get_info()
