"""What the kit sees of journeys from inside the worker: what they raise, fail to await, and where they stand."""

from __future__ import annotations

import asyncio
import linecache
import sys
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from temporalio import workflow
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from tabiji.domain.orders import Passed
from tabiji.journey.journey import Journey
from tabiji.journey.travel import Travel
from tabiji.testing.mistakes import Notebook, outwards, place_of, standing, waiting_at

__tracebackhide__ = True

_UNAWAITED = "_warn_unawaited_coroutine"
"""What Python calls when a coroutine goes that was never awaited. At that moment the author's line is on the stack."""


@dataclass
class Watch:
    """What is known of the journeys of the test that runs now, by workflow id."""

    notebook: Notebook = field(default_factory=Notebook)
    live: dict[str, Journey] = field(default_factory=dict[str, Journey])

    def path(self, id: str) -> tuple[Passed, ...]:
        """The steps that are behind the person."""
        journey = self.live.get(id)
        return tuple(_travel(journey).journal.path) if journey is not None else ()

    def doing(self, id: str) -> list[str]:
        """What goes on, in words."""
        journey = self.live.get(id)
        return _travel(journey).goings_on if journey is not None else []

    def standing(self, id: str) -> TracebackType | None:
        """The author's line a journey waits at."""
        journey = self.live.get(id)
        steps = _travel(journey)._steps if journey is not None else None  # pyright: ignore[reportPrivateUsage] # see _travel
        return standing(waiting_at(steps.get_coro())) if steps is not None else None


_watch = Watch()


def begin() -> Watch:
    """A test begins: nothing is known."""
    global _watch  # noqa: PLW0603 # workers outlive the test, and their interceptors are made by the SDK
    _watch = Watch()
    return _watch


class Watching(Interceptor):
    """Notes what journeys raise."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """See base class."""
        return _Watched


class _Watched(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        watch, id = _watch, workflow.info().workflow_id
        journey: Any = workflow.instance()
        if isinstance(journey, Journey):
            watch.live[id] = journey
        try:
            return await super().execute_workflow(input)
        except (asyncio.CancelledError, workflow.ContinueAsNewError):
            raise
        except BaseException as error:
            watch.notebook.of(id).raised = error
            raise


@contextmanager
def unawaited_is_a_mistake() -> Generator[None]:
    """For the length of the block, what a journey forgets to await is noted as a mistake."""
    before: Callable[[Any], None] = getattr(warnings, _UNAWAITED)

    def went(coroutine: Any) -> None:
        if not _noted(coroutine):
            before(coroutine)

    setattr(warnings, _UNAWAITED, went)
    try:
        yield
    finally:
        setattr(warnings, _UNAWAITED, before)


def _noted(coroutine: Any) -> bool:
    with suppress(Exception):  # Python calls this while it destroys an object: nothing can be raised there
        if not workflow.in_workflow():
            # Of a run that was dropped: its test has ended.
            return str(coroutine.cr_frame.f_globals.get("__name__")).startswith("tabiji.journey.")
        at = standing(outwards(sys._getframe(1)))  # pyright: ignore[reportPrivateUsage] # the only way to a caller
        if at is not None:
            words = f"{place_of(at)}: `{_line(at)}` is not awaited, so it does not happen. Write `await` before it."
        else:
            words = f"{_name(coroutine)} is not awaited, so it does not happen. Write `await` before it."
        _watch.notebook.say(workflow.info().workflow_id, words, at)
        return True
    return False


def _line(at: TracebackType) -> str:
    while at.tb_next is not None:
        at = at.tb_next
    return linecache.getline(at.tb_frame.f_code.co_filename, at.tb_lineno).strip()


def _name(coroutine: Any) -> str:
    place = coroutine.cr_frame.f_locals.get("place")
    return f"the step {place.step!r}" if place is not None else f"{coroutine.__qualname__}()"


def _travel(journey: Journey) -> Travel:
    return journey._travel  # pyright: ignore[reportPrivateUsage] # what the kit shows of a run is in there
