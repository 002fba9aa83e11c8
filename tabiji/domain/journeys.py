"""What the outside must know of a journey: its name, what starts it, what ends it, who may enter again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from tabiji.domain.conditions import Condition
from tabiji.domain.dates import ContactDate
from tabiji.domain.durations import in_words
from tabiji.domain.launch import Launch
from tabiji.domain.occasions import Schedule
from tabiji.domain.patterns import AnyOf, Pattern, conditions_in
from tabiji.domain.values import Properties, look_up
from tabiji.errors import JourneyDefinitionError, UnknownJourney

MAX_KEY = 200


class Reentry(BaseModel):
    """Whether somebody who has been through a journey may enter it again.

    Nobody is ever twice in the same journey at the same time for the same key.

        never                     once in a lifetime
        each_time                 once for each date or schedule that comes round; who comes by an event: once
        after(days=90)            once this much time has passed since the last entry
        always                    as soon as they are out
        always.per("order_id")    the same, for each order apart: two orders are two enrollments side by side
    """

    model_config = ConfigDict(frozen=True)

    rule: Literal["never", "each", "after", "always"]
    period: timedelta | None = None
    key: str | None = None
    at_once: int | None = None

    def per(self, key: str, *, at_once: int | None = None) -> Reentry:
        """Decide for each value of a property of the trigger's event apart.

        An event without that property enters nobody: it is counted among the problems of events.

        Args:
            key: Name of the property; a dotted path. Its value is a text or a number.
            at_once: In so many of these a contact may be at the same time; any number where not given.
        """
        if not key:
            raise ValueError("per() takes the name of a property of the trigger's event, e.g. always.per('order_id')")
        if at_once is not None and at_once < 1:
            raise ValueError("at_once is 1 or more")
        return self.model_copy(update={"key": key, "at_once": at_once})

    def allows(self, *, last_entered: datetime | None, now: datetime, by_clock: bool = False) -> bool:
        """Decide for one person and key.

        Args:
            last_entered: ``None`` for somebody new.
            now: Journey time.
            by_clock: It is a date or a schedule that would enter them.
        """
        if last_entered is None or self.rule == "always" or (self.rule == "each" and by_clock):
            return True
        return self.rule == "after" and self.period is not None and now - last_entered >= self.period

    def entry_key(self, properties: Properties) -> str | None:
        """What re-entry is decided for, of a trigger's event: "" where the rule knows no key.

        Returns:
            None where the event cannot say: the property is absent, empty, too long, or no text or number.
        """
        if self.key is None:
            return ""
        match look_up(properties, self.key):
            case str(text) if text.strip() and len(text) <= MAX_KEY:
                return text
            case bool():
                return None
            case int(number):
                return str(number)[:MAX_KEY]
            case float(number):
                return str(int(number)) if number.is_integer() else str(number)
            case _:
                return None

    def __str__(self) -> str:
        when = {
            "never": "never",
            "each": "each time",
            "always": "always",
            "after": f"after {in_words(self.period or timedelta(0))}",
        }
        per = f" per {self.key}" if self.key else ""
        return f"{when[self.rule]}{per}{f', at most {self.at_once} at once' if self.at_once else ''}"


never = Reentry(rule="never")
each_time = Reentry(rule="each")
always = Reentry(rule="always")


def after(*, days: float = 0, hours: float = 0) -> Reentry:
    """Again once this much time has passed since the last entry."""
    period = timedelta(days=days, hours=hours)
    if period <= timedelta(0):
        raise ValueError("after() takes a period of more than zero, e.g. after(days=90)")
    return Reentry(rule="after", period=period)


def starts(given: Iterable[Pattern]) -> tuple[Condition, ...]:
    """Triggers as a journey keeps them: `a | b` is two triggers.

    Raises:
        JourneyDefinitionError: One asks for several events, or has `then=`.
    """
    found = tuple(_single_events(given, "trigger"))
    for trigger in found:
        if trigger.then is not None:
            raise JourneyDefinitionError(
                f"trigger {trigger} has then={trigger.then!r}, which goals alone have. "
                "A trigger enters this journey; what comes after it is said by goal=on(…, then=…)."
            )
    return found


def ends(given: Iterable[Pattern], what: Literal["goal", "exit"]) -> tuple[Condition, ...]:
    """Goals or exits as a journey keeps them: `a | b` is two.

    Raises:
        JourneyDefinitionError: One asks for several events, or an exit has `then=`.
    """
    found = tuple(_single_events(given, what))
    for end in found:
        if what == "exit" and end.then is not None:
            raise JourneyDefinitionError(
                f"exit {end} has then={end.then!r}, which goals alone have. Make it a goal, or leave then= out."
            )
    return found


def refuse_then(step: str, *patterns: Pattern) -> None:
    """Hold what a step asks for against what only goals can say.

    Raises:
        JourneyDefinitionError: A condition has `then=`.
    """
    for condition in (one for pattern in patterns for one in conditions_in(pattern)):
        if condition.then is not None:
            raise JourneyDefinitionError(
                f"step {step!r} asks for {condition} with then={condition.then!r}, which goals alone have. "
                "Leave then= out, and enter the next journey with `await self.enter(…)`."
            )


def _single_events(given: Iterable[Pattern | str], what: str) -> Iterator[Condition]:
    for pattern in given:
        match pattern:
            case Condition():
                yield pattern
            case AnyOf():
                yield from _single_events(pattern.of, what)
            case str():
                raise JourneyDefinitionError(f"{what} {pattern!r} is a text. Say {what}=on({pattern!r}).")
            case _:
                raise JourneyDefinitionError(
                    f"{what} asks for several events: {pattern}. A {what} is one event, on(…), or on(…) | on(…). "
                    f"Wait for a pattern inside the journey: `await self.wait_for(…)`, then act or `self.exit(…)`."
                )


Overdue: TypeAlias = Literal["send", "shift", "skip"]
"""What a resume does with what became due during a pause: at once, as long after the pause as it was due after its
beginning, or, for what reaches people, not at all."""


class JourneySpec(BaseModel):
    """A journey as data."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    triggers: tuple[Condition, ...]
    goals: tuple[Condition, ...]
    exits: tuple[Condition, ...] = ()
    overdue: Overdue = "send"
    priority: int = 0
    """Where a cap leaves room for one message only, the one of the higher journey gets it."""
    holdout: float = 0.0
    """This share of the people who come to a mail of it get none of its marketing, for comparison."""
    dates: tuple[ContactDate, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    reentry: Reentry
    unlaunched: Launch = Launch.LIVE
    """What it is where nobody has said whether it is a draft or live; the catalog knows."""


class Catalog:
    """Every journey that is loaded, found by name or by the event that starts it."""

    def __init__(self, specs: Iterable[JourneySpec] = (), *, unlaunched: Launch = Launch.LIVE) -> None:
        """Take these in.

        Args:
            specs: Of the journeys that are loaded.
            unlaunched: What a journey is of which nobody has said whether it is a draft or live.
        """
        self._by_name: dict[str, JourneySpec] = {}
        self._by_event: dict[str, list[tuple[JourneySpec, Condition]]] = {}
        for spec in (given.model_copy(update={"unlaunched": unlaunched}) for given in specs):
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
