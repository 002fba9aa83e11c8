"""What enrollments write about themselves: what they wait for now, and that they are over.

`listen` and `record` exclude each other per contact, so an event is found either by the look-back here or by the
listener there, whichever way the race goes. Everything here may run twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Table, delete, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import AnyRow, Database, insert, lock_contacts, table
from models.enroll import Entry, Pending, enroll, listener
from models.enrollment import Enrollment, Listener
from models.event import Event
from models.filters import may_match
from models.message import Message
from models.record import Outbox, goal_cause
from tabiji.domain.conditions import Condition
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import GOAL_STEP, Done, Ended, Enter, Entered, Happened, Heard, Listen
from tabiji.errors import UnknownEnrollment

UNSETTLED = ("deferred", "retry", "claimed")
"""States of a message nobody will send any more once its journey is over. One `on_wire` may have gone out."""


class Waits:
    """Listeners, look-backs, entries and endings."""

    def __init__(self, database: Database, catalog: Catalog, outbox: Outbox) -> None:
        self._database = database
        self._catalog = catalog
        self._outbox = outbox

    async def listen(self, order: Listen) -> Heard:
        """Write down what is waited for, and return the earliest event since entry that answers it.

        Raises:
            UnknownContact: The contact is gone.
            UnknownEnrollment: The enrollment is not in this database.
        """
        return await self._database.transact(lambda tx: self._listen(tx, order))

    async def _listen(self, tx: AsyncConnection, order: Listen) -> Heard:
        contact_id = (await lock_contacts(tx, [UUID(order.contact_id)]))[UUID(order.contact_id)].id
        if not await self._still_travels(tx, order):
            return Heard()
        await self._reassert(tx, order, contact_id)
        listeners = table(Listener)
        if order.done:
            key = tuple_(listeners.c.step, listeners.c.visit)
            await tx.execute(
                delete(listeners).where(listeners.c.enrollment_id == order.enrollment_id, key.in_(order.done))
            )
        goal = await self._earliest_goal(tx, order, contact_id)
        if goal is not None:
            return Heard(end=goal)
        events = await _since_entry(tx, order, contact_id, [order.condition])
        for event in events:
            if event.seq not in order.consumed and order.condition.matches(event.name, event.properties):
                return Heard(event=_happened(event, order.condition, order.step, order.visit))
        return Heard()

    async def _still_travels(self, tx: AsyncConnection, order: Listen) -> bool:
        """Whether this is the present speaking: a journey under way, or one that a reset in Temporal began again.

        A worker that hung, or a look-back whose journey reached its goal meanwhile, may get here after the end was
        written down. What it has to say is older than the end, and must not open the enrollment again.
        """
        enrollments = table(Enrollment)
        columns = select(enrollments.c.state, enrollments.c.ended_wall)
        row = (await tx.execute(columns.where(enrollments.c.id == order.enrollment_id))).one_or_none()
        if row is None:
            raise UnknownEnrollment(order.enrollment_id)
        if row.state == "running":
            return True
        if row.ended_wall is not None and order.wall <= row.ended_wall:
            return False
        if not await _another_runs(tx, order.enrollment_id):
            await tx.execute(
                update(enrollments)
                .where(enrollments.c.id == order.enrollment_id)
                .values(state="running", reason=None, ended_at=None)
            )
        return True

    async def _reassert(self, tx: AsyncConnection, order: Listen, contact_id: UUID) -> None:
        """Listener and goals stand, whatever a reset in the Temporal UI undid."""
        rows = [
            listener(order.enrollment_id, contact_id, GOAL_STEP, place, goal) for place, goal in enumerate(order.goals)
        ]
        rows.append(listener(order.enrollment_id, contact_id, order.step, order.visit, order.condition))
        statement = insert(tx, Listener)
        await tx.execute(
            statement.on_conflict_do_update(
                index_elements=["enrollment_id", "step", "visit"],
                set_={name: statement.excluded[name] for name in ("contact_id", "event", "condition")},
            ),
            rows,
        )

    async def _earliest_goal(self, tx: AsyncConnection, order: Listen, contact_id: UUID) -> Happened | None:
        if not order.goals:
            return None
        for event in await _since_entry(tx, order, contact_id, order.goals):
            for place, goal in enumerate(order.goals):
                if goal.matches(event.name, event.properties):
                    return _happened(event, goal, GOAL_STEP, place)
        return None

    async def ended(self, order: Ended) -> Done:
        """Keep the outcome, drop the listeners, settle what is left open, hand over where a goal says so."""

        async def work(tx: AsyncConnection) -> tuple[Pending, ...]:
            contact = (await lock_contacts(tx, [UUID(order.contact_id)]))[UUID(order.contact_id)]
            await self._settle(tx, order)
            if order.then is None:
                return ()
            # Usually entered by the transaction that reached the goal; not so when it was signalled by hand.
            entry = Entry(
                contact=contact,
                entered_at=order.at,
                entered_wall=order.wall,
                recorded_at=await self._database.now(tx),
                cause=goal_cause(order.enrollment_id),
                entry_seq=order.goal_seq,
                tempo=order.tempo if order.test else None,
                test=order.test,
            )
            return (await enroll(tx, self._catalog.get(order.then), entry)).pending

        self._outbox.offer(await self._database.transact(work))
        return Done()

    async def _settle(self, tx: AsyncConnection, order: Ended) -> None:
        enrollments, listeners, messages = table(Enrollment), table(Listener), table(Message)
        await tx.execute(
            update(enrollments)
            .where(enrollments.c.id == order.enrollment_id)
            .values(
                state=order.outcome.ending.value,
                reason=order.outcome.reason[:500],
                path=[passed.model_dump(mode="json") for passed in order.outcome.path],
                ended_at=order.at,
                ended_wall=order.wall,
                start_confirmed=True,
            )
        )
        await tx.execute(delete(listeners).where(listeners.c.enrollment_id == order.enrollment_id))
        reason = f"journey ended: {order.outcome.reason}"[:200]
        mine = messages.c.enrollment_id == order.enrollment_id
        await tx.execute(
            update(messages).where(mine, messages.c.state.in_(UNSETTLED)).values(state="dropped", reason=reason)
        )
        await tx.execute(
            update(messages).where(mine, messages.c.state == "on_wire").values(state="unknown", reason=reason)
        )

    async def enter(self, order: Enter) -> Entered:
        """Enter the contact into another journey, once for this step and visit. Tempo is inherited.

        Raises:
            UnknownContact: The contact is gone.
            UnknownJourney: The journey is not loaded here.
        """
        spec = self._catalog.get(order.journey)

        async def work(tx: AsyncConnection) -> tuple[Entered, tuple[Pending, ...]]:
            contact = (await lock_contacts(tx, [UUID(order.contact_id)]))[UUID(order.contact_id)]
            entry = Entry(
                contact=contact,
                entered_at=order.at,
                entered_wall=order.wall,
                recorded_at=await self._database.now(tx),
                cause=f"step:{order.key}",
                tempo=order.tempo if order.test else None,
                test=order.test,
            )
            enrolled = await enroll(tx, spec, entry)
            return enrolled.entered, enrolled.pending

        entered, pending = await self._database.transact(work)
        self._outbox.offer(pending)
        return entered


async def _another_runs(tx: AsyncConnection, enrollment_id: str) -> bool:
    enrollments: Table = table(Enrollment)
    mine = select(enrollments).where(enrollments.c.id == enrollment_id).subquery()
    found = await tx.scalar(
        select(enrollments.c.id).where(
            enrollments.c.contact_id == mine.c.contact_id,
            enrollments.c.journey == mine.c.journey,
            enrollments.c.entry_key == mine.c.entry_key,
            enrollments.c.state == "running",
            enrollments.c.id != enrollment_id,
        )
    )
    return found is not None


async def _since_entry(
    tx: AsyncConnection, order: Listen, contact_id: UUID, conditions: Sequence[Condition]
) -> Sequence[AnyRow]:
    events = table(Event)
    found = await tx.execute(
        select(events.c.seq, events.c.name, events.c.properties, events.c.at)
        .where(
            events.c.contact_id == contact_id,
            events.c.name.in_({condition.event for condition in conditions}),
            events.c.seq > order.entry_seq,
            or_(*(may_match(events, condition) for condition in conditions)),
            or_(events.c.enrollment_id.is_(None), events.c.enrollment_id == order.enrollment_id),
        )
        .order_by(events.c.seq)
    )
    return found.all()


def _happened(event: AnyRow, condition: Condition, step: str, visit: int) -> Happened:
    return Happened(
        event=event.name,
        seq=event.seq,
        at=event.at,
        properties=condition.taken(event.properties),
        step=step,
        visit=visit,
    )
