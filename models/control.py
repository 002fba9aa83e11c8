"""The gate every effect passes: asked in the transaction that decides about it, with the contact locked.

    contact = await admit(tx, order)        # locks the contact; raises Paused where a pause reaches it
    ...                                     # only now: what the effect changes

A pause is a row, read here. Who meets it is put on the list of those to be told when it is over, and that must
stand although nothing else is done: `Database.write` commits when `Paused` leaves the transaction. So ask before the
first change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.breaker import Asked, watch_effect
from models.bulk import among
from models.database import AnyRow, Database, database_time, insert, lock_contacts, table
from models.effect import keep
from models.pause import Held, Pause, Scope
from tabiji.domain.changes import OwnOrder
from tabiji.domain.orders import Done, StepOrder
from tabiji.errors import Paused


async def admit(tx: AsyncConnection, order: StepOrder) -> AnyRow:
    """Lock the order's contact and make sure that no pause reaches its enrollment. Returns the contact's row.

    Raises:
        UnknownContact: The contact is gone.
        Paused: Nothing may be done now. Who met the pause is written down and told when it is over.
    """
    contact = (await lock_contacts(tx, [UUID(order.contact_id)]))[UUID(order.contact_id)]
    await gate(tx, order, contact.id)
    return contact


async def everything_is_paused(tx: AsyncConnection) -> bool:
    """Whether somebody has stopped all that goes out."""
    pauses = table(Pause)
    stopped = (pauses.c.scope == Scope.EVERYTHING.value) & pauses.c.resumed_at.is_(None)
    return (await tx.execute(select(pauses.c.id).where(stopped).limit(1))).first() is not None


async def pass_gate(database: Database, order: StepOrder) -> None:
    """The same for an effect that has no transaction of its own, just before it begins.

    Raises:
        UnknownContact: The contact is gone.
        Paused: See `admit`.
    """

    async def work(tx: AsyncConnection) -> None:
        contact = await admit(tx, order)
        if _is_own(order):
            # What an author's own activity does leaves no other trace here, and counts among what is done to people.
            await keep(tx, order, Done(), contact_id=contact.id, recorded_at=await database_time(tx))

    await database.transact(work)


def _is_own(order: StepOrder) -> bool:
    return isinstance(order, OwnOrder)


async def gate(tx: AsyncConnection, order: StepOrder, contact_id: UUID | None = None) -> None:
    """`admit` for a transaction that has locked the contact already; `contact_id` where it was merged into another.

    Raises:
        Paused: See `admit`.
    """
    contacts = frozenset({order.contact_id, str(contact_id or order.contact_id)})
    locked = str(contact_id or order.contact_id)
    effect = Effect(locked, contacts, order.enrollment_id, key=order.key, at=order.at, test=order.test)
    [met] = await met_by(tx, [effect])
    if met is not None:
        raise met


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that is to be done to a contact, by a journey or by a broadcast."""

    contact_id: str
    contacts: frozenset[str]
    """It, and what it was merged from."""
    enrollment_id: str | None = None
    broadcast_id: str | None = None
    key: str = ""
    at: datetime | None = None
    """Journey time. Absent: the breaker does not count it."""
    test: bool = False

    @property
    def journey(self) -> str | None:
        """Whose enrollment it is of."""
        return self.enrollment_id.partition("/")[0] if self.enrollment_id else None


async def met_by(tx: AsyncConnection, effects: Sequence[Effect]) -> list[Paused | None]:
    """Of each effect the pause it meets. Enrollments that meet one are put on the list of those to be told."""
    for effect in effects:
        if effect.journey is not None and effect.at is not None:
            asked = Asked(UUID(effect.contact_id), effect.journey, effect.key, effect.at, effect.test)
            await watch_effect(tx, asked)
    met = await _earliest(tx, effects)
    held = [
        {
            "enrollment_id": effect.enrollment_id,
            "journey": effect.journey,
            "contact_id": effect.contact_id,
            "pause_id": pause.id,
            "since_wall": pause.since_wall,
        }
        for effect, pause in zip(effects, met, strict=True)
        if pause is not None and effect.enrollment_id is not None
    ]
    if held:
        recorded_at = await database_time(tx)
        rows = [row | {"recorded_at": recorded_at} for row in held]
        # Whoever is held already goes on counting from the first pause they met.
        await tx.execute(insert(tx, Held).values(rows).on_conflict_do_nothing())
    return [
        None if pause is None else Paused(effect.enrollment_id or effect.broadcast_id or effect.contact_id)
        for effect, pause in zip(effects, met, strict=True)
    ]


async def _earliest(tx: AsyncConnection, effects: Sequence[Effect]) -> list[AnyRow | None]:
    pauses = table(Pause)

    def are(scope: Scope, targets: Iterable[str | None]) -> Iterator[ColumnElement[bool]]:
        named = sorted({target for target in targets if target is not None})
        if named:
            same = among(tx, pauses.c.target, named) if len(named) > 1 else pauses.c.target == named[0]
            yield and_(pauses.c.scope == scope.value, same)

    reaching = or_(
        *are(Scope.EVERYTHING, [""]),
        *are(Scope.JOURNEY, (effect.journey for effect in effects)),
        *are(Scope.CONTACT, (contact for effect in effects for contact in effect.contacts)),
        *are(Scope.ENROLLMENT, (effect.enrollment_id for effect in effects)),
        *are(Scope.BROADCAST, (effect.broadcast_id for effect in effects)),
    )
    query = select(pauses.c.id, pauses.c.scope, pauses.c.target, pauses.c.since_wall)
    rows = (await tx.execute(query.where(pauses.c.resumed_at.is_(None), reaching).order_by(pauses.c.since_wall))).all()
    if not rows:
        return [None] * len(effects)
    first: dict[tuple[str, str], tuple[int, AnyRow]] = {}
    for place, row in enumerate(rows):
        first.setdefault((row.scope, row.target), (place, row))
    return [_first(first, effect) for effect in effects]


def _first(pauses: Mapping[tuple[str, str], tuple[int, AnyRow]], effect: Effect) -> AnyRow | None:
    reached_as = (
        (Scope.EVERYTHING, ""),
        (Scope.JOURNEY, effect.journey),
        *((Scope.CONTACT, contact) for contact in effect.contacts),
        (Scope.ENROLLMENT, effect.enrollment_id),
        (Scope.BROADCAST, effect.broadcast_id),
    )
    found = [
        pauses[key] for scope, target in reached_as if target is not None and (key := (scope.value, target)) in pauses
    ]
    return min(found, key=lambda one: one[0])[1] if found else None
