"""What an event sets going: who listens is woken, who is to start is entered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.breaker import watch_entries
from models.bulk import Matching, among
from models.contact import Contact
from models.database import AnyRow, table
from models.enroll import Due, Entry, Pending, begin, counts_as_let_in, dispatch_all
from models.enrollment import Enrollment, Listener
from models.incoming import Incoming
from models.listeners import ENDS, pattern_of
from models.look_back import earliest
from models.store import Said
from tabiji.domain.answers import happened, of_one_event
from tabiji.domain.conditions import Condition, Found, Seen
from tabiji.domain.journeys import Catalog, JourneySpec
from tabiji.domain.orders import GOAL_STEP, Happened
from tabiji.domain.patterns import Pattern

Row = Mapping[str, Any]

_LISTENERS = Matching(Listener, ("contact_id", "event"))


class Stored(NamedTuple):
    """An event that was not there before."""

    item: Incoming
    contact: UUID
    seq: int


class _Start(NamedTuple):
    """A journey an event enters them into, under this key."""

    spec: JourneySpec
    trigger: Condition
    key: str


@dataclass
class Evaluation:
    """Goes through the events of one transaction, which holds the locks of their contacts.

    Attributes:
        contacts: Their rows, as far as they are known here already.
        due: What must reach Temporal, not written down yet: `dispatched` does.
        over: Events that have been gone through, in their order.
    """

    tx: AsyncConnection
    catalog: Catalog
    now: datetime
    wall: datetime
    recorded_at: datetime
    tempo: float | None = None
    test: bool = False
    contacts: dict[UUID, AnyRow] = field(default_factory=dict[UUID, AnyRow])
    due: list[Due] = field(default_factory=list[Due])
    over: list[Stored] = field(default_factory=list[Stored])
    _let_in: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _listeners: dict[tuple[UUID, str], list[Row]] = field(default_factory=dict[tuple[UUID, str], list[Row]])

    async def know(self, contacts: Iterable[UUID]) -> None:
        """Read the rows of contacts that are not known yet."""
        missing = {contact for contact in contacts if contact not in self.contacts}
        if missing:
            rows = table(Contact)
            found = await self.tx.execute(select(rows).where(among(self.tx, rows.c.id, missing)))
            self.contacts |= {row.id: row for row in found}

    async def hear(self, events: Sequence[Said | Stored]) -> None:
        """Read who listens for these events."""
        self._listen(await _LISTENERS.read(self.tx, {(one.contact, one.item.name) for one in events}))

    async def go_through(self, events: Sequence[Stored]) -> dict[str, tuple[str, ...]]:
        """Wake and enter whom these events wake and enter, one event after the other.

        Returns:
            The enrollments that began, by the id of the message.
        """
        entered: dict[str, tuple[str, ...]] = {}
        self.over += events
        for item, contact, seq in events:
            heard, starts = self._heard_by(item, contact), self._starts(item)
            if not heard and not starts:
                continue
            began = await self._wake(heard, item, seq) if heard else []
            for start in starts:
                began += await self._start(start, item, contact, seq)
            if began:
                entered[item.message_id] = tuple(began)
        return entered

    async def dispatched(self) -> list[Pending]:
        """Write down what must reach Temporal."""
        due, self.due = self.due, []
        for journey, at in sorted(self._let_in.items()):
            await watch_entries(self.tx, journey, at)
        return await dispatch_all(self.tx, due, now=self.recorded_at)

    def _listen(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._listeners.setdefault((row["contact_id"], row["event"]), []).append(row)

    def _heard_by(self, item: Incoming, contact: UUID) -> list[Row]:
        found = self._listeners.get((contact, item.name))
        if not found:
            return []
        addressed = [row for row in found if item.enrollment_id in (None, row["enrollment_id"])]
        # Goals first, then exits: who is at the end does not take one more step because a wait was woken before it.
        return sorted(addressed, key=_order)

    def _starts(self, item: Incoming) -> list[_Start]:
        triggers = self.catalog.started_by(item.name)
        if not triggers or item.enrollment_id is not None:
            return []
        return [
            _Start(spec, trigger, key)
            for spec, trigger in triggers
            if (key := spec.reentry.entry_key(item.properties)) is not None
            and trigger.matches(item.name, item.properties)
        ]

    async def _wake(self, heard: Sequence[Row], item: Incoming, seq: int) -> list[str]:
        entered: list[str] = []
        over: set[str] = set()
        event = Seen(seq, item.name, item.properties, item.at)
        for row in heard:
            enrollment_id, step = row["enrollment_id"], row["step"]
            told = await self._answered(row, event) if enrollment_id not in over else None
            if told is None:
                continue
            pattern, signal = told
            if step in ENDS:
                over.add(enrollment_id)
            self.due.append(Due(row["contact_id"], enrollment_id, "signal", signal))
            then = pattern.then if step == GOAL_STEP and isinstance(pattern, Condition) else None
            if then is not None and then in self.catalog:
                # Where it is not loaded in this process the journey enters them itself, when it ends.
                reached = signal.model_copy(update={"step": None, "visit": 0})
                entered += await self._hand_over(enrollment_id, then, reached)
        return entered

    async def _answered(self, row: Row, event: Seen) -> tuple[Pattern, Happened] | None:
        """Whether an event answers what a listener waits for, alone or with what was there before it."""
        pattern = pattern_of(row)
        if event.seq <= row["since_seq"] or not pattern.matches(event.name, event.properties):
            return None
        if of_one_event(pattern):
            found = pattern.find((event,))
        else:
            found = await earliest(
                self.tx,
                row["contact_id"],
                row["enrollment_id"],
                pattern,
                since=row["since_seq"],
                up_to=event.seq,
                consumed=frozenset(row["consumed"]),
            )
        return (pattern, happened(pattern, found, row["step"], row["visit"])) if found is not None else None

    async def _start(self, start: _Start, item: Incoming, contact: UUID, seq: int) -> list[str]:
        event = Seen(seq, item.name, item.properties, item.at)
        await self.know([contact])
        entry = Entry(
            contact=self.contacts[contact],
            entered_at=self.now,
            entered_wall=self.wall,
            recorded_at=self.recorded_at,
            trigger=happened(start.trigger, Found((event,), parts=(event,))),
            entry_key=start.key,
            tempo=self.tempo if self.test else None,
            test=self.test,
        )
        return await self._enter(start.spec.name, entry)

    async def _hand_over(self, enrollment_id: str, journey: str, reached: Happened) -> list[str]:
        """A goal begins the next journey in the transaction that reached it, in the same journey time."""
        enrollments = table(Enrollment)
        old = (await self.tx.execute(select(enrollments).where(enrollments.c.id == enrollment_id))).one()
        await self.know([old.contact_id])
        passed = max(self.wall - old.entered_wall, timedelta(0)) * old.tempo
        entry = Entry(
            contact=self.contacts[old.contact_id],
            entered_at=old.entered_at + passed,
            entered_wall=self.wall,
            recorded_at=self.recorded_at,
            trigger=reached,
            cause=goal_cause(enrollment_id),
            tempo=old.tempo if old.test else None,
            test=old.test,
        )
        return await self._enter(journey, entry)

    async def _enter(self, journey: str, entry: Entry) -> list[str]:
        begun = await begin(self.tx, self.catalog.get(journey), entry)
        self._listen(begun.listeners)
        if begun.start is None:
            return []
        if counts_as_let_in(entry):
            self._let_in[journey] = entry.entered_at
        self.due.append(begun.start)
        return [begun.start.enrollment_id]


def goal_cause(enrollment_id: str) -> str:
    """What makes the hand-over at an enrollment's goal count once."""
    return f"goal:{enrollment_id}"


def _order(row: Row) -> int:
    return ENDS.index(row["step"]) if row["step"] in ENDS else len(ENDS)
