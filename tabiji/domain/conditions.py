"""What a journey waits for, as data: an event's name and tests of its properties.

The same object filters in the API, names itself in the Temporal UI and travels as JSON.

    on("Order Completed")                             any order
    on("Page Viewed", path="/pricing")                this property equals that value
    on("Order Completed", take=("total",))            the journey gets `total` with the event, nothing else
    on("Order Completed", then=Onboarding)            as a goal: the next journey begins at once
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pydantic import BaseModel, ConfigDict, JsonValue


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


class PropertyTest(BaseModel):
    """One property must equal one value. Absent is not equal to anything, ``None`` included."""

    model_config = ConfigDict(frozen=True)

    name: str
    equals: JsonValue

    def holds(self, properties: Mapping[str, JsonValue]) -> bool:
        """Whether these properties pass. ``1`` and ``True`` differ, as they do in JSON."""
        if self.name not in properties:
            return False
        value = properties[self.name]
        return isinstance(value, bool) == isinstance(self.equals, bool) and value == self.equals

    def __str__(self) -> str:
        return f"{self.name} = {self.equals!r}" if not isinstance(self.equals, str) else f"{self.name} = {self.equals}"


class Condition(BaseModel):
    """An event by name, every property test passed."""

    model_config = ConfigDict(frozen=True)

    event: str
    where: tuple[PropertyTest, ...] = ()
    take: tuple[str, ...] = ()
    then: str | None = None

    def matches(self, event: str, properties: Mapping[str, JsonValue]) -> bool:
        """Whether an event is one of those meant."""
        return event == self.event and all(test.holds(properties) for test in self.where)

    def taken(self, properties: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Of an event's properties, only those the journey asked for: the rest stays in the database."""
        return {name: properties[name] for name in self.take if name in properties}

    def __str__(self) -> str:
        tests = " and ".join(map(str, self.where))
        return f"{self.event} ({tests})" if tests else self.event


def on(
    event: str, /, *, take: tuple[str, ...] = (), then: Declared | None = None, **properties: JsonValue
) -> Condition:
    """Declare an event to start on, wait for, or end at.

    Args:
        event: The event's name, exactly as the web app sends it.
        take: Names of the properties the journey may read. Only these enter the Temporal history.
        then: For goals: the journey a person enters when this goal ends the present one.
        **properties: Each must equal its value.
    """
    if not event or not event.strip():
        raise ValueError("on() takes an event name, e.g. on('Order Completed')")
    return Condition(
        event=event,
        where=tuple(PropertyTest(name=name, equals=value) for name, value in properties.items()),
        take=take,
        then=then.spec.name if then is not None else None,
    )
