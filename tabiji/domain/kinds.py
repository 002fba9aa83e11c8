"""What a declared property may be, in JSON's terms, read from its Python annotation."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel, JsonValue, TypeAdapter

from tabiji.domain.values import instant
from tabiji.errors import JourneyDefinitionError

ABSENT: Final = object()


class Kind(StrEnum):
    """What a JSON value is."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole number"
    YES_NO = "yes or no"
    DATE = "date or time"
    LIST = "list"
    OBJECT = "object"
    NULL = "null"
    ANY = "anything"


@dataclass(frozen=True)
class Shape:
    """One declared property. `options` are the values it may have, where there are only a few."""

    annotation: Any
    kinds: frozenset[Kind]
    options: tuple[JsonValue, ...] = ()
    default: Any = ABSENT

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """Turns JSON into what was declared. Kept here, not by annotation: a workflow's sandbox has its own classes,
        and they go when it goes.
        """
        return TypeAdapter(self.annotation)

    @property
    def required(self) -> bool:
        """Whether an event without it is not as declared."""
        return self.default is ABSENT

    def fits(self, value: JsonValue) -> bool:
        """Whether a value is as declared. A text of digits is no number: conditions compare numbers."""
        kinds = self.kinds
        if Kind.ANY in kinds:
            return True
        kind = kind_of(value)
        if kind is Kind.TEXT and Kind.TEXT not in kinds:
            return Kind.DATE in kinds and instant(cast("str", value)) is not None
        if kind is Kind.WHOLE and Kind.WHOLE not in kinds:
            kind = Kind.NUMBER
        elif kind is Kind.NUMBER and Kind.NUMBER not in kinds and cast("float", value).is_integer():
            kind = Kind.WHOLE
        return kind in kinds and (not self.options or kind is Kind.NULL or value in self.options)

    def wrong(self, value: JsonValue) -> str:
        """Why a value does not fit, without the value."""
        kind = kind_of(value)
        return f"is another {kind} than declared: {self}" if kind in self.kinds else f"is {kind}, declared as {self}"

    def __str__(self) -> str:
        if self.options:
            return "one of " + ", ".join(map(str, self.options))
        return " or ".join(kind.value for kind in Kind if kind in self.kinds and kind is not Kind.NULL)


def kind_of(value: object) -> Kind:
    """What a JSON value is."""
    match value:
        case None:
            return Kind.NULL
        case bool():
            return Kind.YES_NO
        case str():
            return Kind.TEXT
        case int():
            return Kind.WHOLE
        case float():
            return Kind.NUMBER
        case list():
            return Kind.LIST
        case _:
            return Kind.OBJECT


def shapes_of(cls: type) -> dict[str, Shape]:
    """Every annotated property of a class, its bases' first.

    Raises:
        JourneyDefinitionError: One has a type that JSON cannot carry, or that cannot be found.
    """
    try:
        hints = get_type_hints(cls, include_extras=True)
    except NameError as error:
        raise JourneyDefinitionError(f"event {cls.__name__} has a type that is not there: {error}") from None
    return {
        name: _shape(f"{cls.__name__}.{name}", hint, getattr(cls, name, ABSENT))
        for name, hint in hints.items()
        if get_origin(hint) is not ClassVar and not name.startswith("_")
    }


def example_of(shapes: Mapping[str, Shape]) -> dict[str, JsonValue]:
    """Something that fits, where the author gave no example."""
    return {
        name: shape.options[0] if shape.options else next(_EXAMPLES[kind] for kind in Kind if kind in shape.kinds)
        for name, shape in shapes.items()
    }


def _shape(place: str, hint: Any, default: Any) -> Shape:
    kinds, options = _kinds(place, hint)
    if Kind.NULL in kinds and default is ABSENT:
        default = None
    return Shape(hint, kinds, options, default)


def _kinds(place: str, hint: Any) -> tuple[frozenset[Kind], tuple[JsonValue, ...]]:
    """Kinds, and the only values there are, where an annotation lists them."""
    if hint is Any or hint is object or hint is JsonValue:
        return frozenset({Kind.ANY}), ()
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _kinds(place, inner[0])
    if origin in (Union, types.UnionType):
        parts = [_kinds(place, part) for part in inner]
        listed = [options for kinds, options in parts if kinds != frozenset({Kind.NULL})]
        only = tuple(option for options in listed for option in options) if all(listed) else ()
        return frozenset[Kind]().union(*(kinds for kinds, _ in parts)), only
    if origin is Literal:
        return frozenset(map(kind_of, inner)), inner
    kind = origin or hint
    if kind is None or kind is types.NoneType:
        return frozenset({Kind.NULL}), ()
    if isinstance(kind, type):
        if issubclass(kind, Enum):
            values = tuple(cast("JsonValue", member.value) for member in kind)
            return frozenset(map(kind_of, values)), values
        for known, means in _MEANS:
            if issubclass(kind, known):
                return frozenset({means}), ()
    raise JourneyDefinitionError(f"{place} is declared as {hint}, which JSON does not carry. Say str, Decimal, list …")


# bool before int, datetime before date, str before Sequence: what is first is meant.
_MEANS: Final[tuple[tuple[type, Kind], ...]] = (
    (bool, Kind.YES_NO),
    (str, Kind.TEXT),
    (int, Kind.WHOLE),
    (float, Kind.NUMBER),
    (Decimal, Kind.NUMBER),
    (datetime, Kind.DATE),
    (date, Kind.DATE),
    (BaseModel, Kind.OBJECT),
    (Mapping, Kind.OBJECT),
    (Sequence, Kind.LIST),
)
_EXAMPLES: Final[dict[Kind, JsonValue]] = {
    Kind.TEXT: "text",
    Kind.NUMBER: 12.5,
    Kind.WHOLE: 3,
    Kind.YES_NO: True,
    Kind.DATE: "2027-01-31T09:00:00Z",
    Kind.LIST: [],
    Kind.OBJECT: {},
    Kind.NULL: None,
    Kind.ANY: "anything",
}
