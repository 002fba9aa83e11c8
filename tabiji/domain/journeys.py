"""What the outside must know of a journey: its name, what starts it, what ends it, who may enter again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tabiji.domain.conditions import Condition
from tabiji.errors import JourneyDefinitionError, UnknownJourney


class Reentry(BaseModel):
    """Whether somebody who has been through a journey may enter it again.

    Nobody is ever twice in the same journey at the same time for the same key.
    """

    model_config = ConfigDict(frozen=True)

    rule: Literal["never", "after", "always"]
    period: timedelta | None = None

    def allows(self, *, last_entered: datetime | None, now: datetime) -> bool:
        """Decide for one person; `last_entered` is ``None`` for somebody new."""
        if last_entered is None or self.rule == "always":
            return True
        return self.rule == "after" and self.period is not None and now - last_entered >= self.period


never = Reentry(rule="never")
always = Reentry(rule="always")


def after(*, days: float = 0, hours: float = 0) -> Reentry:
    """Again once this much time has passed since the last entry."""
    period = timedelta(days=days, hours=hours)
    if period <= timedelta(0):
        raise ValueError("after() takes a period of more than zero, e.g. after(days=90)")
    return Reentry(rule="after", period=period)


class JourneySpec(BaseModel):
    """A journey as data."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    triggers: tuple[Condition, ...]
    goals: tuple[Condition, ...]
    reentry: Reentry


class Catalog:
    """Every journey that is loaded, found by name or by the event that starts it."""

    def __init__(self, specs: Iterable[JourneySpec] = ()) -> None:
        self._by_name: dict[str, JourneySpec] = {}
        self._by_event: dict[str, list[tuple[JourneySpec, Condition]]] = {}
        for spec in specs:
            if spec.name in self._by_name:
                raise JourneyDefinitionError(
                    f"two journeys are called {spec.name!r}. Rename one class, or give it @journey(name=…)."
                )
            self._by_name[spec.name] = spec
            for trigger in spec.triggers:
                self._by_event.setdefault(trigger.event, []).append((spec, trigger))
        for spec in self:
            for goal in spec.goals:
                if goal.then is not None and goal.then not in self._by_name:
                    raise JourneyDefinitionError(
                        f"journey {spec.name!r} hands over to {goal.then!r}, which is not loaded. "
                        "Put its class into a module of workflows/."
                    )

    def __iter__(self) -> Iterator[JourneySpec]:
        return iter(self._by_name.values())

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    @property
    def names(self) -> tuple[str, ...]:
        """Sorted, for messages and lists."""
        return tuple(sorted(self._by_name))

    def get(self, name: str) -> JourneySpec:
        """Find by name.

        Raises:
            UnknownJourney: Nothing is called that; the message lists what is.
        """
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownJourney(name, self.names) from None

    def started_by(self, event: str) -> list[tuple[JourneySpec, Condition]]:
        """Journeys an event of this name may start, each with the trigger whose tests are still to pass."""
        return self._by_event.get(event, [])
