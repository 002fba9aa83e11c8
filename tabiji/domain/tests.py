r"""Tests of an event's properties, as data. Written with `prop`, kept as JSON, read as words.

    prop("plan") == "pro"                  is there and equals; 1 and True differ, as in JSON
    prop("plan") != "pro"                  is there and is anything else
    prop("cart.total") >= 100              number with number, text with text, date-time with date-time
    prop("plan").one_of("pro", "team")     equals one of these
    prop("path").contains("/docs/")        a part of a text, or an element of a list
    prop("path").starts_with("/docs")      and ends_with
    prop("coupon").exists()                is there and is not null
    prop("path").matches(r"^/p/\d+$")       a regular expression, anywhere in the text; linear time
    a & b    a | b    ~a                   and, or, not

A dot leads into what is inside: `cart.total`, `items.0.sku`. A property whose own name is the whole text wins.

Every test is total: what is absent or of another type is False, never an error. So `~test` of something absent is True.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, Literal, NoReturn, TypeAlias, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    StrictFloat,
    StrictInt,
    StrictStr,
    field_validator,
    model_serializer,
)
from pydantic_core import SchemaError, SchemaValidator, core_schema

from tabiji.domain.values import ABSENT, Ordered, Plain, Properties, in_words, look_up, order, ordered, plain, same

MAX_PATTERN = 200
MAX_SEARCHED = 2_000
"""A text longer than this matches no regular expression."""
MAX_NODES = 200
"""So many single tests a condition may be made of."""


class Data(BaseModel):
    """A value that is small as JSON: what stands at its default is left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    always_told: ClassVar[frozenset[str]] = frozenset(("op", "kind"))

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        return {
            name: value
            for name, value in handler(self).items()
            if name in self.always_told or fields[name].is_required() or getattr(self, name) != fields[name].default
        }

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"{self} is not true or false by itself: it is tested on events later. "
            "Combine with & | ~ (in parentheses), not with `and`, `or`, `not`, `in` or 1 < prop(…) < 5."
        )


class _Test(Data):
    """What all tests share."""

    def holds(self, properties: Properties) -> bool:
        """Whether these properties pass. Never raises."""
        raise NotImplementedError

    def __and__(self, other: Test) -> Every:
        return Every(of=(*_parts(self, Every), *_parts(other, Every)))

    def __or__(self, other: Test) -> Some:
        return Some(of=(*_parts(self, Some), *_parts(other, Some)))

    def __invert__(self) -> Not:
        return Not(of=cast("Test", self))


class _OfOne(_Test):
    """A test of one property."""

    path: str

    def found(self, properties: Properties) -> object:
        """The property's value, or the mark of absence."""
        return look_up(properties, self.path)


class Equals(_OfOne):
    """Is there and equals, as JSON values do. Absent is not equal to anything, ``None`` included."""

    op: Literal["eq"] = "eq"
    value: JsonValue

    def holds(self, properties: Properties) -> bool:
        """See base class."""
        return same(self.found(properties), self.value)

    def __str__(self) -> str:
        return f"{self.path} = {in_words(self.value)}"


class Differs(_OfOne):
    """Is there and is anything else, of whatever type."""

    op: Literal["ne"] = "ne"
    value: JsonValue

    def holds(self, properties: Properties) -> bool:
        """See base class."""
        found = self.found(properties)
        return found is not ABSENT and not same(found, self.value)

    def __str__(self) -> str:
        return f"{self.path} is not {in_words(self.value)}"


class OneOf(_OfOne):
    """Equals one of several values."""

    op: Literal["in"] = "in"
    values: Annotated[tuple[JsonValue, ...], Field(max_length=1000)]

    def holds(self, properties: Properties) -> bool:
        """See base class."""
        found = self.found(properties)
        return any(same(found, value) for value in self.values)

    def __str__(self) -> str:
        return f"{self.path} is one of {', '.join(map(in_words, self.values))}"


class Contains(_OfOne):
    """A text has this part, or a list has this element."""

    op: Literal["contains"] = "contains"
    value: JsonValue

    def holds(self, properties: Properties) -> bool:
        """See base class."""
        found = self.found(properties)
        if isinstance(found, list):
            return any(same(element, self.value) for element in cast("list[object]", found))
        return isinstance(found, str) and isinstance(self.value, str) and self.value in found

    def __str__(self) -> str:
        return f"{self.path} contains {in_words(self.value)}"


class StartsWith(_OfOne):
    """A text begins so."""

    op: Literal["starts"] = "starts"
    value: str

    def holds(self, properties: Properties) -> bool:
        """See base class."""
        found = self.found(properties)
        return isinstance(found, str) and found.startswith(self.value)

    def __str__(self) -> str:
        return f"{self.path} starts with {self.value}"


class EndsWith(_OfOne):
    """A text ends so."""

    op: Literal["ends"] = "ends"
    value: str

    def holds(self, properties: Properties) -> bool:
        """See base class."""
        found = self.found(properties)
        return isinstance(found, str) and found.endswith(self.value)

    def __str__(self) -> str:
        return f"{self.path} ends with {self.value}"


class Compares(_OfOne):
    """More or less than a value of the same type.

    Where the value is an ISO date or date-time, the property must be one too, and instants are compared; one without
    a zone counts as UTC. Other texts compare letter by letter.
    """

    op: Literal["gt", "ge", "lt", "le"]
    value: StrictInt | StrictFloat | StrictStr

    def holds(self, properties: Properties) -> bool:
        """See base class."""
        sign = order(self.found(properties), self.value)
        if sign is None:
            return False
        return {"gt": sign > 0, "ge": sign >= 0, "lt": sign < 0, "le": sign <= 0}[self.op]

    def __str__(self) -> str:
        return f"{self.path} {_SIGNS[self.op]} {self.value}"

    @field_validator("value")
    @classmethod
    def _finite(cls, value: int | float | str) -> int | float | str:
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("must be a finite number")
        return value


class Exists(_OfOne):
    """Is there, and is not null."""

    op: Literal["exists"] = "exists"

    def holds(self, properties: Properties) -> bool:
        """See base class."""
        return self.found(properties) not in (ABSENT, None)

    def __str__(self) -> str:
        return f"{self.path} exists"


class Matches(_OfOne):
    """A regular expression is found somewhere in a text; `^` and `$` tie it to the ends.

    The engine needs time in proportion to the text, whatever the pattern, so it knows neither look-around nor
    back-references.
    """

    op: Literal["matches"] = "matches"
    pattern: str

    def holds(self, properties: Properties) -> bool:
        """See base class."""
        found = self.found(properties)
        return isinstance(found, str) and len(found) <= MAX_SEARCHED and _engine(self.pattern).isinstance_python(found)

    def __str__(self) -> str:
        return f"{self.path} matches {self.pattern}"

    @field_validator("pattern")
    @classmethod
    def _can_be_read(cls, pattern: str) -> str:
        if len(pattern) > MAX_PATTERN:
            raise ValueError(f"a pattern has at most {MAX_PATTERN} characters, this one {len(pattern)}")
        try:
            _engine(pattern)
        except SchemaError as error:
            raise ValueError(f"{pattern!r} is no pattern we can run: {_reason(error)}") from None
        return pattern


class Every(_Test):
    """All of these hold."""

    op: Literal["and"] = "and"
    of: Annotated[tuple[Test, ...], Field(min_length=1, max_length=MAX_NODES)]

    def holds(self, properties: Properties) -> bool:
        """See base class."""
        return all(test.holds(properties) for test in self.of)

    def __str__(self) -> str:
        return " and ".join(f"({test})" if isinstance(test, Some) else str(test) for test in self.of)


class Some(_Test):
    """At least one of these holds."""

    op: Literal["or"] = "or"
    of: Annotated[tuple[Test, ...], Field(min_length=1, max_length=MAX_NODES)]

    def holds(self, properties: Properties) -> bool:
        """See base class."""
        return any(test.holds(properties) for test in self.of)

    def __str__(self) -> str:
        return " or ".join(f"({test})" if isinstance(test, Every) else str(test) for test in self.of)


class Not(_Test):
    """This does not hold: true of what is absent, too."""

    op: Literal["not"] = "not"
    of: Test

    def holds(self, properties: Properties) -> bool:
        """See base class."""
        return not self.of.holds(properties)

    def __invert__(self) -> Test:  # type: ignore[override] # not not is the thing itself
        return self.of

    def __str__(self) -> str:
        return f"not ({self.of})"


Test: TypeAlias = Annotated[
    Equals | Differs | OneOf | Contains | StartsWith | EndsWith | Compares | Exists | Matches | Every | Some | Not,
    Field(discriminator="op"),
]
"""Any test."""

for _recursive in (Every, Some, Not):
    _recursive.model_rebuild()


class Prop:
    """A property of an event, to be compared. Made by `prop`."""

    __slots__ = ("path",)
    __hash__ = None  # type: ignore[assignment] # == makes a test here

    def __init__(self, path: str) -> None:
        self.path = path

    def __eq__(self, other: Plain) -> Equals:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # a test, not an answer
        return Equals(path=self.path, value=plain(other, self.path))

    def __ne__(self, other: Plain) -> Differs:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # a test, not an answer
        return Differs(path=self.path, value=plain(other, self.path))

    def __gt__(self, other: Ordered) -> Compares:
        return Compares(op="gt", path=self.path, value=ordered(other, self.path))

    def __ge__(self, other: Ordered) -> Compares:
        return Compares(op="ge", path=self.path, value=ordered(other, self.path))

    def __lt__(self, other: Ordered) -> Compares:
        return Compares(op="lt", path=self.path, value=ordered(other, self.path))

    def __le__(self, other: Ordered) -> Compares:
        return Compares(op="le", path=self.path, value=ordered(other, self.path))

    def one_of(self, *values: Plain) -> OneOf:
        """Equals one of these."""
        return OneOf(path=self.path, values=tuple(plain(value, self.path) for value in values))

    def contains(self, value: Plain) -> Contains:
        """A text has this part, or a list has this element."""
        return Contains(path=self.path, value=plain(value, self.path))

    def starts_with(self, value: str) -> StartsWith:
        """A text begins so."""
        return StartsWith(path=self.path, value=value)

    def ends_with(self, value: str) -> EndsWith:
        """A text ends so."""
        return EndsWith(path=self.path, value=value)

    def exists(self) -> Exists:
        """Is there, and is not null."""
        return Exists(path=self.path)

    def matches(self, pattern: str) -> Matches:
        """A regular expression is found in it. At most 200 characters, no look-around, no back-references."""
        try:
            return Matches(path=self.path, pattern=pattern)
        except ValueError as error:
            reason = str(error).split("Value error, ")[-1].split(" [type=")[0]
            raise ValueError(f"prop({self.path!r}).matches(…): {reason}") from None

    def __bool__(self) -> NoReturn:
        raise TypeError(f"prop({self.path!r}) is not true or false by itself. Say prop({self.path!r}).exists().")


def prop(path: str) -> Prop:
    """Name a property to test: ``prop("total") >= 100``, ``prop("cart.total") >= 100``."""
    if not path:
        raise ValueError("prop() takes the name of a property, e.g. prop('total')")
    return Prop(path)


def size(test: Test) -> int:
    """Of how many single tests a test is made."""
    match test:
        case Every() | Some():
            return 1 + sum(size(part) for part in test.of)
        case Not():
            return 1 + size(test.of)
        case _:
            return 1


def mentions(test: Test, path: str) -> bool:
    """Whether a test is about this property, anywhere in it."""
    match test:
        case Every() | Some():
            return any(mentions(part, path) for part in test.of)
        case Not():
            return mentions(test.of, path)
        case _:
            return test.path == path


@lru_cache(maxsize=512)
def _engine(pattern: str) -> SchemaValidator:
    """Pydantic's own engine for patterns: linear in the text, bounded in memory."""
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex", strict=True))


def _reason(error: SchemaError) -> str:
    return str(error).strip().splitlines()[-1].strip().removeprefix("error: ")


def _parts(test: _Test, kind: type[Every] | type[Some]) -> tuple[Test, ...]:
    return test.of if isinstance(test, kind) else (cast("Test", test),)


_SIGNS: Final = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
