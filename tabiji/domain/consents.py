"""Which of somebody's decisions are in force.

The latest decision about a topic counts, of one moment the no. Three things make that precise:

* What was only asked for, by somebody who may not be the address's owner, neither gives a right to mail nor takes one:
  who has agreed for certain stays so, whatever a stranger types into a form.
* A no to everything is a no to each topic at that moment, also to those nobody has spoken of.
* A later yes to one topic counts for that topic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tabiji.domain.sending.standing import Agreed
from tabiji.domain.topics import EVERYTHING


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about one topic, or a no to `EVERYTHING`."""

    topic: str
    given: bool
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class InForce:
    """What counts."""

    by_topic: Mapping[str, Agreed] = field(default_factory=dict[str, Agreed])
    others: Agreed | None = None
    """For every topic nobody has spoken of; a no where everything was stopped."""

    def of(self, topic: str) -> Agreed | None:
        """The decision about a topic; None where there is none."""
        return self.by_topic.get(topic, self.others)

    @property
    def agreed(self) -> frozenset[str]:
        """Topics they have agreed to for certain."""
        return frozenset(topic for topic, one in self.by_topic.items() if one.given and one.confirmed)


def in_force(decisions: Iterable[Decision]) -> InForce:
    """Go through one contact's decisions.

    Args:
        decisions: In the order in which they count: by time, of one moment the no last.
    """
    by_topic: dict[str, Agreed] = {}
    others: Agreed | None = None
    for one in decisions:
        if one.topic == EVERYTHING:
            if not one.given:
                others = Agreed(given=False, everything=True)
                by_topic = dict.fromkeys(by_topic, others)
        else:
            by_topic[one.topic] = _after(by_topic.get(one.topic, others), one)
    return InForce(by_topic, others)


def _after(before: Agreed | None, decision: Decision) -> Agreed:
    if not decision.given:
        return Agreed(given=False)
    if decision.confirmed:
        return Agreed(given=True)
    certain = before is not None and before.given and before.confirmed
    return before if certain and before is not None else Agreed(given=True, confirmed=False)
