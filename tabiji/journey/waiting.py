"""A wait that is open now, and what has answered it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tabiji.domain.answers import happened
from tabiji.domain.conditions import Seen
from tabiji.domain.orders import Happened
from tabiji.domain.patterns import Pattern


@dataclass
class Waiting:
    """A wait for behaviour, and the earliest event that answers it.

    `taken` is what earlier waits had taken when this one was opened. What a wait beside this one takes answers
    both: which of the two is told first is chance.
    """

    pattern: Pattern
    taken: frozenset[int]
    event: Happened | None = None
    known: int = 0

    def offer(self, event: Happened) -> None:
        """Take what a listener has found. Of what the look-back has seen, the look-back has the last word: a signal
        may have been on its way since older code listened here, for something else.
        """
        if event.event in self.pattern.names and (event.seq is None or event.seq > self.known):
            self.found(event)

    def up_to(self, seq: int) -> None:
        """It was looked up; what came up to here is in it."""
        self.known = max(self.known, seq)
        if self.event is not None and self.event.seq is not None and self.event.seq <= self.known:
            self.event = None

    def found(self, event: Happened) -> None:
        """Take an event that matches, unless a better one is there."""
        if event.seqs & self.taken:
            return
        if self.event is None or _rank(event) < _rank(self.event):
            self.event = event

    def offer_by_hand(self, event: Happened, now: datetime) -> None:
        """Take what a person at the Temporal UI sends, where one event can answer."""
        found = self.pattern.find([_as_seen(event, now)])
        if found is not None:
            answer = happened(self.pattern, found)
            self.found(event.model_copy(update={"which": answer.which, "parts": answer.parts}))


@dataclass
class Moved(Waiting):
    """Tells that what a moment was made from has changed since it was looked up."""

    def up_to(self, seq: int) -> None:
        """The moment was looked up anew, for the event that is there and for all up to this one."""
        super().up_to(seq)
        if self.event is not None and self.event.seq is None:
            self.event = None

    def found(self, event: Happened) -> None:
        """Take it: whichever it is, the moment is looked up."""
        if self.event is None or event.seq is not None:
            self.event = event


def _as_seen(event: Happened, now: datetime) -> Seen:
    return Seen(seq=0, name=event.event, properties=event.properties, at=event.at or now)


def _rank(event: Happened) -> float:
    """Place in the database's order; what was sent by hand comes last."""
    return float("inf") if event.seq is None else event.seq
