"""What enrollments write about themselves: what they wait for now, and that they are over.

`listen` and `record` exclude each other per contact, so an event is found either by the look-back here or by the
listener there, whichever way the race goes. Everything here may run twice.
"""

from __future__ import annotations

from datetime import UTC, tzinfo
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Table, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import listeners
from models.approvals import close_approvals
from models.change import Change, Moment
from models.clock import SystemClock
from models.closing import cancel, tell_parent
from models.control import admit
from models.database import Database, lock_contacts, table
from models.effect import keep
from models.enroll import Entry, Pending, enroll
from models.enrollment import Enrollment, Listener
from models.evaluate import goal_cause
from models.look_back import earliest, last_seq
from models.message import Message
from models.pilots import note_failure
from models.record import Outbox, Recorder
from models.sqlite import Lane
from tabiji.domain.answers import happened, moved_by
from tabiji.domain.calendar import next_moment
from tabiji.domain.dates import ContactDate
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import (
    EXIT_STEP,
    GOAL_STEP,
    Appoint,
    Appointed,
    Done,
    Ended,
    Ending,
    Enter,
    Entered,
    Happened,
    Heard,
    Listen,
    LookBack,
)
from tabiji.domain.patterns import AnyOf
from tabiji.errors import UnknownEnrollment

UNSETTLED = ("deferred", "retry", "claimed")
"""States of a message nobody will send any more once its journey is over. One `on_wire` may have gone out."""


class Waits:
    """Listeners, look-backs, appointments, entries and endings."""

    def __init__(self, database: Database, catalog: Catalog, outbox: Outbox, *, zone: tzinfo = UTC) -> None:
        """Put together.

        Args:
            database: Where.
            catalog: The journeys that are loaded here.
            outbox: Takes what must reach Temporal.
            zone: Of contacts whose own is not known.
        """
        self._database = database
        self._catalog = catalog
        self._outbox = outbox
        self._zone = zone
        # Only for what is recorded at a time that is given with it.
        self._recorder = Recorder(database, catalog, SystemClock(), outbox, lane=Lane.JOURNEYS)

    async def listen(self, order: Listen) -> Heard:
        """Write down what is waited for, and return the earliest answer since entry.

        Raises:
            UnknownContact: The contact is gone.
            UnknownEnrollment: The enrollment is not in this database.
        """
        return await self._database.transact(lambda tx: self._listen(tx, order), Lane.JOURNEYS)

    async def _listen(self, tx: AsyncConnection, order: Listen) -> Heard:
        contact_id: UUID = (await lock_contacts(tx, [UUID(order.contact_id)]))[UUID(order.contact_id)].id
        if not await self._still_travels(tx, order):
            return Heard()
        since = await _since(tx, order, contact_id)
        at, wait = order.enrollment_id, (order.step, order.visit)
        # All of it, every time: a reset in the Temporal UI may have undone what stood.
        await listeners.put(
            tx,
            [
                *listeners.ends_of(at, contact_id, order.goals, order.exits, since=order.entry_seq),
                *listeners.rows_of(at, contact_id, *wait, order.condition, since=since, consumed=order.consumed),
            ],
        )
        if order.done:
            await listeners.drop(tx, at, order.done)
        end = await _earliest_end(tx, order, contact_id)
        if end is not None:
            return Heard(end=end)
        found = await earliest(tx, contact_id, at, order.condition, since=since, consumed=order.consumed)
        event = happened(order.condition, found, *wait) if found is not None else None
        return Heard(event=event, seq=await last_seq(tx, contact_id))

    async def look_back(self, order: LookBack) -> Heard:
        """The earliest answer since entry. Writes nothing."""

        async def work(tx: AsyncConnection) -> Heard:
            contact_id: UUID = (await lock_contacts(tx, [UUID(order.contact_id)]))[UUID(order.contact_id)].id
            found = await earliest(tx, contact_id, order.enrollment_id, order.condition, since=order.entry_seq)
            return Heard(event=happened(order.condition, found) if found is not None else None)

        return await self._database.transact(work, Lane.JOURNEYS)

    async def appoint(self, order: Appoint) -> Appointed:
        """Find a moment on the contact's clock, and listen for what moves it.

        Raises:
            UnknownContact: The contact is gone.
            UnknownEnrollment: The enrollment is not in this database.
        """

        async def work(tx: AsyncConnection) -> Appointed:
            contact = (await lock_contacts(tx, [UUID(order.contact_id)]))[UUID(order.contact_id)]
            if not await self._still_travels(tx, order):
                return Appointed()
            seq = await last_seq(tx, contact.id)
            moves = moved_by(order.when)
            rows = listeners.rows_of(order.enrollment_id, contact.id, order.step, order.visit, moves, since=seq)
            await listeners.put(tx, rows)
            attribute = order.when.attribute if isinstance(order.when, ContactDate) else None
            at = next_moment(
                order.when,
                now=order.started,
                zone=ZoneInfo(contact.timezone) if contact.timezone else self._zone,
                attribute=contact.attributes.get(attribute) if attribute is not None else None,
            )
            return Appointed(at=at, seq=seq)

        return await self._database.transact(work, Lane.JOURNEYS)

    async def _still_travels(self, tx: AsyncConnection, order: Listen | Appoint) -> bool:
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
        await reopen(tx, order.enrollment_id)
        return True

    async def ended(self, order: Ended) -> Done:
        """Keep the outcome, drop the listeners, settle what is left open, hand over where a goal says so, tell the
        enrollment that waits for this end, and take along those whose end this one waits for.
        """

        async def work(change: Change) -> tuple[Pending, ...]:
            if order.outcome.ending is Ending.FAILED:
                await note_failure(change.tx, order.enrollment_id)
            parent = await self._settle(change.tx, order)
            if parent is not None:
                tell_parent(change, parent, order.enrollment_id, order.outcome.ending, order.outcome.reason)
            taken_along = await cancel(change, order.sub_journeys)
            return (*taken_along, *await self._hand_over(change, order))

        moment = Moment(order.at, order.wall, order.tempo if order.test else None, order.test)
        pending = await self._recorder.change(UUID(order.contact_id), work, source=order.key, moment=moment)
        self._outbox.offer(pending)
        return Done()

    async def _hand_over(self, change: Change, order: Ended) -> tuple[Pending, ...]:
        if order.then is None:
            return ()
        # Usually entered by the transaction that reached the goal; not so when it was signalled by hand.
        entry = Entry(
            contact=change.contact,
            entered_at=order.at,
            entered_wall=order.wall,
            recorded_at=change.recorded_at,
            cause=goal_cause(order.enrollment_id),
            entry_seq=order.goal_seq,
            tempo=order.tempo if order.test else None,
            test=order.test,
        )
        return (await enroll(change.tx, self._catalog.get(order.then), entry)).pending

    async def _settle(self, tx: AsyncConnection, order: Ended) -> str | None:
        """Returns the enrollment that waits for this one's end."""
        enrollments, messages = table(Enrollment), table(Message)
        over = await tx.execute(
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
            .returning(enrollments.c.parent_id)
        )
        await listeners.drop(tx, order.enrollment_id)
        await close_approvals(tx, order.enrollment_id)
        reason = f"journey ended: {order.outcome.reason}"[:200]
        mine = messages.c.enrollment_id == order.enrollment_id
        await tx.execute(
            update(messages).where(mine, messages.c.state.in_(UNSETTLED)).values(state="dropped", reason=reason)
        )
        await tx.execute(
            update(messages).where(mine, messages.c.state == "on_wire").values(state="unknown", reason=reason)
        )
        parent: str | None = over.scalar_one_or_none()
        return parent

    async def enter(self, order: Enter) -> Entered:
        """Enter the contact into another journey, once for this step and visit. Tempo is inherited.

        Raises:
            UnknownContact: The contact is gone.
            UnknownJourney: The journey is not loaded here.
            Paused: Not now. Nothing was done.
        """
        spec = self._catalog.get(order.journey)

        async def work(tx: AsyncConnection) -> tuple[Entered, tuple[Pending, ...]]:
            contact = await admit(tx, order)
            entry = Entry(
                contact=contact,
                entered_at=order.at,
                entered_wall=order.wall,
                recorded_at=await self._database.now(tx),
                cause=f"step:{order.key}",
                parent=order.enrollment_id if order.awaited else None,
                tempo=order.tempo if order.test else None,
                test=order.test,
            )
            enrolled = await enroll(tx, spec, entry)
            # Not to answer a second attempt, which `cause` does: so that it counts among what was done to them.
            await keep(tx, order, enrolled.entered, contact_id=contact.id, recorded_at=entry.recorded_at)
            return enrolled.entered, enrolled.pending

        entered, pending = await self._database.transact(work, Lane.JOURNEYS)
        self._outbox.offer(pending)
        return entered


async def reopen(tx: AsyncConnection, enrollment_id: str) -> None:
    """Let an enrollment run again that a reset has begun again, unless the contact has entered anew meanwhile."""
    if not await _another_runs(tx, enrollment_id):
        enrollments = table(Enrollment)
        await tx.execute(
            update(enrollments)
            .where(enrollments.c.id == enrollment_id)
            .values(state="running", reason=None, ended_at=None)
        )


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


async def _since(tx: AsyncConnection, order: Listen, contact_id: UUID) -> int:
    """The place after which events count: the entry, or for a wait from now on, its own beginning."""
    if not order.from_now:
        return order.entry_seq
    rows = table(Listener)
    begun: int | None = await tx.scalar(
        select(func.min(rows.c.since_seq)).where(
            rows.c.enrollment_id == order.enrollment_id, rows.c.step == order.step, rows.c.visit == order.visit
        )
    )
    return begun if begun is not None else await last_seq(tx, contact_id)


async def _earliest_end(tx: AsyncConnection, order: Listen, contact_id: UUID) -> Happened | None:
    """The first goal or exit since entry. Of one event that is both, the goal."""
    ends = [(GOAL_STEP, place, end) for place, end in enumerate(order.goals)]
    ends += [(EXIT_STEP, place, end) for place, end in enumerate(order.exits)]
    if not ends:
        return None
    any_end = AnyOf.model_construct(of=tuple(end for *_, end in ends))
    found = await earliest(tx, contact_id, order.enrollment_id, any_end, since=order.entry_seq)
    if found is None:
        return None
    step, place, end = ends[found.which]
    return happened(end, found, step, place).model_copy(update={"which": 0})
