"""Puts contacts into the arms of experiments, once and for all."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import AnyRow, insert, table
from models.exposure import Exposure
from tabiji.domain.attributes import LONGEST_NAME, problem_with_name
from tabiji.domain.changes import Expose
from tabiji.domain.experiments import assign, problem_with
from tabiji.errors import InvalidChange


async def expose(tx: AsyncConnection, contact: AnyRow, order: Expose, *, recorded_at: datetime) -> str:
    """The arm a contact has, from now on. The contact must be locked by this transaction.

    Who has an arm keeps it, whatever the weights are now, and in every journey that asks.

    Raises:
        InvalidChange: Nobody can be assigned to such arms and weights.
    """
    exposures = table(Exposure)
    mine = (exposures.c.contact_id == contact.id) & (exposures.c.experiment == order.experiment)
    known: str | None = await tx.scalar(select(exposures.c.arm).where(mine))
    if known is not None:
        return known
    if (problem := problem_with(order.arms, order.weights)) is not None:
        raise InvalidChange(f"experiment {order.experiment!r}", problem)
    if (problem := next(filter(None, map(problem_with_name, (order.experiment, *order.arms))), None)) is not None:
        raise InvalidChange(f"experiment {order.experiment[:LONGEST_NAME]!r} or one of its arms", problem)
    arm = assign(order.experiment, str(contact.id), order.arms, order.weights)
    await tx.execute(
        insert(tx, Exposure).values(
            contact_id=contact.id,
            experiment=order.experiment,
            arm=arm,
            weights=dict(zip(order.arms, order.weights, strict=True)),
            enrollment_id=order.enrollment_id,
            step=order.step,
            test=order.test,
            at=order.at,
            recorded_at=recorded_at,
        )
    )
    return arm
