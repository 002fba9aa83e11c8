"""Merges one contact into another: everything that is of the one is of the other from now on.

Every table with a contact in it is followed, also one that is new. Where a row of both cannot stand side by side (the
same tag, the same list), the one that stays is kept; what else there is to decide has a function here.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Column, String, Table, UniqueConstraint, Uuid, and_, cast, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

import models
from models.base import metadata
from models.contact import Contact, Identity
from models.database import AnyRow, table
from models.duplicate import Duplicate
from models.enroll import Pending, dispatch
from models.enrollment import Enrollment
from models.exposure import Exposure
from models.pause import Pause, Scope
from models.roster import StageEntry
from tabiji.domain.orders import EXIT_STEP, Happened

MERGED = "merged"
"""Why an enrollment ended that the other contact was in too."""

DECIDED = frozenset(table(one).name for one in (Contact, Identity, Enrollment, Duplicate))
"""Tables that are not simply followed: each has its rule here or in `models.moves`."""


async def everything_to(
    tx: AsyncConnection, loser: AnyRow, winner: UUID, *, at: datetime, recorded_at: datetime
) -> list[Pending]:
    """Give all that is one contact's to another. Both are locked.

    Returns:
        What ends the journeys both were in: each goes on for whom it began first.
    """
    ended = await _enrollments(tx, loser.id, winner, at=at)
    await _earlier_exposures(tx, loser.id, winner)
    for rows, column in followed():
        await _follow(tx, rows, column, loser.id, winner)
    await _pairs(tx, loser.id, winner)
    await _pauses(tx, loser.id, winner, recorded_at)
    await _contact(tx, loser, winner)
    return [
        await dispatch(tx, winner, id, kind="signal", happened=Happened(event=MERGED, step=EXIT_STEP), now=recorded_at)
        for id in ended
    ]


def followed() -> Iterator[tuple[Table, Column[Any]]]:
    """Tables that are followed, and the column with the contact in it."""
    every_table()
    for rows in metadata.sorted_tables:
        if rows.name not in DECIDED:
            yield from ((rows, column) for column in rows.c if names_a_contact(column))


@cache
def every_table() -> None:
    """Import all of `models`: a table that nobody in this process has asked for has contacts in it all the same."""
    for found in pkgutil.walk_packages(models.__path__, "models."):
        importlib.import_module(found.name)


def names_a_contact(column: Column[Any]) -> bool:
    """Whether a column has contacts in it: by its name, or because it refers to them."""
    refers = any(str(key.target_fullname) == "contact.id" for key in column.foreign_keys)
    return refers or column.name == "contact_id"


async def _follow(tx: AsyncConnection, rows: Table, column: Column[Any], loser: UUID, winner: UUID) -> None:
    as_text = not isinstance(column.type, Uuid)
    old, new = (str(loser), str(winner)) if as_text else (loser, winner)
    for others in _beside(rows, column):
        there = rows.alias()
        same = and_(there.c[column.name] == new, *(there.c[one.name] == one for one in others))
        await tx.execute(delete(rows).where(column == old, select(1).where(same).exists()))
    await tx.execute(update(rows).where(column == old).values({column.name: new}))


def _beside(rows: Table, column: Column[Any]) -> Iterator[list[Column[Any]]]:
    """Of each rule by which rows of one contact differ, the columns in which they do."""
    unique = [[*rows.primary_key.columns]]
    unique += [[*one.columns] for one in rows.constraints if isinstance(one, UniqueConstraint)]
    unique += [[*(rows.c[one.name] for one in index.columns)] for index in rows.indexes if index.unique]
    for together in unique:
        if column.name in {one.name for one in together}:
            yield [one for one in together if one.name != column.name]


async def _enrollments(tx: AsyncConnection, loser: UUID, winner: UUID, *, at: datetime) -> list[str]:
    """Number the one's after the other's. Of two under way in the same journey the later ends here and now."""
    rows = table(Enrollment)
    columns = select(
        rows.c.id, rows.c.contact_id, rows.c.journey, rows.c.n, rows.c.entry_key, rows.c.state, rows.c.entered_at
    )
    theirs = (await tx.execute(columns.where(rows.c.contact_id.in_((loser, winner))).order_by(rows.c.n))).all()
    running = {
        (row.journey, row.entry_key): row for row in theirs if row.contact_id == winner and row.state == "running"
    }
    last: dict[str, int] = {}
    for row in theirs:
        if row.contact_id == winner:
            last[row.journey] = row.n
    ended: list[str] = []
    for row in theirs:
        if row.contact_id == winner:
            continue
        other = running.get((row.journey, row.entry_key)) if row.state == "running" else None
        if other is not None:
            later = max(row, other, key=lambda one: (one.entered_at, one.id))
            over = {"state": "exited", "reason": MERGED, "ended_at": at}
            await tx.execute(update(rows).where(rows.c.id == later.id).values(**over))
            ended.append(later.id)
        last[row.journey] = last.get(row.journey, 0) + 1
        await tx.execute(update(rows).where(rows.c.id == row.id).values(contact_id=winner, n=last[row.journey]))
    return ended


async def _earlier_exposures(tx: AsyncConnection, loser: UUID, winner: UUID) -> None:
    """Of an experiment both are in, the arm they were in first counts."""
    rows = table(Exposure)
    earlier = rows.alias()
    same = and_(earlier.c.contact_id == loser, earlier.c.experiment == rows.c.experiment, earlier.c.id < rows.c.id)
    await tx.execute(delete(rows).where(rows.c.contact_id == winner, select(1).where(same).exists()))


async def _pairs(tx: AsyncConnection, loser: UUID, winner: UUID) -> None:
    """Pairs of contacts who may be one: the pair of these two is settled by this, and leads nowhere any more."""
    rows = table(Duplicate)
    theirs = (await tx.execute(select(rows).where((rows.c.one == loser) | (rows.c.other == loser)))).all()
    for row in theirs:
        one, other = sorted(winner if contact == loser else contact for contact in (row.one, row.other))
        taken = await tx.scalar(select(rows.c.id).where(rows.c.one == one, rows.c.other == other))
        if one != other and taken is None:
            await tx.execute(update(rows).where(rows.c.id == row.id).values(one=one, other=other))


async def _pauses(tx: AsyncConnection, loser: UUID, winner: UUID, recorded_at: datetime) -> None:
    rows = table(Pause)
    of_contact = (rows.c.scope == Scope.CONTACT.value) & rows.c.resumed_at.is_(None)
    theirs = await tx.scalar(select(rows.c.id).where(of_contact, rows.c.target == str(winner)))
    mine = update(rows).where(of_contact, rows.c.target == str(loser))
    if theirs is None:
        await tx.execute(mine.values(target=str(winner)))
    else:
        await tx.execute(mine.values(resumed_at=recorded_at, resumed_by=MERGED))


async def _contact(tx: AsyncConnection, loser: AnyRow, winner: UUID) -> None:
    """The row itself: the points of both, the latest stage, the earlier beginning; what led to the one leads on."""
    rows, stages = table(Contact), table(StageEntry)
    latest = (
        select(stages.c.stage).where(stages.c.contact_id == winner).order_by(stages.c.at.desc(), stages.c.id.desc())
    )
    stage = await tx.scalar(latest.limit(1))
    await tx.execute(
        update(rows)
        .where(rows.c.id == winner)
        .values(
            score=rows.c.score + loser.score,
            stage=stage or func.coalesce(rows.c.stage, cast(loser.stage, String)),
            created_at=func.min(rows.c.created_at, loser.created_at)
            if tx.dialect.name == "sqlite"
            else func.least(rows.c.created_at, loser.created_at),
        )
    )
    await tx.execute(
        update(rows)
        .where((rows.c.id == loser.id) | (rows.c.merged_into == loser.id))
        .values(merged_into=winner, email=None)
    )
