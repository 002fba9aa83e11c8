"""People as tests describe them, and the events that enter them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from tabiji.domain.conditions import Condition
from tabiji.domain.journeys import JourneySpec
from tabiji.domain.tests import Equals
from tabiji.testing.memory.state import Person
from tabiji.testing.mistakes import Mistake

__tracebackhide__ = True


@dataclass(frozen=True)
class Persona:
    """A description. An empty `email` stands for one made from the id."""

    email: str | None
    consent: bool | Mapping[str, bool]
    timezone: str | None
    locale: str | None
    attributes: Mapping[str, JsonValue]
    tags: tuple[str, ...]
    lists: tuple[str, ...]
    segments: tuple[str, ...]
    score: int
    stage: str | None

    def person(self, id: str) -> Person:
        """The person, new."""
        by_topic = {} if isinstance(self.consent, bool) else dict(self.consent)
        return Person(
            id=id,
            email=f"{id}@example.com" if self.email == "" else self.email,  # None is another thing
            timezone=self.timezone,
            locale=self.locale,
            attributes=dict(self.attributes),
            score=self.score,
            stage=self.stage,
            tags=list(self.tags),
            lists=list(self.lists),
            segments=list(self.segments),
            consents=by_topic,
            default_consent=self.consent is True,
        )


def of_the_trigger(spec: JourneySpec, given: Mapping[str, JsonValue] | None) -> tuple[Condition, dict[str, JsonValue]]:
    """A trigger, and properties that pass its tests: what it says must be equal, and what the test gives.

    Raises:
        Mistake: No trigger is passed with these.
    """
    for trigger in spec.triggers:
        equal = {test.path: test.value for test in trigger.where if isinstance(test, Equals)}
        properties = {**equal, **(given or {})}
        if trigger.matches(trigger.event, properties):
            return trigger, properties
    asked = " or ".join(map(str, spec.triggers))
    raise Mistake(
        f"{spec.name} is entered by {asked}: say what the event has, e.g. "
        f"await journeys.start(…, event={{{_first_property(spec)!r}: …}})."
    )


def _first_property(spec: JourneySpec) -> str:
    return next(
        (path for trigger in spec.triggers for test in trigger.where if (path := getattr(test, "path", ""))), "name"
    )
