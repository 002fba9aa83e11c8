"""The entrance for everything contacts do: one transaction stores it, finds who waits for it, and writes down
what must reach Temporal. Delivery comes right after the commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.clock import Clock
from models.contact import Consent, Contact
from models.database import AnyRow, Database, insert, lock_contacts, table
from models.enroll import Entry, Pending, dispatch, enroll
from models.enrollment import Enrollment, Listener
from models.event import Event
from models.identities import LostRace, check_still_true, contacts_for
from tabiji.domain.conditions import Condition
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import GOAL_STEP, Entered, Happened

PROFILE = ("timezone", "locale")
"""Traits with a column of their own. So has the address, but an address is an identity first."""


class ConsentGiven(BaseModel):
    """A decision about one topic, with its proof."""

    model_config = ConfigDict(frozen=True)

    topic: str
    given: bool = True
    source: str
    wording: str | None = None


class Incoming(BaseModel):
    """One thing somebody did, as it came in and after it was found valid."""

    model_config = ConfigDict(frozen=True)

    kind: str
    name: str
    message_id: str
    at: datetime
    properties: dict[str, JsonValue] = {}
    context: dict[str, JsonValue] = {}
    user_id: str | None = None
    anonymous_id: str | None = None
    email: str | None = None
    contact_id: UUID | None = None
    traits: dict[str, JsonValue] = {}
    consent: ConsentGiven | None = None
    enrollment_id: str | None = None
    tempo: float | None = None


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
    listeners: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    pending: list[Pending] = field(default_factory=list[Pending])


class _New(NamedTuple):
    """An item that was not there before. `address` is its e-mail address where that leads to this contact."""

    item: Incoming
    contact: UUID
    seq: int
    address: str | None


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
        locked = await lock_contacts(tx, resolved.contacts)
        await check_still_true(tx, resolved)
        contacts = [locked[contact].id for contact in resolved.contacts]
        go = _Transaction(tx, {row.id: row for row in locked.values()}, now, self._clock.wall(), recorded_at)
        stored = await self._store(go, batch, contacts)
        # Where one message comes twice in a batch, the first is it.
        seqs = [stored.pop(item.message_id, None) for item in batch]
        told = zip(batch, contacts, seqs, resolved.addresses, strict=True)
        new = [_New(item, contact, seq, address) for item, contact, seq, address in told if seq is not None]
        await self._store_consents(go, new)
        await self._update_profiles(go, new)
        go.listeners = await self._listeners(go, {item.name for item, *_ in new})
        recorded: list[Recorded] = []
        for item, contact, seq in zip(batch, contacts, seqs, strict=True):
            if seq is None:
                recorded.append(Recorded(await self._seq_of(go, item.message_id), contact, duplicate=True))
            else:
                entered = await self._evaluate(go, item, contact, seq)
                recorded.append(Recorded(seq, contact, duplicate=False, entered=tuple(entered)))
        return recorded, go.pending

    async def _store(self, go: _Transaction, batch: Sequence[Incoming], contacts: Sequence[UUID]) -> dict[str, int]:
        """Write the events; returns the place in the order of each that was new."""
        rows = {
            item.message_id: {
                "contact_id": contact,
                "kind": item.kind,
                "name": item.name,
                "properties": item.properties,
                "context": item.context,
                "message_id": item.message_id,
                "enrollment_id": item.enrollment_id,
                "at": item.at,
                "recorded_at": go.recorded_at,
            }
            for item, contact in reversed(list(zip(batch, contacts, strict=True)))
        }
        events = table(Event)
        written = await go.tx.execute(
            insert(go.tx, Event)
            .values(list(reversed(rows.values())))
            .on_conflict_do_nothing(index_elements=["message_id"])
            .returning(events.c.message_id, events.c.seq)
        )
        return {row.message_id: row.seq for row in written}

    async def _store_consents(self, go: _Transaction, new: Sequence[_New]) -> None:
        consents = [
            {
                "contact_id": contact,
                **item.consent.model_dump(),
                "at": item.at,
                "recorded_at": go.recorded_at,
            }
            for item, contact, *_ in new
            if item.consent is not None
        ]
        if consents:
            await go.tx.execute(insert(go.tx, Consent), consents)

    async def _update_profiles(self, go: _Transaction, new: Sequence[_New]) -> None:
        """Only from what is new: a request that comes again late must not undo what was said after it."""
        changed: dict[UUID, dict[str, Any]] = {}
        for item, contact, _, address in new:
            if not item.traits and item.tempo is None and address is None:
                continue
            values = changed.setdefault(contact, {"attributes": dict(go.contacts[contact].attributes)})
            # Who may be written to changes by the word of somebody known, not by a form that anybody can send.
            if address is not None and (go.contacts[contact].email is None or item.user_id):
                values["email"] = address
            for name, value in item.traits.items():
                if name in PROFILE and isinstance(value, str):
                    values[name] = value
                elif name not in (*PROFILE, "email"):
                    values["attributes"][name] = value
            if item.tempo is not None:
                values["tempo"] = item.tempo
        contact_table = table(Contact)
        for contact in sorted(changed):
            written = await go.tx.execute(
                update(contact_table)
                .where(contact_table.c.id == contact)
                .values(**changed[contact])
                .returning(*contact_table.c)
            )
            go.contacts[contact] = written.one()

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
        # Goals first: who is at the goal does not take one more step because a wait was woken before it.
        for found in sorted(go.listeners, key=lambda row: row["step"] != GOAL_STEP):
            condition = Condition.model_validate(found["condition"])
            addressed = item.enrollment_id in (None, found["enrollment_id"])
            if found["contact_id"] != contact or not addressed or not condition.matches(item.name, item.properties):
                continue
            if found["enrollment_id"] in over:
                continue
            if found["step"] == GOAL_STEP:
                over.add(found["enrollment_id"])
            happened = _happened(item, seq, condition, step=found["step"], visit=found["visit"])
            go.pending.append(
                await dispatch(
                    go.tx, contact, found["enrollment_id"], kind="signal", happened=happened, now=go.recorded_at
                )
            )
            if found["step"] == GOAL_STEP and condition.then is not None and condition.then in self._catalog:
                # Where it is not loaded in this process the journey enters them itself, when it ends.
                reached = happened.model_copy(update={"step": None, "visit": 0})
                entered += await self._hand_over(go, found["enrollment_id"], condition.then, reached)
        if item.enrollment_id is None:
            for spec, trigger in self._catalog.started_by(item.name):
                if trigger.matches(item.name, item.properties):
                    entry = Entry(
                        contact=go.contacts[contact],
                        entered_at=go.now,
                        entered_wall=go.wall,
                        recorded_at=go.recorded_at,
                        trigger=_happened(item, seq, trigger),
                    )
                    entered += await self._enter(go, spec.name, entry)
        return entered

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


def goal_cause(enrollment_id: str) -> str:
    """What makes the hand-over at an enrollment's goal count once."""
    return f"goal:{enrollment_id}"


def _happened(item: Incoming, seq: int, condition: Condition, *, step: str | None = None, visit: int = 0) -> Happened:
    return Happened(
        event=item.name, seq=seq, at=item.at, properties=condition.taken(item.properties), step=step, visit=visit
    )
