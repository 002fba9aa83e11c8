"""Decides experiments: by the test, where its author wants that, or by a person. Who has an arm keeps it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import AnyRow, Database, database_time, table
from models.experiment import Experiment
from models.reads.experiments import reading_of
from tabiji.domain.experiments import Design
from tabiji.domain.stats.verdict import Reading, Verdict
from tabiji.errors import InvalidChange, UnknownExperiment

BY_THE_TEST = "the test"
WEIGHED_EVERY = timedelta(minutes=1)


async def decide(database: Database, name: str, arm: str | None, *, by: str, reason: str | None = None) -> None:
    """Give everybody who has no arm yet this one, from now on. None: let the experiment go on.

    Raises:
        UnknownExperiment: Nobody has been put into one of that name, or it has no such arm.
        InvalidChange: It is a holdout.
    """

    async def work(tx: AsyncConnection) -> None:
        rows = table(Experiment)
        row = (await tx.execute(select(rows).where(rows.c.name == name).with_for_update())).one_or_none()
        if row is None:
            raise UnknownExperiment(name)
        if row.kind == "holdout":
            raise InvalidChange(
                f"experiment {name!r}", "is a holdout: its share is a setting, or stands at its journey"
            )
        if arm is not None and arm not in row.arms:
            raise UnknownExperiment(name, arm, tuple(row.arms))
        await _decided(tx, name, arm, by=by, reason=reason)

    await database.transact(work)


async def weigh(database: Database, *, now: datetime) -> list[str]:
    """Weigh the experiments whose turn it is: decide those that decide by themselves, and count for bandits.

    Several processes may do it: each experiment is taken by one of them.

    Args:
        database: Where they are.
        now: Journey time.

    Returns:
        Names of those that were decided.
    """
    done: list[str] = []
    while (row := await database.transact(_take)) is not None:
        async with database.read() as tx:
            reading, _, design = await reading_of(tx, row, now=now)
        if await _weighed(database, row, reading, design):
            done.append(row.name)
    return done


async def _take(tx: AsyncConnection) -> AnyRow | None:
    """The next one that is worth weighing, marked as weighed now; None: there is none for a while."""
    rows, now = table(Experiment), await database_time(tx)
    wants = (rows.c.design["winner"].as_string() == "auto") | (rows.c.design["method"].as_string() == "bandit")
    due = or_(rows.c.weighed_at.is_(None), rows.c.weighed_at < now - WEIGHED_EVERY)
    query = select(rows).where(rows.c.decided.is_(None), wants, due).order_by(rows.c.name).limit(1)
    row = (await tx.execute(query.with_for_update(skip_locked=True))).one_or_none()
    if row is not None:
        await tx.execute(update(rows).where(rows.c.name == row.name).values(weighed_at=now))
    return row


async def _weighed(database: Database, row: AnyRow, reading: Reading, design: Design) -> bool:
    counted = {arm: [tally.people, tally.converted] for arm, tally in reading.tallies.items()}
    wins = design.winner == "auto" and reading.verdict is Verdict.WINNER

    async def work(tx: AsyncConnection) -> bool:
        rows = table(Experiment)
        mine = rows.c.name == row.name
        await tx.execute(update(rows).where(mine).values(counted=counted))
        # Whoever has decided meanwhile knew more than the figures.
        open_ = await tx.scalar(select(rows.c.decided).where(mine).with_for_update()) is None
        if wins and open_:
            await _decided(tx, row.name, reading.winner, by=BY_THE_TEST, reason=_reason(reading))
        return wins and open_

    return await database.transact(work)


async def _decided(tx: AsyncConnection, name: str, arm: str | None, *, by: str, reason: str | None) -> None:
    rows = table(Experiment)
    values = {"decided": arm, "decided_by": by, "decided_at": await database_time(tx), "reason": reason}
    # Opened again by a person: who, when and why stays written down.
    await tx.execute(update(rows).where(rows.c.name == name).values(**values))


def _reason(reading: Reading) -> str:
    figures = ", ".join(
        f"{arm} {tally.converted} of {tally.people} ({tally.rate:.1%})" for arm, tally in reading.tallies.items()
    )
    return f"better than every other arm, p = {reading.p:.4f}: {figures}"[:500]
