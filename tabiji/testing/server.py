"""One time-skipping server for a session of tests, and a worker for each journey that is used in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from itertools import count
from typing import Any, Protocol

from pydantic import BaseModel
from temporalio import activity
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tabiji.domain.orders import StepOrder
from tabiji.journey.journey import Journey
from tabiji.plugin import JourneyPlugin
from tabiji.testing.loop import Loop
from tabiji.testing.mistakes import Mistake
from tabiji.testing.servers import skipping_time
from tabiji.testing.watching import Watching

__tracebackhide__ = True


class Carrier(Protocol):
    """Carries out what journeys ask for: the test that runs now."""

    async def carry_out(self, order: StepOrder) -> BaseModel:
        """An order of one of the verbs."""
        ...

    async def own(self, name: str, arguments: Sequence[RawValue]) -> Any:
        """An activity of the author's own."""
        ...


class Server:
    """Started once. Tests come one after the other; what a journey asks goes to the one in `carrier`."""

    temporal: WorkflowEnvironment
    spoilt = False
    """Something was left under way in it: the next test gets a new one."""

    def __init__(self, orders: Sequence[type[StepOrder]]) -> None:
        self.loop = Loop()
        self.carrier: Carrier | None = None
        self._stack = AsyncExitStack()
        self._queues: dict[type[Journey], str] = {}
        self._numbers = count(1)
        self._activities = [*(_carried(order, self._current) for order in orders), _own(self._current)]

    def start(self) -> None:
        """Start the server; it takes a tenth of a second."""
        self.loop.wait(self._start())

    def renew(self) -> None:
        """Start another server where this one is spoilt."""
        if self.spoilt:
            self.loop.wait(self._stack.aclose())
            self._queues.clear()
            self.spoilt = False
            self.start()

    def stop(self) -> None:
        """Stop the workers, the server and the loop."""
        self.loop.wait(self._stack.aclose())
        self.loop.close()

    def number(self) -> int:
        """Another one each time: no two tests share a workflow's id."""
        return next(self._numbers)

    async def queue_of(self, journey: type[Journey]) -> str:
        """The task queue of the worker that runs a journey; started at its first use."""
        if journey not in self._queues:
            queue = f"{journey.spec.name}-{self.number()}"
            worker = Worker(
                self.temporal.client,
                task_queue=queue,
                workflows=[journey],
                activities=self._activities,
                interceptors=[Watching()],
                workflow_failure_exception_types=[Exception],
            )
            await self._stack.enter_async_context(worker)
            self._queues[journey] = queue
        return self._queues[journey]

    async def _start(self) -> None:
        # What the SDK's core has to say of a test server is of no use to authors.
        quiet = Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="ERROR")))
        self.temporal = await self._stack.enter_async_context(skipping_time(JourneyPlugin(), runtime=quiet))

    def _current(self) -> Carrier:
        if self.carrier is None:
            raise RuntimeError("no test runs now")
        return self.carrier


def _carried(order: type[StepOrder], current: Callable[[], Carrier]) -> Callable[..., Any]:
    async def carry_out(asked: Any) -> Any:
        try:
            return await current().carry_out(asked)
        except Mistake as mistake:
            # The test tells it, at the author's line: no need for the SDK to tell it, too.
            benign = ApplicationErrorCategory.BENIGN
            raise ApplicationError(str(mistake), type=mistake.code, non_retryable=True, category=benign) from None

    carry_out.__annotations__ = {"asked": order, "return": order.answer}
    return activity.defn(name=order.activity)(carry_out)


def _own(current: Callable[[], Carrier]) -> Callable[..., Any]:
    @activity.defn(dynamic=True)
    async def own(arguments: Sequence[RawValue]) -> Any:
        return await current().own(activity.info().activity_type, arguments)

    return own
