"""Who is in a group that gets no marketing, for comparison."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.bulk import among
from models.database import table
from models.exposure import Exposure
from tabiji.domain.experiments import Draw, Drawn, assign
from tabiji.domain.sending.held_out import HELD_OUT, TREATED


async def held_out(
    tx: AsyncConnection, contacts: Sequence[UUID], holdouts: Iterable[Draw]
) -> dict[UUID, frozenset[str]]:
    """Names of those of these groups each contact is in. Who was in it stays in it, whatever the share is now."""
    asked = {one.experiment: one for one in holdouts}
    if not asked:
        return {}
    known = await _known(tx, contacts, asked)
    return {
        contact: frozenset(
            name
            for name, one in asked.items()
            if (known.get((contact, name)) or assign(name, str(contact), one.arms, one.weights)) == HELD_OUT
        )
        for contact in contacts
    }


def drawn(experiment: str, groups: frozenset[str]) -> Drawn:
    """The arm of somebody who is in these groups."""
    return Drawn(arm=HELD_OUT if experiment in groups else TREATED)


async def _known(tx: AsyncConnection, contacts: Sequence[UUID], names: Collection[str]) -> dict[tuple[UUID, str], str]:
    exposures = table(Exposure)
    query = select(exposures.c.contact_id, exposures.c.experiment, exposures.c.arm).where(
        among(tx, exposures.c.contact_id, contacts), exposures.c.experiment.in_(sorted(names))
    )
    return {(row.contact_id, row.experiment): row.arm for row in await tx.execute(query)}
