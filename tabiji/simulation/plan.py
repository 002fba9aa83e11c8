"""What one invented person is going to do, and when: drawn as they go."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from pydantic import JsonValue

from tabiji.domain.conditions import Condition
from tabiji.domain.examples import examples_of
from tabiji.domain.patterns import Pattern, conditions_in
from tabiji.simulation.behaviour import Act, Behaviour, Reading
from tabiji.testing import Mail

LATEST_ANSWER = timedelta(days=2)
"""A wait without a time limit is answered within this."""


@dataclass(frozen=True, order=True)
class Deed:
    """One thing they do."""

    at: datetime
    number: int
    event: str = field(compare=False)
    properties: dict[str, JsonValue] = field(compare=False)


class Plan:
    """Drawn from the behaviour with this person's own dice: the same seed, the same life."""

    def __init__(self, behaviour: Behaviour, person: int, now: datetime) -> None:
        self._behaviour = behaviour
        self._dice = random.Random(f"{behaviour.seed}/{person}")  # noqa: S311 # chance of a simulation
        self._deeds: list[Deed] = []
        self._numbers = count()
        self._known: set[object] = set()
        self.kind = self._dice.choices(behaviour.persons, [one.weight for one in behaviour.persons])[0]
        for name, act in behaviour.events.items():
            self._maybe(act.chance, name, act, now)

    @property
    def next(self) -> datetime | None:
        """When they act next."""
        return self._deeds[0].at if self._deeds else None

    def pop(self) -> Deed:
        """What they do then."""
        return heapq.heappop(self._deeds)

    def gets(self, mail: Mail) -> None:
        """They find a mail; what they do with it is drawn once."""
        reading = self._behaviour.reading(mail.template)
        if reading is None or mail.message in self._known:
            return
        self._known.add(mail.message)
        about: dict[str, JsonValue] = {"template": mail.template, "message": mail.message}
        for event, chance, more in _readings(reading):
            if self._dice.random() < chance:
                self._add(mail.at + self._dice.random() * reading.within, event, {**about, **more})

    def meets(self, wait: tuple[str, str, int], pattern: Pattern, now: datetime, until: datetime | None) -> None:
        """The journey waits for them. Where the file is silent about it, a coin says whether they act."""
        if wait in self._known:
            return
        self._known.add(wait)
        wanted = [one for one in conditions_in(pattern) if not self._is_planned(one)]
        if not wanted or self._dice.random() >= self._behaviour.waits:
            return
        acts = wanted if pattern.kind in ("all", "sequence") else [self._dice.choice(wanted)]
        acts *= getattr(pattern, "count", 1)
        span = (until - now) if until is not None and until > now else LATEST_ANSWER
        moments = sorted(self._dice.random() for _ in acts)
        for condition, moment in zip(acts, moments, strict=True):
            self._add(now + moment * span, condition.event, _properties_for(condition, self._dice))

    def _is_planned(self, condition: Condition) -> bool:
        """Whether the file itself says how likely this is."""
        by_mail = condition.event.startswith("Email ") and bool(self._behaviour.mails)
        return condition.event in self._behaviour.events or by_mail

    def _maybe(self, chance: float, name: str, act: Act, now: datetime) -> None:
        if self._dice.random() < chance:
            self._add(now + self._dice.random() * act.within, name, act.properties)

    def _add(self, at: datetime, event: str, properties: dict[str, JsonValue]) -> None:
        heapq.heappush(self._deeds, Deed(at, next(self._numbers), event, properties))


def _readings(reading: Reading) -> Iterator[tuple[str, float, dict[str, JsonValue]]]:
    yield "Email Opened", max(reading.opened, reading.clicked), {}
    yield "Email Link Clicked", reading.clicked, {"url": reading.link}
    yield "Email Replied", reading.replied, {}
    yield "Unsubscribed", reading.unsubscribed, {"topic": "marketing"}


def _properties_for(condition: Condition, dice: random.Random) -> dict[str, JsonValue]:
    """Properties that pass its tests. Where they cannot be guessed, the behaviour file says them."""
    found = examples_of(condition)
    return dice.choice(found) if found else {}
