"""Rates that hold over all processes together."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.batch import Pace
from models.database import database_time, insert, table

BURST = timedelta(seconds=1)
"""So much of an unused rate may be made up for at once."""


async def allowance(tx: AsyncConnection, name: str, rate: float, *, most: int) -> int:
    """How many may be done in this transaction, which thereby uses up the rate. 0 while another process is at it.

    Args:
        tx: Commits what it does together with the use of the rate.
        name: Of what has the rate.
        rate: A second.
        most: No more than this in one transaction.
    """
    paces = table(Pace)
    now = await database_time(tx)
    saved = max(BURST, timedelta(seconds=1 / rate))
    await tx.execute(insert(tx, Pace).values(name=name, at=now - saved).on_conflict_do_nothing())
    mine = select(paces.c.at).where(paces.c.name == name).with_for_update(skip_locked=True)
    used_up_to = await tx.scalar(mine)
    if used_up_to is None:
        return 0
    begins = max(used_up_to, now - saved)
    # A microsecond is lost where a rate does not divide a second.
    allowed = min(int((now - begins + timedelta(microseconds=10)).total_seconds() * rate), most)
    if allowed > 0:
        await tx.execute(
            update(paces).where(paces.c.name == name).values(at=begins + timedelta(seconds=allowed / rate))
        )
    return max(allowed, 0)
