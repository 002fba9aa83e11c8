"""Own activities of an author's, played by plain functions in tests."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

from pydantic import ValidationError
from temporalio import activity
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, CancelledError

from tabiji.domain.changes import OwnOrder
from tabiji.testing.mistakes import Notebook, authors

__tracebackhide__ = True


class OwnActivities:
    """Functions, by the names journeys call."""

    def __init__(self) -> None:
        self.played_by: dict[str, Callable[..., Any]] = {}

    async def call(self, name: str, arguments: Sequence[RawValue], notebook: Notebook) -> Any:
        """Let the function of this name answer.

        Raises:
            ApplicationError: As the function raised it, for journeys that know what to do then; else not retried.
        """
        id = activity.info().workflow_id or ""
        function = self.played_by.get(name)
        if function is None:
            words = (
                f"the own activity {name!r} has nobody to play it in this test. "
                f"Say who does: journeys.replace({name!r}, lambda payload: …)."
            )
            raise _final(notebook.say(id, words))
        try:
            answer = function(*_values(function, arguments))
            return await answer if inspect.isawaitable(answer) else answer
        except (ApplicationError, CancelledError):
            raise
        except Exception as error:
            notebook.fail(id, error, authors(error.__traceback__))
            raise _final(error) from None


def _values(function: Callable[..., Any], arguments: Sequence[RawValue]) -> list[Any]:
    """What a function is called with: an `OwnOrder` where it says so, else what the journey gave."""
    parameters = [
        p
        for p in inspect.signature(function).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    hints = get_type_hints(function)
    converter = activity.payload_converter()
    order = _order(arguments)
    if order is not None:
        wants_order = bool(parameters) and hints.get(parameters[0].name) is OwnOrder
        return [order if wants_order else order.payload][: len(parameters)]
    return [
        converter.from_payload(argument.payload, hints.get(parameter.name))  # type: ignore[arg-type] # None means: as it comes
        for argument, parameter in zip(arguments, parameters, strict=False)
    ]


def _order(arguments: Sequence[RawValue]) -> OwnOrder | None:
    """What `do` calls with; None for `workflow.execute_activity`."""
    if len(arguments) != 1:
        return None
    try:
        order: OwnOrder = activity.payload_converter().from_payload(arguments[0].payload, OwnOrder)
    except (ValidationError, ValueError, TypeError):
        return None
    return order


def _final(error: BaseException) -> ApplicationError:
    benign = ApplicationErrorCategory.BENIGN
    return ApplicationError(str(error), type=type(error).__name__, non_retryable=True, category=benign)
