"""The entrance for everything contacts do: one transaction stores it, finds who waits for it, and writes down
what must reach Temporal. Delivery comes right after the commit.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.change import Change, Moment, Told
from models.clock import Clock
from models.contact import Consent
from models.database import AnyRow, Database, insert, lock_contacts, table
from models.enroll import Entry, Pending, dispatch, enroll
from models.enrollment import Enrollment, Listener
from models.event import Event
from models.identities import LostRace, contacts_for, settle
from models.incoming import Incoming
from models.listeners import ENDS, pattern_of
from models.look_back import earliest
from models.pilots import Heard, note_events
from models.profiles import learn
from tabiji.domain.answers import happened, of_one_event
from tabiji.domain.conditions import Condition, Found, Seen
from tabiji.domain.facts import KIND
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import GOAL_STEP, Entered, Happened
from tabiji.domain.patterns import Pattern

T = TypeVar("T")


@dataclass(frozen=True)
class Recorded:
    """What became of one item. `entered` names the enrollments it began."""

    seq: int
    contact_id: UUID
    duplicate: bool
    entered: tuple[str, ...] = ()


class Outbox(Protocol):
    """Takes what has been committed and must reach Temporal."""

    def offer(self, pending: Sequence[Pending]) -> None:
        """Deliver soon. Never blocks, never raises: what is lost here the sweep finds."""
        ...


@dataclass
class _Transaction:
    """One go at a batch."""

    tx: AsyncConnection
    contacts: dict[UUID, AnyRow]
    now: datetime
    wall: datetime
    recorded_at: datetime
    tempo: float | None = None
    test: bool = False
    listeners: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    pending: list[Pending] = field(default_factory=list[Pending])


class _New(NamedTuple):
    """An item that was not there before. `address` is its e-mail address where that leads to this contact."""

    item: Incoming
    contact: UUID
    seq: int
    address: str | None
    identity: str | None


class Recorder:
    """Records what contacts do."""

    def __init__(self, database: Database, catalog: Catalog, clock: Clock, outbox: Outbox) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock
        self._outbox = outbox

    async def record(self, batch: Sequence[Incoming]) -> list[Recorded]:
        """Store a batch and wake whoever waits for it. All of it or nothing.

        A `message_id` seen before stores nothing and wakes nobody. Items count in their order: an event after
        the one that entered a journey is seen by that journey.

        Raises:
            DatabaseDown: Nothing is known to be stored; the same batch may be sent again.
            UnknownContact: An item names a contact that is not there.
        """
        if not batch:
            return []
        while True:
            try:
                recorded, pending = await self._database.transact(lambda tx: self._record(tx, batch))
            except LostRace:
                continue
            self._outbox.offer(pending)
            return recorded

    async def change(
        self,
        contact_id: UUID,
        work: Callable[[Change], Coroutine[Any, Any, T]],
        *,
        source: str,
        moment: Moment | None = None,
    ) -> T:
        """Change a contact, and record what `work` tells of it: all of it or nothing.

        `work` runs under the contact's lock, and again from the start when the database broke a deadlock. What it
        tells enters journeys, reaches goals and ends waits as any event does.

        Args:
            contact_id: Whom.
            work: Writes through `change.tx`, and tells.
            source: What makes the change, and makes its events count once: an order's key, or a message's id.
            moment: When; now, where not given.

        Raises:
            UnknownContact: No such contact.
            DatabaseDown: Nothing is known to be changed.
        """
        when = moment or Moment(self._clock.now(), self._clock.wall())

        async def transaction(tx: AsyncConnection) -> tuple[T, list[Pending]]:
            contact = (await lock_contacts(tx, [contact_id]))[contact_id]
            recorded_at = await self._database.now(tx)
            go = _Transaction(tx, {contact.id: contact}, when.at, when.wall, recorded_at, when.tempo, when.test)
            change = Change(tx, contact, when.at, recorded_at, source)
            answer = await work(change)
            go.contacts[contact.id] = change.contact
            changes = [_incoming(told, contact.id, when.at) for told in change.told]
            if changes:
                go.listeners = await self._listeners(go, {change.name for change in changes})
            await self._tell(go, changes)
            return answer, go.pending

        answer, pending = await self._database.transact(transaction)
        self._outbox.offer(pending)
        return answer

    async def enroll(
        self, journey: str, contact_id: UUID, *, tempo: float | None = None, entry_key: str = ""
    ) -> Entered:
        """Enter a contact into a journey by hand or by API.

        Raises:
            UnknownJourney: No such journey is loaded.
            UnknownContact: No such contact.
        """
        spec = self._catalog.get(journey)

        async def work(tx: AsyncConnection) -> tuple[Entered, tuple[Pending, ...]]:
            contact = (await lock_contacts(tx, [contact_id]))[contact_id]
            entry = Entry(
                contact=contact,
                entered_at=self._clock.now(),
                entered_wall=self._clock.wall(),
                recorded_at=await self._database.now(tx),
                entry_key=entry_key,
                tempo=tempo,
            )
            enrolled = await enroll(tx, spec, entry)
            return enrolled.entered, enrolled.pending

        entered, pending = await self._database.transact(work)
        self._outbox.offer(pending)
        return entered

    async def _record(self, tx: AsyncConnection, batch: Sequence[Incoming]) -> tuple[list[Recorded], list[Pending]]:
        recorded_at = await self._database.now(tx)
        now = self._clock.now()
        resolved = await contacts_for(tx, batch, now=now, recorded_at=recorded_at)
        # Lock, then read: what is read before the lock is older than what the lock waited for.
        locked = await lock_contacts(tx, resolved.to_lock)
        settled = await settle(tx, resolved, locked)
        contacts = settled.contacts
        go = _Transaction(tx, settled.rows, now, self._clock.wall(), recorded_at, pending=settled.pending)
        stored = await self._store(go, batch, contacts, settled.identities)
        # Where one message comes twice in a batch, the first is it.
        seqs = [stored.pop(item.message_id, None) for item in batch]
        told = zip(batch, contacts, seqs, resolved.addresses, settled.identities, strict=True)
        new = [_New(item, contact, seq, *rest) for item, contact, seq, *rest in told if seq is not None]
        await self._store_consents(go, new)
        await note_events(go.tx, [Heard(item.name, item.properties, contact) for item, contact, *_ in new])
        changes = await self._update_profiles(go, new)
        names = {item.name for item, *_ in new} | {change.name for change in changes}
        go.listeners = await self._listeners(go, names)
        recorded: list[Recorded] = []
        for item, contact, seq in zip(batch, contacts, seqs, strict=True):
            if seq is None:
                recorded.append(Recorded(await self._seq_of(go, item.message_id), contact, duplicate=True))
            else:
                entered = await self._evaluate(go, item, contact, seq)
                recorded.append(Recorded(seq, contact, duplicate=False, entered=tuple(entered)))
        await self._tell(go, changes)
        return recorded, go.pending

    async def _tell(self, go: _Transaction, changes: Sequence[Incoming]) -> None:
        """Record changes of contacts that this transaction has locked and made; who listens for them is known."""
        if not changes:
            return
        contacts = [change.contact_id for change in changes if change.contact_id is not None]
        seqs = await self._store(go, changes, contacts)
        for change, contact in zip(changes, contacts, strict=True):
            if (seq := seqs.get(change.message_id)) is not None:
                await self._evaluate(go, change, contact, seq)

    async def _store(
        self,
        go: _Transaction,
        batch: Sequence[Incoming],
        contacts: Sequence[UUID],
        identities: Sequence[str | None] | None = None,
    ) -> dict[str, int]:
        """Write the events; returns the place in the order of each that was new."""
        rows = {
            item.message_id: {
                "contact_id": contact,
                "kind": item.kind,
                "name": item.name,
                "properties": item.properties,
                "context": item.context,
                "message_id": item.message_id,
                "identity": identity,
                "enrollment_id": item.enrollment_id,
                "at": item.at,
                "recorded_at": go.recorded_at,
            }
            for item, contact, identity in _first_of_each(batch, contacts, identities or [None] * len(batch))
        }
        events = table(Event)
        written = await go.tx.execute(
            insert(go.tx, Event)
            .on_conflict_do_nothing(index_elements=["message_id"])
            .returning(events.c.message_id, events.c.seq),
            list(rows.values()),
        )
        return {row.message_id: row.seq for row in written}

    async def _store_consents(self, go: _Transaction, new: Sequence[_New]) -> None:
        consents = [
            {
                "contact_id": contact,
                **asdict(item.consent),
                "identity": identity,
                "at": item.at,
                "recorded_at": go.recorded_at,
            }
            for item, contact, _, _, identity in new
            if item.consent is not None
        ]
        if consents:
            await go.tx.execute(insert(go.tx, Consent), consents)

    async def _update_profiles(self, go: _Transaction, new: Sequence[_New]) -> list[Incoming]:
        """Only from what is new: a request that comes again late must not undo what was said after it.

        Returns:
            What has changed, to be recorded after what said so.
        """
        changes: list[Incoming] = []
        for item, contact, _, address, _ in new:
            if not item.traits and item.tempo is None and address is None:
                continue
            change = Change(go.tx, go.contacts[contact], item.at, go.recorded_at, item.message_id)
            columns: dict[str, Any] = {} if item.tempo is None else {"tempo": item.tempo}
            # Who may be written to changes by the word of somebody known, not by a form that anybody can send.
            if address is not None and (change.contact.email is None or item.user_id):
                columns["email"] = address
            await learn(change, item.traits, **columns)
            go.contacts[contact] = change.contact
            changes += [_incoming(told, contact, item.at) for told in change.told]
        return changes

    async def _listeners(self, go: _Transaction, names: set[str]) -> list[dict[str, Any]]:
        listeners = table(Listener)
        found = await go.tx.execute(
            select(listeners).where(listeners.c.contact_id.in_(sorted(go.contacts)), listeners.c.event.in_(names))
        )
        return [dict(row) for row in found.mappings()]

    async def _evaluate(self, go: _Transaction, item: Incoming, contact: UUID, seq: int) -> list[str]:
        """Wake who listens, then enter who is to start. Returns the enrollments that began."""
        entered: list[str] = []
        over: set[str] = set()
        event = Seen(seq, item.name, item.properties, item.at)
        # Goals first, then exits: who is at the end does not take one more step because a wait was woken before it.
        for found in sorted(go.listeners, key=_order):
            enrollment_id, step = found["enrollment_id"], found["step"]
            addressed = item.enrollment_id in (None, enrollment_id)
            if found["contact_id"] != contact or found["event"] != item.name or not addressed or enrollment_id in over:
                continue
            told = await self._answered(go, found, event)
            if told is None:
                continue
            pattern, signal = told
            if step in ENDS:
                over.add(enrollment_id)
            go.pending.append(
                await dispatch(go.tx, contact, enrollment_id, kind="signal", happened=signal, now=go.recorded_at)
            )
            then = pattern.then if step == GOAL_STEP and isinstance(pattern, Condition) else None
            if then is not None and then in self._catalog:
                # Where it is not loaded in this process the journey enters them itself, when it ends.
                reached = signal.model_copy(update={"step": None, "visit": 0})
                entered += await self._hand_over(go, enrollment_id, then, reached)
        if item.enrollment_id is None:
            for spec, trigger in self._catalog.started_by(item.name):
                key = spec.reentry.entry_key(item.properties)
                if key is not None and trigger.matches(item.name, item.properties):
                    entry = Entry(
                        contact=go.contacts[contact],
                        entered_at=go.now,
                        entered_wall=go.wall,
                        recorded_at=go.recorded_at,
                        trigger=happened(trigger, Found((event,), parts=(event,))),
                        entry_key=key,
                        tempo=go.tempo if go.test else None,
                        test=go.test,
                    )
                    entered += await self._enter(go, spec.name, entry)
        return entered

    async def _answered(self, go: _Transaction, row: Mapping[str, Any], event: Seen) -> tuple[Pattern, Happened] | None:
        """Whether an event answers what a listener waits for, alone or with what was there before it."""
        pattern = pattern_of(row)
        if event.seq <= row["since_seq"] or not pattern.matches(event.name, event.properties):
            return None
        if of_one_event(pattern):
            found = pattern.find((event,))
        else:
            found = await earliest(
                go.tx,
                row["contact_id"],
                row["enrollment_id"],
                pattern,
                since=row["since_seq"],
                up_to=event.seq,
                consumed=frozenset(row["consumed"]),
            )
        return (pattern, happened(pattern, found, row["step"], row["visit"])) if found is not None else None

    async def _hand_over(self, go: _Transaction, enrollment_id: str, journey: str, reached: Happened) -> list[str]:
        """A goal begins the next journey in the transaction that reached it, in the same journey time."""
        enrollments = table(Enrollment)
        old = (await go.tx.execute(select(enrollments).where(enrollments.c.id == enrollment_id))).one()
        passed = max(go.wall - old.entered_wall, timedelta(0)) * old.tempo
        entry = Entry(
            contact=go.contacts[old.contact_id],
            entered_at=old.entered_at + passed,
            entered_wall=go.wall,
            recorded_at=go.recorded_at,
            trigger=reached,
            cause=goal_cause(enrollment_id),
            tempo=old.tempo if old.test else None,
            test=old.test,
        )
        return await self._enter(go, journey, entry)

    async def _enter(self, go: _Transaction, journey: str, entry: Entry) -> list[str]:
        enrolled = await enroll(go.tx, self._catalog.get(journey), entry)
        go.pending += enrolled.pending
        go.listeners += enrolled.listeners
        return [pending.enrollment_id for pending in enrolled.pending]

    async def _seq_of(self, go: _Transaction, message_id: str) -> int:
        events = table(Event)
        seq: int = (await go.tx.execute(select(events.c.seq).where(events.c.message_id == message_id))).scalar_one()
        return seq


def _first_of_each(
    batch: Sequence[Incoming], contacts: Sequence[UUID], identities: Sequence[str | None]
) -> Iterator[tuple[Incoming, UUID, str | None]]:
    """A batch without the messages that come a second time in it, in its order: the order is what seqs follow."""
    seen: set[str] = set()
    for item, contact, identity in zip(batch, contacts, identities, strict=True):
        if item.message_id not in seen:
            seen.add(item.message_id)
            yield item, contact, identity


def goal_cause(enrollment_id: str) -> str:
    """What makes the hand-over at an enrollment's goal count once."""
    return f"goal:{enrollment_id}"


def _incoming(told: Told, contact: UUID, at: datetime) -> Incoming:
    return Incoming(
        kind=KIND,
        name=told.fact.value,
        message_id=told.message_id,
        at=at,
        properties=told.properties,
        contact_id=contact,
        enrollment_id=told.only,
    )


def _order(row: Mapping[str, Any]) -> int:
    return ENDS.index(row["step"]) if row["step"] in ENDS else len(ENDS)
