"""All that a Temporal client, worker or replayer needs for journeys, in one object.

client = await Client.connect(address, plugins=[JourneyPlugin()])
Worker(client, task_queue="tabiji", plugins=[JourneyPlugin(journeys=[Nurture], activities=[…])])
Replayer(workflows=[], plugins=[JourneyPlugin(journeys=[Nurture])])
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeGuard

import structlog
from temporalio import activity
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, CancelledError
from temporalio.plugin import SimplePlugin
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from tabiji.domain.changes import OwnOrder
from tabiji.domain.orders import StepOrder
from tabiji.domain.topics import Topics
from tabiji.errors import Paused, TabijiError
from tabiji.journey.journey import Journey
from tabiji.journey.urgency import remember

log = structlog.stdlib.get_logger(__name__)

# Importing these again in every workflow's sandbox tripled the time from start to close.
PASSED_THROUGH = ("tabiji", "pydantic", "pydantic_core", "pydantic_settings", "annotated_types", "structlog")


Gate = Callable[[StepOrder], Awaitable[None]]


class JourneyPlugin(SimplePlugin):
    """Journeys, their activities, pydantic payloads, the sandbox's settings, error translation, signs of life."""

    def __init__(
        self,
        *,
        journeys: Sequence[type[Journey]] = (),
        activities: Sequence[Callable[..., Any]] = (),
        gate: Gate | None = None,
        topics: Topics | None = None,
        payload_codec: PayloadCodec | None = None,
    ) -> None:
        """Everything is optional: a client needs none of it.

        Args:
            journeys: Classes declared with `@journey`.
            activities: Bound methods or functions that carry `@activity.defn`.
            gate: Asked before each attempt of an author's own activity; raises where nothing may be done now. Ours
                ask in their own transactions.
            topics: Those the project has declared: mail on a transactional one overtakes all other work.
            payload_codec: Encrypts what goes into histories. Client, worker and replayer must share it.
        """
        self._codec = payload_codec
        if topics is not None:
            remember(topics)
        super().__init__(  # pyright: ignore[reportUnknownMemberType] # the SDK leaves callables open
            "tabiji.JourneyPlugin",
            data_converter=self._convert,
            workflows=list(journeys),
            activities=list(activities),
            workflow_runner=passed_through,
            interceptors=[ErrorTranslation(), *([Gated(gate)] if gate is not None else []), SignsOfLife()],
        )

    def _convert(self, existing: DataConverter | None) -> DataConverter:
        converter = existing
        if converter is None or converter.payload_converter_class is DataConverter.default.payload_converter_class:
            converter = pydantic_data_converter
        if self._codec is not None:
            converter = dataclasses.replace(converter, payload_codec=self._codec)
        return converter


def passed_through(existing: WorkflowRunner | None) -> WorkflowRunner:
    """A runner whose sandbox takes the library as it is loaded. Another's runner is left as it is."""
    if isinstance(existing, SandboxedWorkflowRunner):
        return dataclasses.replace(
            existing, restrictions=existing.restrictions.with_passthrough_modules(*PASSED_THROUGH)
        )
    return existing or passed_through(SandboxedWorkflowRunner())


class ErrorTranslation(Interceptor):
    """Turns what activities raise into failures whose type is our stable code."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See base class."""
        return _Translating(next)


class _Translating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except TabijiError as error:
            raise ApplicationError(
                str(error),
                type=error.code,
                non_retryable=not error.retryable,
                next_retry_delay=error.retry_after,
                # A pause is no mishap: thousands that meet one must not fill logs and failure metrics.
                category=(
                    ApplicationErrorCategory.BENIGN
                    if isinstance(error, Paused)
                    else ApplicationErrorCategory.UNSPECIFIED
                ),
            ) from None
        except (ApplicationError, CancelledError):
            raise
        except Exception as error:
            # A foreign error's text may quote a row or an address, and failures are kept in histories for
            # as long as the namespace says: the words stay here, the kind goes there.
            log.exception("activity.failed", activity=activity.info().activity_type, attempt=activity.info().attempt)
            raise ApplicationError(
                f"{type(error).__name__} in {activity.info().activity_type}; the worker's log has the rest",
                type=type(error).__name__,
            ) from None


class Gated(Interceptor):
    """Keeps authors' own activities from beginning while a pause reaches whom they are for."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See base class."""
        return _Asking(next, self._gate)


class _Asking(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, gate: Gate) -> None:
        super().__init__(next)
        self._gate = gate

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        for order in input.args:
            if _is_own(order):
                await self._gate(order)
        return await super().execute_activity(input)


def _is_own(order: object) -> TypeGuard[StepOrder]:
    return isinstance(order, OwnOrder)


class SignsOfLife(Interceptor):
    """Heartbeats for what verbs do, so that a worker that dies in the middle is noticed in seconds.

    They say that the process lives; that the work ends is what its timeout is for. An author's own activities are
    left alone: who gives those a heartbeat timeout sends heartbeats that mean something.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See base class."""
        return _Living(next)


class _Living(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        patience = activity.info().heartbeat_timeout
        if not patience or not any(isinstance(arg, StepOrder) for arg in input.args):
            return await super().execute_activity(input)
        work = asyncio.ensure_future(super().execute_activity(input))
        while not work.done():
            try:
                await asyncio.wait((work,), timeout=patience.total_seconds() / 4)
            except asyncio.CancelledError:
                # Heartbeats bring cancellations along. What a verb has begun is finished and written down all the
                # same, even when Temporal has given this attempt up: the next one finds what is written.
                if _worker_ends():
                    work.cancel()
            if not work.done():
                activity.heartbeat()
        return work.result()


def _worker_ends() -> bool:
    """Whether it is the end of the process that cancels, after the time it was given to finish."""
    why = activity.cancellation_details()
    return why is None or why.worker_shutdown
