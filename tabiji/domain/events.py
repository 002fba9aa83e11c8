"""Events, declared: what is sent to us, with its properties and an example. Written in `workflows/events.py`.

    class OrderCompleted(Event, name="Order Completed", example={"total": 120.5, "currency": "EUR"}):
        total: Decimal
        currency: str
        coupon: str | None = None

    on(OrderCompleted, prop("total") >= 100, take=("total",))     a misspelt property is an error where it is written
    OrderCompleted.of(happened).total                             a Decimal, for type checkers too

Nothing that is sent is refused for its declaration: unknown names, missing properties and wrong types are counted and
shown by `tabiji events`. Where an application declares no event of its own, no name is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, Self

from pydantic import JsonValue, ValidationError

from tabiji.domain.kinds import Kind, Shape, kind_of, shapes_of
from tabiji.domain.tests import (
    Compares,
    Contains,
    EndsWith,
    Equals,
    Every,
    Matches,
    Not,
    OneOf,
    Some,
    StartsWith,
    Test,
)
from tabiji.domain.values import Properties
from tabiji.errors import InvalidEvent, JourneyDefinitionError

UNKNOWN_EVENT = "unknown event"
"""The problem of an event nobody has declared."""

UTM: Mapping[str, str] = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_term": "term",
    "utm_content": "content",
}
"""Properties any event may carry: what the address of the page said of the campaign that led there. Beside each, what
Segment's `context.campaign` calls it."""


class Carried(Protocol):
    """What has an event's properties: `Happened`."""

    @property
    def properties(self) -> Properties:
        """Those the journey takes."""
        ...


class Problem(NamedTuple):
    """Where an event is not as declared. `property` is empty where the whole event is meant."""

    property: str
    problem: str

    def __str__(self) -> str:
        return f"{self.property}: {self.problem}" if self.property else self.problem


class Event:
    """Base of declared events. Annotations are properties; one with a default, or `| None`, may be absent."""

    event_name: ClassVar[str]
    further: ClassVar[bool] = False
    example: ClassVar[Mapping[str, JsonValue]] = {}
    _shapes: ClassVar[Mapping[str, Shape] | None] = None

    def __init_subclass__(
        cls, *, name: str, open: bool = False, example: Mapping[str, JsonValue] | None = None
    ) -> None:
        """Declare it.

        Args:
            name: Exactly as it is sent.
            open: Further properties are no mistake.
            example: Properties as they are sent, for those who read the list of events.
        """
        super().__init_subclass__()
        if not name.strip() or len(name) > 200:
            raise JourneyDefinitionError(f"event {cls.__name__} needs a name of 1 to 200 characters.")
        cls.event_name = name
        cls.further = open
        cls.example = example or {}
        cls._shapes = None

    @classmethod
    def shapes(cls) -> Mapping[str, Shape]:
        """Its properties by name.

        Raises:
            JourneyDefinitionError: One has a type that JSON cannot carry.
        """
        if cls._shapes is None:
            cls._shapes = shapes_of(cls)
        return cls._shapes

    @classmethod
    def of(cls, event: Carried) -> Self:
        """Read an event's properties as declared.

        A property the journey does not take is not there: reading it raises AttributeError, or gives its default.

        Raises:
            InvalidEvent: A property was sent with another type. A condition that compares it, as in
                `prop("total") >= 0`, keeps such events out.
        """
        read = cls.__new__(cls)
        for name, shape in cls.shapes().items():
            if name in event.properties:
                try:
                    vars(read)[name] = shape.adapter.validate_python(event.properties[name])
                except ValidationError:
                    raise InvalidEvent(
                        name, f"of event {cls.event_name!r} {shape.wrong(event.properties[name])}"
                    ) from None
            elif not shape.required:
                vars(read)[name] = shape.default
        return read

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(
                f"event {self.event_name!r} has no {name!r} here: it did not carry it, or the journey does not take "
                f"it. Say on({type(self).__name__}, take=({name!r},))."
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


def doubts(event: type[Event], where: Iterable[Test], take: Iterable[str] = ()) -> Iterator[str]:
    """What tests of an event's properties ask for that its declaration excludes."""
    shapes = event.shapes()
    for test in where:
        yield from _doubts(event, shapes, test)
    if not event.further:
        yield from (_unknown(shapes, name) for name in take if name not in shapes and name not in UTM)


def _doubts(event: type[Event], shapes: Mapping[str, Shape], test: Test) -> Iterator[str]:
    match test:
        case Every() | Some():
            for part in test.of:
                yield from _doubts(event, shapes, part)
        case Not():
            yield from _doubts(event, shapes, test.of)
        case _:
            name, dot, _rest = test.path.partition(".")
            shape = shapes.get(test.path) or shapes.get(name)
            if shape is None:
                if not event.further and name not in UTM:
                    yield _unknown(shapes, name)
            elif dot and test.path not in shapes:
                if not shape.kinds & {Kind.LIST, Kind.OBJECT, Kind.ANY}:
                    yield f"{name} is {shape}: nothing is inside it"
            elif not _can_hold(shape, test):
                yield f"{test} is never true: {name} is {shape}"


def _can_hold(shape: Shape, test: Test) -> bool:
    match test:
        case Equals():
            return shape.fits(test.value)
        case OneOf():
            return any(map(shape.fits, test.values))
        case Compares():
            ordered = {Kind.TEXT, Kind.DATE} if isinstance(test.value, str) else {Kind.NUMBER, Kind.WHOLE}
            return bool(shape.kinds & {*ordered, Kind.ANY})
        case StartsWith() | EndsWith() | Matches():
            return bool(shape.kinds & {Kind.TEXT, Kind.DATE, Kind.ANY})
        case Contains():
            return bool(shape.kinds & {Kind.TEXT, Kind.LIST, Kind.ANY})
        case _:
            return True


def _unknown(shapes: Mapping[str, Shape], name: str) -> str:
    return f"has no property {name!r}; it has {', '.join(shapes) or 'none'}"


def shape_in_words(properties: Properties, *, most: int = 20) -> dict[str, str]:
    """Names and kinds of an event's properties, without any value."""
    return {name[:60]: kind_of(value).value for name, value in list(properties.items())[:most]}
