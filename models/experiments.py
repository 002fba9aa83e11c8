"""Puts contacts into the arms of experiments, once and for all: one, or a page of them.

`drawn` says which arm each has or would get, and writes nothing; `keep` writes down what was drawn, under the contacts'
locks, and says what holds. Between the two somebody may have been given another arm: then that one holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.bulk import Rows, among
from models.database import AnyRow, database_time, insert, table
from models.experiment import Experiment
from models.exposure import Exposure
from tabiji.domain.attributes import LONGEST_NAME, problem_with_name
from tabiji.domain.changes import Expose
from tabiji.domain.experiments import Draw, Drawn, draw, problem_with
from tabiji.domain.stats.tally import Tally
from tabiji.errors import InvalidChange

_EXPOSURES = Rows(
    Exposure,
    (
        "contact_id",
        "experiment",
        "arm",
        "weights",
        "chosen",
        "enrollment_id",
        "broadcast_id",
        "step",
        "test",
        "at",
        "recorded_at",
    ),
    unless="contact_id, experiment",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposing:
    """One contact is given an arm, and where. `at` is journey time."""

    contact_id: UUID
    drawn: Drawn
    at: datetime
    enrollment_id: str | None = None
    broadcast_id: UUID | None = None
    step: str = ""
    test: bool = False


async def expose(tx: AsyncConnection, contact: AnyRow, order: Expose, *, recorded_at: datetime) -> str:
    """The arm a contact has, from now on. The contact must be locked by this transaction.

    Who has an arm keeps it, whatever the weights are now, and in every journey that asks.

    Raises:
        InvalidChange: Nobody can be assigned to such arms and weights.
    """
    known = await arms_of(tx, order.experiment, [contact.id])
    if contact.id in known:
        return known[contact.id]
    asked = order.draw()
    found = await drawn(tx, asked, [contact.id])
    given = Exposing(
        contact_id=contact.id,
        drawn=found[contact.id],
        at=order.at,
        enrollment_id=order.enrollment_id,
        step=order.step,
        test=order.test,
    )
    return (await keep(tx, asked, [given], recorded_at=recorded_at))[contact.id]


async def arms_of(tx: AsyncConnection, experiment: str, contacts: Sequence[UUID]) -> dict[UUID, str]:
    """The arms contacts have, of those who have one."""
    exposures = table(Exposure)
    query = select(exposures.c.contact_id, exposures.c.arm).where(
        among(tx, exposures.c.contact_id, contacts), exposures.c.experiment == experiment
    )
    return {row.contact_id: row.arm for row in await tx.execute(query)}


async def drawn(tx: AsyncConnection, asked: Draw, contacts: Sequence[UUID]) -> dict[UUID, Drawn]:
    """The arm each contact has, or would be given now. Two statements, however many they are; nothing is written.

    Raises:
        InvalidChange: Nobody can be assigned to such arms and weights.
    """
    check(asked)
    known = await arms_of(tx, asked.experiment, contacts)
    left = [contact for contact in contacts if contact not in known]
    row = await _row(tx, asked.experiment) if left else None
    decided = row.decided if row is not None else None
    counted = _tallies(row.counted) if row is not None else {}
    found = {contact: Drawn(arm=arm) for contact, arm in known.items()}
    return found | {contact: draw(asked, str(contact), decided=decided, counted=counted) for contact in left}


async def keep(
    tx: AsyncConnection, asked: Draw, given: Sequence[Exposing], *, recorded_at: datetime | None = None
) -> dict[UUID, str]:
    """Write down who was given which arm; the contacts are locked. Who has one keeps it.

    Returns:
        The arm each contact has now.
    """
    now = recorded_at or await database_time(tx)
    await _know(tx, asked, now)
    shares = asked.shares
    rows = [
        (
            one.contact_id,
            asked.experiment,
            one.drawn.arm,
            shares,
            one.drawn.chosen,
            one.enrollment_id,
            one.broadcast_id,
            one.step,
            one.test,
            one.at,
            now,
        )
        for one in given
    ]
    if await _EXPOSURES.write(tx, rows) == len(rows):
        return {one.contact_id: one.drawn.arm for one in given}
    return await arms_of(tx, asked.experiment, [one.contact_id for one in given])


def check(asked: Draw) -> None:
    """Hold an experiment against what can be kept.

    Raises:
        InvalidChange: Nobody can be assigned to such arms and weights.
    """
    if (problem := problem_with(asked.arms, asked.weights)) is not None:
        raise InvalidChange(f"experiment {asked.experiment!r}", problem)
    if (problem := next(filter(None, map(problem_with_name, (asked.experiment, *asked.arms))), None)) is not None:
        raise InvalidChange(f"experiment {asked.experiment[:LONGEST_NAME]!r} or one of its arms", problem)


async def _know(tx: AsyncConnection, asked: Draw, now: datetime) -> None:
    """Write the experiment down as the code declares it, where it is not there like that."""
    rows = table(Experiment)
    declared: dict[str, Any] = {
        "kind": asked.kind,
        "arms": list(asked.arms),
        "weights": asked.shares,
        "design": asked.design.model_dump(mode="json"),
    }
    there = await _row(tx, asked.experiment)
    if there is None:
        new = insert(tx, Experiment).values(name=asked.experiment, counted={}, recorded_at=now, **declared)
        await tx.execute(new.on_conflict_do_nothing(index_elements=["name"]))
    elif any(getattr(there, name) != value for name, value in declared.items()):
        await tx.execute(update(rows).where(rows.c.name == asked.experiment).values(**declared))


async def _row(tx: AsyncConnection, experiment: str) -> AnyRow | None:
    rows = table(Experiment)
    return (await tx.execute(select(rows).where(rows.c.name == experiment))).one_or_none()


def _tallies(counted: Mapping[str, Any]) -> dict[str, Tally]:
    return {arm: Tally(*numbers) for arm, numbers in counted.items()}
