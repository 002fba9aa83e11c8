"""What a journey waits for, as data: an event's name and tests of its properties.

The same object filters in the API, names itself in the Temporal UI and travels as JSON.

    on("Order Completed")                             any order
    on("Page Viewed", path="/pricing")                this property equals that value
    on("Order Completed", prop("total") >= 100)       see `prop` for what can be tested
    on(OrderCompleted, prop("total") >= 100)          a declared event: misspelt properties are refused here
    on("Order Completed", take=("total",))            the journey gets `total` with the event, nothing else
    on("Order Completed", then=Onboarding)            as a goal: the next journey begins at once
    on("A") | on("B")                                 either
    on("Page Viewed").times(3, within=days(7))        three times within a week
    on("Email Opened")                                by a person; with machine=True, by a program
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple, Protocol

from pydantic import Field, JsonValue, field_validator

from tabiji.domain.events import Event, doubts
from tabiji.domain.tests import MAX_NODES, Data, Equals, Test, mentions, size
from tabiji.domain.values import Properties, plain
from tabiji.errors import JourneyDefinitionError

if TYPE_CHECKING:
    from tabiji.domain.patterns import AnyOf, Pattern, Times

MACHINES_TOO = frozenset(("Email Opened", "Email Link Clicked"))
"""Events that programs bring about, too: those that fetch images beforehand, and those that check links."""
MACHINE = "machine"
"""Their property: true where a program did it."""


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str:
        """The name."""
        ...


class Declared(Protocol):
    """A journey's class, once `@journey` has declared it."""

    @property
    def spec(self) -> Named:
        """The journey as data."""
        ...


class Seen(NamedTuple):
    """An event as the database has it. `seq` is its place in the contact's order, `at` when it happened."""

    seq: int
    name: str
    properties: Properties
    at: datetime


class Found(NamedTuple):
    """The earliest complete answer to a pattern.

    `events` in seq order, the last completes it. `which` is the place of the `AnyOf` alternative that answered.
    `parts` has one event for each part in the order declared: for `all_of` the one that completed the part.
    """

    events: tuple[Seen, ...]
    which: int = 0
    parts: tuple[Seen, ...] = ()


class Condition(Data):
    """An event by name, every property test passed."""

    # A pattern without a kind is a condition.
    always_told: ClassVar[frozenset[str]] = frozenset()

    kind: Literal["event"] = "event"
    event: Annotated[str, Field(max_length=200)]
    where: tuple[Test, ...] = ()
    take: tuple[str, ...] = ()
    then: str | None = None

    @property
    def names(self) -> frozenset[str]:
        """Names of the events that matter."""
        return frozenset((self.event,))

    def matches(self, event: str, properties: Properties) -> bool:
        """Whether an event is one of those meant.

        What a program did with a mail is meant only where a test asks for `machine`.
        """
        return (
            event == self.event
            and all(test.holds(properties) for test in self.where)
            and not (properties.get(MACHINE) is True and self._means_people)
        )

    @property
    def _means_people(self) -> bool:
        return self.event in MACHINES_TOO and not any(mentions(test, MACHINE) for test in self.where)

    def find(self, seen: Sequence[Seen]) -> Found | None:
        """The earliest of these events that is meant. They stand in seq order."""
        for one in seen:
            if self.matches(one.name, one.properties):
                return Found((one,), parts=(one,))
        return None

    def taken(self, properties: Properties) -> dict[str, JsonValue]:
        """Of an event's properties, only those the journey asked for: the rest stays in the database."""
        return {name: properties[name] for name in self.take if name in properties}

    def taken_from(self, event: str, properties: Properties) -> dict[str, JsonValue]:
        """The same where the event may be one this condition does not mean: then nothing."""
        return self.taken(properties) if self.matches(event, properties) else {}

    def times(self, count: int, *, within: timedelta | None = None) -> Times:
        """So many of these events; with `within`, no further apart than this."""
        from tabiji.domain.patterns import times

        return times(self, count, within)

    def __or__(self, other: Pattern) -> AnyOf:
        """Whichever comes first."""
        from tabiji.domain.patterns import any_of

        return any_of(self, other)

    def __str__(self) -> str:
        tests = " and ".join(map(self._said, self.where))
        return f"{self.event} ({tests})" if tests else self.event

    def _said(self, test: Test) -> str:
        # The id of a mail says nothing to a reader, and would make every person's way another.
        if self.event.startswith("Email ") and isinstance(test, Equals) and test.path == "message":
            return "this mail"
        return f"({test})" if test.op == "or" else str(test)

    @field_validator("event")
    @classmethod
    def _named(cls, event: str) -> str:
        if not event.strip():
            raise ValueError("must not be empty")
        return event

    @field_validator("where")
    @classmethod
    def _bounded(cls, where: tuple[Test, ...]) -> tuple[Test, ...]:
        if sum(map(size, where)) > MAX_NODES:
            raise ValueError(f"a condition has at most {MAX_NODES} tests")
        return where


def on(
    event: str | type[Event],
    /,
    *tests: Test,
    take: tuple[str, ...] = (),
    then: Declared | None = None,
    **properties: JsonValue,
) -> Condition:
    """Declare an event to start on, wait for, or end at.

    Args:
        event: The event's name, exactly as the web app sends it, or its declaration.
        *tests: Every one must hold, e.g. ``prop("total") >= 100``.
        take: Names of the properties the journey may read. Only these enter the Temporal history.
        then: For goals: the journey a person enters when this goal ends the present one.
        **properties: Each must equal its value.
    """
    name = event if isinstance(event, str) else event.event_name
    if not name.strip():
        raise ValueError("on() takes an event name, e.g. on('Order Completed')")
    equal = (Equals(path=path, value=plain(value, path)) for path, value in properties.items())
    where = (*tests, *equal)
    if not isinstance(event, str):
        for doubt in doubts(event, where, take):
            raise JourneyDefinitionError(f"on({event.__name__}, …): {doubt}.")
    return Condition(
        event=name,
        where=where,
        take=take,
        then=then.spec.name if then is not None else None,
    )
