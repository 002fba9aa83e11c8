"""What the house in memory knows: the nouns of an application's tables, as plain objects."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from pydantic import BaseModel, JsonValue

from tabiji.domain.conditions import Seen
from tabiji.domain.consents import Decision, in_force
from tabiji.domain.orders import Happened, SendOutcome, StepOrder
from tabiji.domain.patterns import Pattern
from tabiji.domain.sending.standing import Agreed
from tabiji.errors import UnknownContact
from tabiji.testing.memory.arms import Arms

Properties = dict[str, JsonValue]


class Clock(Protocol):
    """Where the house takes its time from."""

    def now(self) -> datetime:
        """Journey time. Aware, UTC."""
        ...

    def wall(self) -> datetime:
        """The clock the workflows run by. Aware, UTC."""
        ...


@dataclass
class Person:
    """A contact. `consents` are by topic, as they were described; `default_consent` answers for all other topics."""

    id: str
    email: str | None
    timezone: str | None = None
    locale: str | None = None
    attributes: Properties = field(default_factory=dict[str, JsonValue])
    score: int = 0
    stage: str | None = None
    tags: list[str] = field(default_factory=list[str])
    lists: list[str] = field(default_factory=list[str])
    segments: list[str] = field(default_factory=list[str])
    consents: dict[str, bool] = field(default_factory=dict[str, bool])
    default_consent: bool = False
    decisions: list[Decision] = field(default_factory=list[Decision])
    """What they have decided since, in its order."""

    def agreed(self, topic: str) -> Agreed | None:
        """What counts of all they have decided about a topic, and were described with."""
        before = self.consents.get(topic, True if self.default_consent else None)
        first = () if before is None else (Decision(topic, before),)
        return in_force((*first, *self.decisions)).of(topic)

    def has_consented(self, topic: str) -> bool:
        """Whether they have agreed to it for certain."""
        agreed = self.agreed(topic)
        return agreed is not None and agreed.given and agreed.confirmed


@dataclass(frozen=True)
class Kept:
    """An event as it was stored. `only`: the one enrollment that hears of it."""

    seq: int
    contact: str
    kind: str
    name: str
    message_id: str
    at: datetime
    properties: Properties
    only: str | None = None

    @property
    def seen(self) -> Seen:
        """What conditions look at."""
        return Seen(self.seq, self.name, self.properties, self.at)

    def reaches(self, enrollment: str) -> bool:
        """Whether an enrollment of this contact hears of it."""
        return self.only in (None, enrollment)


@dataclass
class Enrollment:
    """One contact in one journey."""

    id: str
    journey: str
    contact: str
    n: int
    entry_key: str
    entry_seq: int
    cause: str | None
    parent: str | None
    trigger: Happened | None
    entered_at: datetime
    entered_wall: datetime
    state: str = "running"
    reason: str | None = None
    ended_wall: datetime | None = None
    paused_since: datetime | None = None
    held: bool = False


@dataclass
class Listener:
    """What an enrollment waits for under one step and visit. What came after `since` counts."""

    enrollment: str
    contact: str
    step: str
    visit: int
    pattern: Pattern
    since: int = 0
    consumed: frozenset[int] = frozenset()


@dataclass
class Message:
    """One mail to a contact, or one notice to sales, and its fate."""

    id: str
    order: StepOrder
    template: str
    topic: str
    outcome: SendOutcome
    asked_at: datetime
    deferrals: int = 0

    @property
    def contact(self) -> str:
        """Whom it is about."""
        return self.order.contact_id

    @property
    def enrollment(self) -> str:
        """Which journey of theirs sent it."""
        return self.order.enrollment_id

    @property
    def step(self) -> str:
        """At which step."""
        return self.order.step

    @property
    def at(self) -> datetime:
        """Journey time."""
        return self.order.at


@dataclass(frozen=True)
class Pending:
    """A start, a signal or the end of a sub-journey that must reach Temporal."""

    kind: Literal["start", "signal", "cancel"]
    enrollment: str
    happened: Happened | None = None


@dataclass
class State:
    """Everything, in one place."""

    people: dict[str, Person] = field(default_factory=dict[str, Person])
    events: list[Kept] = field(default_factory=list[Kept])
    enrollments: dict[str, Enrollment] = field(default_factory=dict[str, Enrollment])
    listeners: dict[tuple[str, str, int], Listener] = field(default_factory=dict[tuple[str, str, int], Listener])
    messages: dict[str, Message] = field(default_factory=dict[str, Message])
    answers: dict[str, BaseModel] = field(default_factory=dict[str, BaseModel])
    """What orders came to, by their keys: a second attempt changes nothing."""
    arms: Arms = field(default_factory=Arms)
    outbox: deque[Pending] = field(default_factory=deque[Pending])
    """Committed and not delivered yet."""

    def person(self, contact: str) -> Person:
        """Somebody who is there.

        Raises:
            UnknownContact: They are not, or no longer.
        """
        try:
            return self.people[contact]
        except KeyError:
            raise UnknownContact(contact) from None

    def last_seq(self, contact: str) -> int:
        """Place of the contact's latest event; 0 where there is none."""
        return max((event.seq for event in self.events if event.contact == contact), default=0)

    def of_contact(self, contact: str, enrollment: str, *, since: int) -> list[Kept]:
        """What an enrollment may look back on, in order."""
        return [
            event
            for event in self.events
            if event.contact == contact and event.seq > since and event.reaches(enrollment)
        ]
