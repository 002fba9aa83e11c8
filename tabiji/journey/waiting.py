"""A wait that is open now, and what has answered it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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

    def offer(self, event: Happened) -> None:
        """Take an event that matches, unless a better one is there."""
        if event.seqs & self.taken:
            return
        if self.event is None or _rank(event) < _rank(self.event):
            self.event = event

    def offer_by_hand(self, event: Happened, now: datetime) -> None:
        """Take what a person at the Temporal UI sends, where one event can answer."""
        found = self.pattern.find([_as_seen(event, now)])
        if found is not None:
            self.offer(event.model_copy(update={"which": found.which}))


@dataclass
class Moved(Waiting):
    """Tells that what a moment was made from has changed since it was looked up."""

    known: int = 0

    def offer(self, event: Happened) -> None:
        """Take a change that is news."""
        if event.seq is None or event.seq > self.known:
            self.event = event

    def offer_by_hand(self, event: Happened, now: datetime) -> None:
        """Take one a person sends."""
        if self.pattern.find([_as_seen(event, now)]) is not None:
            self.event = event

    def up_to(self, seq: int) -> None:
        """The moment was looked up; what came up to here is in it."""
        self.known = max(self.known, seq)
        if self.event is not None and (self.event.seq is None or self.event.seq <= self.known):
            self.event = None


def _as_seen(event: Happened, now: datetime) -> Seen:
    return Seen(seq=0, name=event.event, properties=event.properties, at=event.at or now)


def _rank(event: Happened) -> float:
    """Place in the database's order; what was sent by hand comes last."""
    return float("inf") if event.seq is None else event.seq
