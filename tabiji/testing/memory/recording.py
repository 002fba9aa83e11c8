"""The entrance for everything people do: kept once, found by whoever waits for it, and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import JsonValue

from tabiji.domain.answers import happened, of_one_event
from tabiji.domain.attributes import PROFILE, problem_with_all
from tabiji.domain.attributes import told as values_told
from tabiji.domain.conditions import Condition, Found
from tabiji.domain.consents import Decision
from tabiji.domain.facts import KIND, Fact
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import EXIT_STEP, GOAL_STEP, Entered, Happened
from tabiji.errors import InvalidEvent
from tabiji.testing.memory.entering import Entry, enroll
from tabiji.testing.memory.state import Clock, Kept, Listener, Pending, Person, Properties, State


@dataclass(frozen=True)
class Deed:
    """One thing somebody did. `only`: the one enrollment that is to hear of it."""

    contact: str
    name: str
    message_id: str
    at: datetime
    kind: str = "track"
    properties: Properties = field(default_factory=dict[str, JsonValue])
    traits: Properties = field(default_factory=dict[str, JsonValue])
    decisions: tuple[Decision, ...] = ()
    only: str | None = None


@dataclass(frozen=True)
class Noted:
    """What became of one deed. `entered` names the enrollments it began."""

    seq: int
    duplicate: bool
    entered: tuple[str, ...] = ()


class Recording:
    """Records what people do, and what journeys do to them."""

    def __init__(self, state: State, clock: Clock, catalog: Catalog | None = None) -> None:
        self.state = state
        self.clock = clock
        self.catalog = catalog or Catalog()
        self._seq = 0

    def record(self, batch: Sequence[Deed]) -> list[Noted]:
        """Keep a batch and wake whoever waits for it. A `message_id` seen before keeps nothing and wakes nobody.

        Raises:
            UnknownContact: Somebody in it is not there; nothing was kept.
        """
        for deed in batch:
            self.state.person(deed.contact)
        kept = [self._keep(deed) for deed in batch]
        changes: list[Deed] = []
        for deed, (_, new) in zip(batch, kept, strict=True):
            if new:
                self.state.person(deed.contact).decisions += deed.decisions
                changes += self._learn(deed)
        noted: list[Noted] = []
        for event, new in kept:
            entered = self._evaluate(event) if new else []
            noted.append(Noted(event.seq, not new, tuple(entered)))
        self.tell(changes)
        return noted

    def tell(self, changes: Sequence[Deed]) -> None:
        """Record what the house itself has changed."""
        kept = [self._keep(change) for change in changes]
        for event, new in kept:
            if new:
                self._evaluate(event)

    def enroll(self, journey: str, contact: str, *, entry_key: str = "") -> Entered:
        """Enter somebody by hand.

        Raises:
            UnknownJourney: No such journey is loaded.
            UnknownContact: Nobody of that id.
        """
        spec = self.catalog.get(journey)
        self.state.person(contact)
        return enroll(self.state, spec, Entry(contact, self.clock.now(), self.clock.wall(), entry_key=entry_key))

    def _keep(self, deed: Deed) -> tuple[Kept, bool]:
        for event in self.state.events:
            if event.message_id == deed.message_id:
                return event, False
        self._seq += 1
        properties = dict(deed.properties)
        event = Kept(self._seq, deed.contact, deed.kind, deed.name, deed.message_id, deed.at, properties, deed.only)
        self.state.events.append(event)
        return event, True

    def _learn(self, deed: Deed) -> list[Deed]:
        """Write traits into the person, and return an event for each that is another than before."""
        person = self.state.person(deed.contact)
        changes: list[Deed] = []
        for name, value in deed.traits.items():
            if name == "email" or (name in PROFILE and not isinstance(value, str)):
                continue
            before = attribute(person, name)
            if name in known(person) and same(before, value):
                continue
            if name in PROFILE:
                write_attribute(person, name, value)
            else:
                person.attributes[name] = value
            changes.append(changed_attribute(deed.message_id, deed.contact, deed.at, name, before=before, after=value))
        if (problem := problem_with_all(person.attributes)) is not None:
            raise InvalidEvent("traits", problem)
        return changes

    def _evaluate(self, event: Kept) -> list[str]:
        """Wake who listens, then enter who is to start. Returns the enrollments that began."""
        entered: list[str] = []
        over: set[str] = set()
        listening = [one for one in self.state.listeners.values() if self._hears(one, event)]
        # Ends first: who is at the goal does not take one more step because a wait was woken before it.
        for listener in sorted(listening, key=_ends_first):
            if listener.enrollment in over:
                continue
            signal = self._answer(listener, event)
            if signal is None:
                continue
            if listener.step in (GOAL_STEP, EXIT_STEP):
                over.add(listener.enrollment)
            self.state.outbox.append(Pending("signal", listener.enrollment, signal))
            goal = listener.pattern if listener.step == GOAL_STEP else None
            if isinstance(goal, Condition) and goal.then is not None and goal.then in self.catalog:
                reached = signal.model_copy(update={"step": None, "visit": 0})
                entered += self._hand_over(listener.enrollment, goal.then, reached)
        if event.only is None:
            entered += self._start(event)
        return entered

    def _hears(self, listener: Listener, event: Kept) -> bool:
        return (
            listener.contact == event.contact
            and event.reaches(listener.enrollment)
            and event.seq > listener.since
            and listener.pattern.matches(event.name, event.properties)
        )

    def _answer(self, listener: Listener, event: Kept) -> Happened | None:
        """Whether an event answers what is waited for, alone or with what was there before it."""
        seen = [event.seen]
        if not of_one_event(listener.pattern):
            before = self.state.of_contact(event.contact, listener.enrollment, since=listener.since)
            seen = [one.seen for one in before if one.seq not in listener.consumed and one.seq <= event.seq]
        found = listener.pattern.find(seen)
        return happened(listener.pattern, found, listener.step, listener.visit) if found is not None else None

    def _start(self, event: Kept) -> list[str]:
        entered: list[str] = []
        for spec, trigger in self.catalog.started_by(event.name):
            key = spec.reentry.entry_key(event.properties)
            if key is None or not trigger.matches(event.name, event.properties):
                continue
            reached = happened(trigger, Found((event.seen,), parts=(event.seen,)))
            entry = Entry(event.contact, self.clock.now(), self.clock.wall(), trigger=reached, entry_key=key)
            entered += self._new(enroll(self.state, spec, entry))
        return entered

    def _hand_over(self, enrollment: str, journey: str, reached: Happened) -> list[str]:
        """A goal begins the next journey at once, in the same journey time."""
        old = self.state.enrollments[enrollment]
        passed = max(self.clock.wall() - old.entered_wall, timedelta(0))
        entry = Entry(
            old.contact, old.entered_at + passed, self.clock.wall(), trigger=reached, cause=goal_cause(enrollment)
        )
        return self._new(enroll(self.state, self.catalog.get(journey), entry))

    def _new(self, entered: Entered) -> list[str]:
        # Where the same cause has entered them before, nothing new is on its way.
        begun = self.state.outbox[-1] if self.state.outbox else None
        new = begun is not None and begun.kind == "start" and begun.enrollment == entered.enrollment_id
        return [begun.enrollment] if begun is not None and new else []


def _ends_first(listener: Listener) -> int:
    return {GOAL_STEP: 0, EXIT_STEP: 1}.get(listener.step, 2)


def goal_cause(enrollment: str) -> str:
    """What makes the hand-over at an enrollment's goal count once."""
    return f"goal:{enrollment}"


def changed(
    source: str,
    contact: str,
    at: datetime,
    fact: Fact,
    properties: Properties,
    *,
    about: str = "",
    only: str | None = None,
) -> Deed:
    """The event that tells of a change. Its id is the same whenever the same thing makes it again."""
    message_id = ":".join(part for part in ("change", source, fact.value, about) if part)
    return Deed(contact, fact.value, message_id, at, kind=KIND, properties=properties, only=only)


def changed_attribute(
    source: str, contact: str, at: datetime, name: str, *, before: JsonValue, after: JsonValue
) -> Deed:
    """The event that tells of another value of an attribute."""
    properties: Properties = {"name": name, **values_told(before, after)}
    return changed(source, contact, at, Fact.ATTRIBUTE_CHANGED, properties, about=name)


def known(person: Person) -> frozenset[str]:
    """Names of the attributes somebody has. Zone and language count always."""
    return frozenset(person.attributes) | frozenset(PROFILE)


def attribute(person: Person, name: str) -> JsonValue:
    """One attribute; None where there is none."""
    match name:
        case "timezone":
            return person.timezone
        case "locale":
            return person.locale
        case _:
            return person.attributes.get(name)


def write_attribute(person: Person, name: str, value: JsonValue) -> None:
    """Write one attribute; None takes it away."""
    match name:
        case "timezone":
            person.timezone = None if value is None else str(value)
        case "locale":
            person.locale = None if value is None else str(value)
        case _ if value is None:
            person.attributes.pop(name, None)
        case _:
            person.attributes[name] = value


def same(one: JsonValue, other: JsonValue) -> bool:
    """Whether two values are the same in JSON, where a yes is no number."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)
