"""How a journey calls its activities: timeouts and patience, so that no author has to think of them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from tabiji.domain.orders import SendEmail, StepOrder
from tabiji.journey.endings import cause_of
from tabiji.journey.urgency import urgency_of

R = TypeVar("R", bound=BaseModel)
T = TypeVar("T")

EFFECT_TIMEOUT = timedelta(seconds=60)
EFFECT_HEARTBEAT = timedelta(seconds=10)
"""After so long without a sign of life a worker counts as dead, and what it had in hand is given to another."""
EFFECT_RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5))
MAIL_RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=15))
"""Where a mailbox or its server asks for patience, coming back every moment is taken for spam. The sending activity
gives a mail up after a day, and says why: no journey waits for ever."""

# A database that is away must not fill every waiting history: three short tries, then an ordinary activity
# that waits with unlimited patience.
LOCAL_ATTEMPT = timedelta(seconds=2)
LOCAL_IN_ALL = timedelta(seconds=6)
LOCAL_RETRIES = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=3)
PATIENT_ATTEMPT = timedelta(seconds=10)
PATIENT_RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))


async def carry_out(order: StepOrder, answer: type[T], summary: str, activity: str | None = None) -> T:
    """An effect: an ordinary activity that finishes what it began even when the journey ends meanwhile."""
    done: T = await workflow.execute_activity(
        activity or order.activity,
        order,
        result_type=answer,
        start_to_close_timeout=EFFECT_TIMEOUT,
        heartbeat_timeout=EFFECT_HEARTBEAT,
        retry_policy=MAIL_RETRIES if isinstance(order, SendEmail) else EFFECT_RETRIES,
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        priority=urgency_of(order),
        summary=summary,
    )
    return done


async def bookkeep(order: StepOrder, answer: type[R], summary: str) -> R:
    """Write down or look up: one local activity, and an ordinary, patient one while the database is away."""
    try:
        quick: R = await workflow.execute_local_activity(
            order.activity,
            order,
            result_type=answer,
            start_to_close_timeout=LOCAL_ATTEMPT,
            schedule_to_close_timeout=LOCAL_IN_ALL,
            retry_policy=LOCAL_RETRIES,
            summary=summary,
        )
        return quick
    except FailureError as error:
        if is_cancelled_exception(error):
            raise asyncio.CancelledError from None
        cause = cause_of(error)
        if isinstance(cause, ApplicationError) and cause.non_retryable:
            raise
    patient: R = await workflow.execute_activity(
        order.activity,
        order,
        result_type=answer,
        start_to_close_timeout=PATIENT_ATTEMPT,
        retry_policy=PATIENT_RETRIES,
        summary=summary,
    )
    return patient
