"""What enrollments say about themselves: what they wait for now, whom they enter where, and that they are over."""

from __future__ import annotations

from datetime import tzinfo
from zoneinfo import ZoneInfo

from tabiji.domain.answers import happened, moved_by
from tabiji.domain.calendar import next_moment
from tabiji.domain.conditions import Condition, Found, Seen
from tabiji.domain.dates import ContactDate
from tabiji.domain.facts import Fact
from tabiji.domain.orders import (
    EXIT_STEP,
    GOAL_STEP,
    Appoint,
    Appointed,
    Done,
    Ended,
    Enter,
    Entered,
    Happened,
    Heard,
    Listen,
    LookBack,
    StepOrder,
)
from tabiji.domain.patterns import Pattern
from tabiji.errors import UnknownEnrollment
from tabiji.testing.memory.entering import Entry, enroll, listen_for_ends
from tabiji.testing.memory.recording import Deed, Recording, changed, goal_cause
from tabiji.testing.memory.state import Enrollment, Listener, Pending, Properties, State


class Waiting:
    """Listeners, look-backs, appointments, entries and endings. All of them may run twice."""

    def __init__(self, recording: Recording, zone: tzinfo) -> None:
        self._recording = recording
        self._zone = zone

    @property
    def _state(self) -> State:
        return self._recording.state

    def listen(self, order: Listen) -> Heard:
        """Note what is waited for, and return the earliest answer since entry; an end outranks it.

        Raises:
            UnknownContact: The contact is gone.
            UnknownEnrollment: There is no such enrollment.
        """
        self._state.person(order.contact_id)
        enrollment = self._enrollment(order)
        if not self._still_travels(enrollment, order):
            return Heard()
        listen_for_ends(self._state, enrollment, order.goals, order.exits)
        since = None if order.from_now else order.entry_seq
        listener = self._open(order, order.condition, since=since, consumed=order.consumed)
        self._forget(order, order.done)
        end = self._earliest_end(order)
        if end is not None:
            return Heard(end=end)
        found = order.condition.find(self._seen(order, since=listener.since, consumed=order.consumed))
        event = happened(order.condition, found, order.step, order.visit) if found is not None else None
        return Heard(event=event, seq=self._state.last_seq(order.contact_id))

    def look_back(self, order: LookBack) -> Heard:
        """Has it happened since entry? Takes nothing."""
        self._state.person(order.contact_id)
        found = order.condition.find(self._seen(order, since=order.entry_seq))
        return Heard(event=happened(order.condition, found) if found is not None else None)

    def appoint(self, order: Appoint) -> Appointed:
        """Find the moment, and listen for what moves it."""
        person, when = self._state.person(order.contact_id), order.when
        if not self._still_travels(self._enrollment(order), order):
            return Appointed()
        seq = self._state.last_seq(person.id)
        self._open(order, moved_by(when), since=seq)
        value = person.attributes.get(when.attribute) if isinstance(when, ContactDate) else None
        zone = ZoneInfo(person.timezone) if person.timezone else self._zone
        return Appointed(at=next_moment(when, now=order.started, zone=zone, attribute=value), seq=seq)

    def ended(self, order: Ended) -> Done:
        """Keep the outcome, drop the listeners and what was put off, tell who waits for this end, take along those
        whose end this one waits for, hand over.
        """
        self._state.person(order.contact_id)
        enrollment = self._enrollment(order)
        enrollment.state = order.outcome.ending.value
        enrollment.reason = order.outcome.reason
        enrollment.ended_wall = order.wall
        for key in [key for key in self._state.listeners if key[0] == enrollment.id]:
            del self._state.listeners[key]
        for child in self._state.enrollments.values():
            if child.id in order.sub_journeys and child.state == "running":
                self._state.outbox.append(Pending("cancel", child.id))
        if order.then is not None:
            cause = goal_cause(enrollment.id)
            entry = Entry(order.contact_id, order.at, order.wall, cause=cause, entry_seq=order.goal_seq)
            enroll(self._state, self._recording.catalog.get(order.then), entry)
        if enrollment.parent is not None:
            self._recording.tell([_end_of(enrollment, order, enrollment.parent)])
        return Done()

    def enter(self, order: Enter) -> Entered:
        """Enter the contact into another journey, once for this step and visit.

        Raises:
            UnknownJourney: It is not loaded.
        """
        spec = self._recording.catalog.get(order.journey)
        self._state.person(order.contact_id)
        parent = order.enrollment_id if order.awaited else None
        entry = Entry(order.contact_id, order.at, order.wall, cause=f"step:{order.key}", parent=parent)
        return enroll(self._state, spec, entry)

    def _seen(self, order: StepOrder, *, since: int, consumed: tuple[int, ...] = ()) -> list[Seen]:
        events = self._state.of_contact(order.contact_id, order.enrollment_id, since=since)
        return [event.seen for event in events if event.seq not in consumed]

    def _enrollment(self, order: StepOrder) -> Enrollment:
        try:
            return self._state.enrollments[order.enrollment_id]
        except KeyError:
            raise UnknownEnrollment(order.enrollment_id) from None

    def _still_travels(self, enrollment: Enrollment, order: Listen | Appoint) -> bool:
        if enrollment.state == "running":
            return True
        if enrollment.ended_wall is not None and order.wall <= enrollment.ended_wall:
            return False
        # A reset in the Temporal UI has begun it again, unless they have entered anew since.
        same = (enrollment.contact, enrollment.journey, enrollment.entry_key)
        others = (one for one in self._state.enrollments.values() if one.id != enrollment.id and one.state == "running")
        if all((one.contact, one.journey, one.entry_key) != same for one in others):
            enrollment.state, enrollment.reason = "running", None
        return True

    def _open(
        self, order: StepOrder, pattern: Pattern, *, since: int | None, consumed: tuple[int, ...] = ()
    ) -> Listener:
        """Note a wait. `since` None: what comes after it was first noted counts."""
        key = (order.enrollment_id, order.step, order.visit)
        if since is None:
            before = self._state.listeners.get(key)
            since = before.since if before is not None else self._state.last_seq(order.contact_id)
        opened = Listener(
            order.enrollment_id, order.contact_id, order.step, order.visit, pattern, since, frozenset(consumed)
        )
        self._state.listeners[key] = opened
        return opened

    def _forget(self, order: StepOrder, done: tuple[tuple[str, int], ...]) -> None:
        for step, visit in done:
            self._state.listeners.pop((order.enrollment_id, step, visit), None)

    def _earliest_end(self, order: Listen) -> Happened | None:
        ends: list[tuple[str, int, Condition]] = [
            *((GOAL_STEP, place, goal) for place, goal in enumerate(order.goals)),
            *((EXIT_STEP, place, end) for place, end in enumerate(order.exits)),
        ]
        for event in self._state.of_contact(order.contact_id, order.enrollment_id, since=order.entry_seq):
            for step, place, end in ends:
                if end.matches(event.name, event.properties):
                    return happened(end, Found((event.seen,), parts=(event.seen,)), step, place)
        return None


def _end_of(enrollment: Enrollment, order: Ended, parent: str) -> Deed:
    properties: Properties = {
        "journey": enrollment.journey,
        "enrollment": enrollment.id,
        "ending": order.outcome.ending.value,
        "reason": order.outcome.reason,
    }
    return changed(order.key, enrollment.contact, order.at, Fact.JOURNEY_ENDED, properties, only=parent)
