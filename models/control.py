"""The gate every effect passes: asked in the transaction that decides about it, with the contact locked.

    contact = await admit(tx, order)        # locks the contact; raises Paused where a pause reaches it
    ...                                     # only now: what the effect changes

A pause is a row, read here. Who meets it is put on the list of those to be told when it is over, and that must
stand although nothing else is done: `Database.write` commits when `Paused` leaves the transaction. So ask before the
first change.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import AnyRow, Database, database_time, insert, lock_contacts, table
from models.pause import Held, Pause, Scope
from tabiji.domain.orders import StepOrder
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


async def pass_gate(database: Database, order: StepOrder) -> None:
    """The same for an effect that has no transaction of its own, just before it begins.

    Raises:
        UnknownContact: The contact is gone.
        Paused: See `admit`.
    """

    async def work(tx: AsyncConnection) -> None:
        await admit(tx, order)

    await database.transact(work)


async def gate(tx: AsyncConnection, order: StepOrder, contact_id: UUID | None = None) -> None:
    """`admit` for a transaction that has locked the contact already; `contact_id` where it was merged into another.

    Raises:
        Paused: See `admit`.
    """
    pauses = table(Pause)
    contacts = {order.contact_id, str(contact_id or order.contact_id)}
    reaching = select(pauses.c.id, pauses.c.since_wall).where(
        pauses.c.resumed_at.is_(None), _reaches(order.enrollment_id, contacts)
    )
    met = (await tx.execute(reaching.order_by(pauses.c.since_wall).limit(1))).one_or_none()
    if met is None:
        return
    row = {
        "enrollment_id": order.enrollment_id,
        "journey": order.enrollment_id.partition("/")[0],
        "contact_id": str(contact_id or order.contact_id),
        "pause_id": met.id,
        "since_wall": met.since_wall,
        "recorded_at": await database_time(tx),
    }
    # Whoever is held already goes on counting from the first pause they met.
    await tx.execute(insert(tx, Held).values(**row).on_conflict_do_nothing())
    raise Paused(order.enrollment_id)


def _reaches(enrollment_id: str, contacts: set[str]) -> ColumnElement[bool]:
    pauses = table(Pause)

    def are(scope: Scope, *targets: str) -> ColumnElement[bool]:
        return and_(pauses.c.scope == scope.value, pauses.c.target.in_(targets))

    return or_(
        are(Scope.EVERYTHING, ""),
        are(Scope.JOURNEY, enrollment_id.partition("/")[0]),
        are(Scope.CONTACT, *sorted(contacts)),
        are(Scope.ENROLLMENT, enrollment_id),
    )
