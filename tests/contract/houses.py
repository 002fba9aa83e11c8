"""The same house three times: in memory, on SQLite, on PostgreSQL, behind one small protocol.

What they answer is compared as plain data. Places in the database's order are counted from 1 in each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, JsonValue
from sqlalchemy import select
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.contacts import Contacts
from activities.enrollments import Enrollments
from activities.reads import Reads
from activities.tasks import Tasks
from models.contact import Contact
from models.database import Database, insert, table
from models.enroll import Pending
from models.enrollment import Dispatch, Enrollment
from models.event import Event
from models.incoming import ConsentGiven, Incoming
from models.ledger import Attempt, Ledger, Posting, public_id
from models.record import Recorder
from models.waits import Waits
from tabiji.domain.consents import Decision
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import SendEmail, SendOutcome, StepOrder
from tabiji.domain.sending.house import House as Rules
from tabiji.errors import TabijiError
from tabiji.testing.memory.house import House as MemoryHouse
from tabiji.testing.memory.recording import Deed
from tabiji.testing.memory.state import Person

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOKYO = ZoneInfo("Asia/Tokyo")

Trace = list[Any]
"""What an operation answered, and what it told Temporal."""


@dataclass
class Hands:
    """A clock whose hands the test moves."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def wall(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class Did:
    """Something somebody did, for every house."""

    who: str
    name: str
    message_id: str
    properties: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    traits: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    consent: bool | None = None
    only: str | None = None


class Stands(NamedTuple):
    """An enrollment as it stands. `entry` is a place in the order."""

    id: str
    state: str
    reason: str | None
    entry: int
    key: str


class House(Protocol):
    """What a scenario plays with."""

    clock: Hands

    async def knows(self, who: str, **attributes: JsonValue) -> None:
        """Somebody, with an address."""
        ...

    async def record(self, *batch: Did) -> Trace:
        """What became of each, and what was told."""
        ...

    async def order(self, order: StepOrder) -> Trace:
        """What a journey's order came to, and what was told."""
        ...

    async def enter(self, journey: str, who: str, *, entry_key: str = "") -> Trace:
        """By hand."""
        ...

    async def seq_of(self, place: int) -> int:
        """The house's own number of the n-th event."""
        ...

    async def enrollments(self) -> list[Stands]:
        """All of them, as they stand."""
        ...


class InMemory:
    """See `tabiji.testing.memory`."""

    def __init__(self, catalog: Catalog) -> None:
        self.clock = Hands()
        self._house = MemoryHouse(self.clock, catalog=catalog, zone=TOKYO)

    async def knows(self, who: str, **attributes: JsonValue) -> None:
        self._house.state.people[who] = Person(who, f"{who}@example.com", attributes=attributes)

    async def record(self, *batch: Did) -> Trace:
        deeds = [
            Deed(
                did.who,
                did.name,
                did.message_id,
                self.clock.at,
                properties=did.properties,
                traits=did.traits,
                decisions=() if did.consent is None else (Decision("marketing", did.consent),),
                only=did.only,
            )
            for did in batch
        ]
        noted = self._house.recording.record(deeds)
        return [[one.seq, one.duplicate, sorted(one.entered)] for one in noted] + self._told()

    async def order(self, order: StepOrder) -> Trace:
        try:
            answer: Any = plain(self._house.carry_out(order))
        except TabijiError as error:
            answer = error.code
        return [answer, *self._told()]

    async def enter(self, journey: str, who: str, *, entry_key: str = "") -> Trace:
        return [plain(self._house.recording.enroll(journey, who, entry_key=entry_key)), *self._told()]

    async def seq_of(self, place: int) -> int:
        return place

    async def enrollments(self) -> list[Stands]:
        known = self._house.state.enrollments.values()
        return sorted(Stands(one.id, one.state, one.reason, one.entry_seq, one.entry_key) for one in known)

    def _told(self) -> Trace:
        told = [[one.kind, one.enrollment, plain(one.happened)] for one in self._house.state.outbox]
        self._house.state.outbox.clear()
        return settled(told)


class OnDatabase:
    """The real entrance and the real activities."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self.clock = Hands()
        self._database = database
        self._recorder = Recorder(database, catalog, self.clock, self)
        waits = Waits(database, catalog, self, zone=TOKYO)
        activities: list[Callable[..., Any]] = [
            *Enrollments(waits).all,
            *Contacts(self._recorder).all,
            *Reads(database).all,
            *Tasks(self._recorder).all,
        ]
        self._activities = {one.__name__: one for one in activities}
        self._ledger = Ledger(database, Rules(zone=TOKYO))
        self._delivered = 0
        self._places: list[int] = []

    def offer(self, pending: Sequence[Pending]) -> None:
        """See `Outbox`. Everything is read from the table."""

    async def knows(self, who: str, **attributes: JsonValue) -> None:
        row = {"id": UUID(who), "email": f"{who}@example.com", "attributes": attributes, "score": 0}
        async with self._database.write() as tx:
            await tx.execute(insert(tx, Contact).values(**row, created_at=NOON, recorded_at=NOON))

    async def record(self, *batch: Did) -> Trace:
        incoming = [
            Incoming(
                kind="track",
                name=did.name,
                message_id=did.message_id,
                at=self.clock.at,
                properties=did.properties,
                traits=did.traits,
                contact_id=UUID(did.who),
                enrollment_id=did.only,
                consent=None
                if did.consent is None
                else ConsentGiven(topic="marketing", given=did.consent, source="test"),
            )
            for did in batch
        ]
        recorded = await self._recorder.record(incoming)
        await self._look()
        noted = [[self._place(one.seq), one.duplicate, sorted(one.entered)] for one in recorded]
        return noted + await self._told()

    async def order(self, order: StepOrder) -> Trace:
        try:
            answer: Any = await self._carry_out(order)
        except (TabijiError, ApplicationError) as error:
            answer = error.code if isinstance(error, TabijiError) else error.type
        await self._look()
        return [self._counted(answer), *await self._told()]

    async def enter(self, journey: str, who: str, *, entry_key: str = "") -> Trace:
        entered = await self._recorder.enroll(journey, UUID(who), entry_key=entry_key)
        await self._look()
        return [plain(entered), *await self._told()]

    async def seq_of(self, place: int) -> int:
        return self._places[place - 1] if place else 0

    async def enrollments(self) -> list[Stands]:
        await self._look()
        rows = table(Enrollment)
        query = select(rows.c.id, rows.c.state, rows.c.reason, rows.c.entry_seq, rows.c.entry_key)
        async with self._database.read() as tx:
            found = (await tx.execute(query)).all()
        return sorted(Stands(row.id, row.state, row.reason, self._place(row.entry_seq), row.entry_key) for row in found)

    async def _carry_out(self, order: StepOrder) -> Any:
        if isinstance(order, SendEmail):
            return plain(await self._send(order))
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, started_time=self.clock.at, scheduled_time=self.clock.at)
        return plain(await environment.run(self._activities[order.activity], order))

    async def _send(self, order: SendEmail) -> SendOutcome:
        """Everything about a mail but the mail: what the ledger decides."""
        posting = Posting.of(
            order,
            template=order.template,
            subject="A mail",
            address=f"{order.contact_id}@example.com",
            topic=order.topic,
            delivery=order.delivery,
        )
        claim = await self._ledger.claim(posting, Attempt("run", "1", 1, timedelta(minutes=1)))
        if not isinstance(claim, SendOutcome):
            await self._ledger.sent(claim, "250 taken")
            claim = SendOutcome(state="sent")
        return claim.model_copy(update={"message": public_id(order.key)})

    async def _look(self) -> None:
        rows = table(Event)
        async with self._database.read() as tx:
            self._places = list((await tx.execute(select(rows.c.seq).order_by(rows.c.seq))).scalars())

    def _place(self, seq: int) -> int:
        return self._places.index(seq) + 1 if seq else 0

    def _counted(self, thing: Any) -> Any:
        """Plain data with places in the order instead of the database's own numbers."""
        if isinstance(thing, dict):
            return {name: self._counted_as(name, value) for name, value in cast("dict[str, Any]", thing).items()}
        if isinstance(thing, list):
            return [self._counted(one) for one in thing]  # pyright: ignore[reportUnknownVariableType] # of JSON
        return thing

    def _counted_as(self, name: str, value: Any) -> Any:
        if name == "seq" and isinstance(value, int):
            return self._place(value)
        return [self._place(seq) for seq in value] if name == "took" else self._counted(value)

    async def _told(self) -> Trace:
        rows = table(Dispatch)
        query = select(rows.c.id, rows.c.kind, rows.c.enrollment_id, rows.c.payload)
        async with self._database.read() as tx:
            found = (await tx.execute(query.where(rows.c.id > self._delivered).order_by(rows.c.id))).all()
        self._delivered = max((row.id for row in found), default=self._delivered)
        return settled([[row.kind, row.enrollment_id, self._counted(row.payload) or None] for row in found])


def plain(answer: BaseModel | None) -> Any:
    """An answer as JSON has it. Ids of what was created are each house's own."""
    if answer is None:
        return None
    written = answer.model_dump(mode="json")
    return {name: "…" if name == "id" else value for name, value in written.items()}


def settled(told: Trace) -> Trace:
    """What one operation told, in an order that does not depend on which listener was read first."""
    return sorted(told, key=lambda one: json.dumps(one, sort_keys=True))
