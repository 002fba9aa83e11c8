"""Many people in an experiment, written straight into the tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from models.base import new_id
from models.bulk import Rows
from models.contact import Contact
from models.database import Database
from models.event import Event
from models.experiments import Exposing, keep
from tabiji.domain.conditions import on
from tabiji.domain.experiments import Draw, Drawn, design

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=30)
BOUGHT = on("Order Completed")
_CONTACTS = Rows(Contact, ("id", "attributes", "score", "created_at", "recorded_at"))
_EVENTS = Rows(Event, ("contact_id", "kind", "name", "properties", "context", "message_id", "at", "recorded_at"))


def asked(name: str = "subject", *arms: str, **more: Any) -> Draw:
    """An experiment of these arms, in equal shares."""
    names = arms or ("plain", "warm")
    return Draw(experiment=name, arms=names, weights=(1.0,) * len(names), design=design(BOUGHT, **more))


async def crowd(
    database: Database,
    draw: Draw,
    arms: Mapping[str, tuple[int, int]],
    *,
    at: datetime = NOON,
    after: timedelta = timedelta(days=1),
    properties: Mapping[str, Any] | None = None,
    test: bool = False,
    **drawn: Any,
) -> list[UUID]:
    """Give so many people each arm, and let so many of them buy after a while."""
    given: list[Exposing] = []
    bought: list[UUID] = []
    for arm, (people, converted) in arms.items():
        ids = [new_id() for _ in range(people)]
        given += [Exposing(contact_id=id, drawn=Drawn(arm=arm, **drawn), at=at, test=test) for id in ids]
        bought += ids[:converted]
    async with database.write() as tx:
        await _CONTACTS.write(tx, [(one.contact_id, {}, 0, NOON, NOON) for one in given])
        await keep(tx, draw, given)
        await _EVENTS.write(
            tx,
            [
                (
                    id,
                    "track",
                    "Order Completed",
                    dict(properties or {}),
                    {},
                    f"{draw.experiment}/{id}",
                    at + after,
                    NOON,
                )
                for id in bought
            ],
        )
    return [one.contact_id for one in given]
