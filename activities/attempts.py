"""What an activity knows of the attempt it is in, and the one way to carry an order out once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from temporalio import activity

from models.change import Change, Moment
from models.control import gate
from models.effect import answered, keep
from models.ledger import Attempt
from models.record import Recorder
from tabiji.domain.orders import StepOrder

A = TypeVar("A", bound=BaseModel)
Order = TypeVar("Order", bound=StepOrder)

_UNLIMITED = timedelta(minutes=5)


async def once(
    recorder: Recorder, order: Order, answer: type[A], work: Callable[[Change, Order], Coroutine[Any, Any, A]]
) -> A:
    """Change the contact as an order says, unless an earlier attempt has: then answer what it answered.

    Raises:
        UnknownContact: The contact is gone. Not retried.
        Paused: Not now. Nothing was done.
    """

    async def under_lock(change: Change) -> A:
        done = await answered(change.tx, order, answer)
        if done is not None:
            return done
        await gate(change.tx, order, change.contact.id)
        came_to = await work(change, order)
        await keep(change.tx, order, came_to, contact_id=change.contact.id, recorded_at=change.recorded_at)
        return came_to

    return await recorder.change(UUID(order.contact_id), under_lock, source=order.key, moment=moment_of(order))


def moment_of(order: StepOrder) -> Moment:
    """When an order is carried out."""
    info = activity.info()
    return Moment(by_now(order).at, info.started_time, order.tempo, order.test)


def by_now(order: Order) -> Order:
    """The order at the journey time of this attempt.

    An order keeps its time over all its retries. Ordered at nine in the evening and carried out when the relay is
    back at midnight, it would pass for nine in the evening. Both instants are the server's, skipped time included.
    """
    return order.model_copy(update={"at": order.at + tried_for() * order.tempo})


def tried_for() -> timedelta:
    """Since when this has been ordered, by the server's clock, skipped time included."""
    info = activity.info()
    return max(info.started_time - info.scheduled_time, timedelta(0))


def span() -> timedelta:
    """How long this attempt may take."""
    return activity.info().start_to_close_timeout or _UNLIMITED


def deadline() -> float:
    """When Temporal gives this attempt up, on the loop's clock."""
    return asyncio.get_running_loop().time() + span().total_seconds()


def attempt() -> Attempt:
    """This attempt, as the ledger of messages asks for it."""
    info = activity.info()
    return Attempt(run_id=info.workflow_run_id or "", activity_id=info.activity_id, number=info.attempt, span=span())
