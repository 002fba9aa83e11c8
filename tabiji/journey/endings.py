"""How a run of a journey comes to its end, and what failures of its activities say about that."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from tabiji.domain.conditions import Condition
from tabiji.domain.orders import Ending, Failure


class JourneyOver(asyncio.CancelledError):
    """The journey has ended while its steps were under way. No `except Exception` can catch it."""


class Overdue(Exception):  # no error: a step has been skipped
    """What became due during a pause is left out."""


@dataclass(frozen=True)
class Over:
    """How and why a run has ended."""

    ending: Ending
    reason: str
    goal: Condition | None = None
    goal_seq: int | None = None


def how_it_ended(cancelled: bool, failure: FailureError | None) -> Over:
    """The end of a run that no goal or exit has ended."""
    if cancelled:
        return Over(Ending.CANCELLED, "cancelled by hand")
    if failure is not None:
        cause = cause_of(failure)
        kind = cause.type if isinstance(cause, ApplicationError) and cause.type else type(cause).__name__
        return Over(Ending.FAILED, kind)
    return Over(Ending.COMPLETED, "went all the way")


def failure_in(error: FailureError | ExceptionGroup[Exception]) -> FailureError:
    """What makes a run fail. A task group tells several in one.

    Raises:
        ExceptionGroup: There is a mistake in the code among them: that is mended, and the run goes on.
    """
    if isinstance(error, FailureError):
        return error
    failures, mistakes = error.split(FailureError)
    if failures is None or mistakes is not None:
        raise error
    return failure_in(failures.exceptions[0])


def cause_of(error: FailureError) -> BaseException:
    """What an activity raised. A local activity's own error comes without the wrapper an ordinary one has."""
    return error.cause if isinstance(error, ActivityError) and error.cause else error


def failure_of(error: ActivityError) -> Failure:
    """What is kept of an activity that failed for good."""
    cause = cause_of(error)
    kind = cause.type if isinstance(cause, ApplicationError) and cause.type else type(cause).__name__
    return Failure(activity=error.activity_type, kind=kind, message=str(cause)[:500])


def failed(failure: Failure) -> ActivityError:
    """The same failure, told again."""
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=0,
        started_event_id=0,
        identity="",
        activity_type=failure.activity,
        activity_id="",
        retry_state=None,
    )
    error.__cause__ = ApplicationError(failure.message, type=failure.kind, non_retryable=True)
    return error


def erased(error: FailureError) -> bool:
    """Whether the contact is gone."""
    return _is(error, "unknown_contact")


def paused(error: FailureError) -> bool:
    """Whether a pause stands before the step. The activity has written down whom to tell when it is over."""
    return _is(error, "paused")


def _is(error: FailureError, code: str) -> bool:
    cause = cause_of(error)
    return isinstance(cause, ApplicationError) and cause.type == code
