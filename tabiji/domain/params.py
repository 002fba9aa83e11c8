"""Values an author opens to those who run a journey, with bounds. They are turned without a deploy.

    NUDGE_AFTER = param("nudge-after", days(2), at_least=days(1), at_most=days(14), title="Wait before the nudge")

    await self.wait(await self.value(NUDGE_AFTER))

Every change is kept as a version. People who are in a journey keep what was in force when they entered; with
`moves=True` they get the newest at the moment of reading.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Generic, TypeVar, cast

from pydantic import JsonValue, TypeAdapter, ValidationError

from tabiji.domain.durations import in_words, parse_duration
from tabiji.errors import InvalidParam, JourneyDefinitionError, UnknownParam

T = TypeVar("T", bound=timedelta | int | float | Decimal | str)
LONGEST = 2_000
"""Characters of a text."""
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_DURATION: Final = TypeAdapter(timedelta)


@dataclass(frozen=True)
class Param(Generic[T]):
    """One value that may be turned. Made by `param`."""

    name: str
    default: T
    at_least: T | None
    at_most: T | None
    title: str
    moves: bool

    @property
    def kind(self) -> str:
        """What values are: duration, whole number, number, yes or no, text, or choice."""
        match cast("object", self.default):  # bool and enums are not among what T may be, but are int and str
            case bool():
                return "yes or no"
            case Enum():
                return "choice"
            case timedelta():
                return "duration"
            case int():
                return "whole number"
            case float() | Decimal():
                return "number"
            case _:
                return "text"

    @property
    def choices(self) -> tuple[str, ...]:
        """The only values there are, for a choice."""
        kind = type(self.default)
        return tuple(str(cast("Enum", member).value) for member in kind) if issubclass(kind, Enum) else ()

    def parse(self, value: JsonValue) -> T:
        """A value as it was kept or sent: durations as ``"2 days"`` or ISO 8601.

        Raises:
            InvalidParam: It has another type, or is out of bounds. The message says what may be given.
        """
        parsed = self._typed(value)
        low, high = self.at_least, self.at_most
        if (low is not None and cast("Any", parsed) < low) or (high is not None and cast("Any", parsed) > high):
            raise self._refused()
        return parsed

    def dump(self, value: T) -> JsonValue:
        """A value as it is kept."""
        match cast("object", value):
            case timedelta() as span:
                return cast("str", _DURATION.dump_python(span, mode="json"))
            case Enum(value=kept):
                return cast("str", kept)
            case Decimal():
                return str(value)
            case _:
                return cast("JsonValue", value)

    def in_words(self, value: T) -> str:
        """A value for a reader."""
        if isinstance(value, timedelta):
            return in_words(value)
        kept = self.dump(value)
        return {True: "yes", False: "no"}[kept] if isinstance(kept, bool) else str(kept)

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        bounds = [
            f"{words} {self.in_words(bound)}"
            for words, bound in (("at least", self.at_least), ("at most", self.at_most))
            if bound is not None
        ]
        longest = [f"at most {LONGEST} characters"] if self.kind == "text" else []
        return ", ".join([f"a {self.kind}" if self.kind != "yes or no" else "yes or no", *bounds, *longest])

    def _typed(self, value: JsonValue) -> T:
        typed: object = None
        match self.kind:
            case "duration" if isinstance(value, str):
                typed = parse_duration(value)
            case "yes or no" if isinstance(value, bool):
                typed = value
            case "whole number" if isinstance(value, int | float) and not isinstance(value, bool):
                typed = int(value) if isinstance(value, int) or value.is_integer() else None
            case "number" if not isinstance(value, bool):
                typed = self._number(value)
            case "text" if isinstance(value, str) and len(value) <= LONGEST:
                typed = value
            case "choice" if value in self.choices:
                typed = type(self.default)(cast("Any", value))
            case _:
                pass
        if typed is None:
            raise self._refused()
        return cast("T", typed)

    def _number(self, value: JsonValue) -> float | Decimal | None:
        try:
            # By way of text: 0.1 is meant as 0.1, not as the float next to it.
            number = Decimal(str(value)) if isinstance(value, str | int | float) else None
        except ArithmeticError:
            return None
        if number is None or not number.is_finite() or not math.isfinite(float(number)):
            return None
        return number if isinstance(self.default, Decimal) else float(number)

    def _refused(self) -> InvalidParam:
        return InvalidParam(self.name, self.allowed)


def param(
    name: str, default: T, *, title: str, at_least: T | None = None, at_most: T | None = None, moves: bool = False
) -> Param[T]:
    """Open a value to marketers. Declare it in a journey's file, in the module or in the class.

    Args:
        name: Lower-case words joined by hyphens, of its own in the application.
        default: In force until somebody turns it. Its type is the parameter's: timedelta, int, float, Decimal, bool,
            str or a StrEnum.
        title: What it is, for who turns it.
        at_least: The least value; for numbers and durations.
        at_most: The greatest.
        moves: People who are in a journey get the newest value too, not the one in force when they entered.

    Raises:
        JourneyDefinitionError: The declaration contradicts itself.
    """
    made = Param(name, default, at_least, at_most, title, moves)
    if not _NAME.fullmatch(name) or len(name) > 100:
        raise JourneyDefinitionError(
            f"param name {name!r} must be lower-case words joined by hyphens, up to 100 characters, e.g. 'nudge-after'."
        )
    if not title.strip():
        raise JourneyDefinitionError(f"param {name!r} needs a title: what it is, for who turns it.")
    bounds = [bound for bound in (at_least, at_most) if bound is not None]
    if bounds and made.kind in ("text", "choice", "yes or no"):
        raise JourneyDefinitionError(
            f"param {name!r} is a {made.kind}: at_least and at_most are for numbers and durations."
        )
    try:
        for value in (default, *bounds):
            made.parse(made.dump(value))
    except (InvalidParam, ValidationError) as error:
        raise JourneyDefinitionError(f"param {name!r}: its default and bounds contradict each other: {error}") from None
    return made


class ParamCatalog:
    """Every parameter that is declared, by name."""

    def __init__(self, params: Iterable[Param[Any]] = ()) -> None:
        self._by_name: dict[str, Param[Any]] = {}
        for one in params:
            if self._by_name.setdefault(one.name, one) is not one:
                raise JourneyDefinitionError(f"two params are called {one.name!r}. Rename one, or import the other.")

    def __iter__(self) -> Iterator[Param[Any]]:
        return iter(sorted(self._by_name.values(), key=lambda one: one.name))

    def get(self, name: str) -> Param[Any]:
        """Find by name.

        Raises:
            UnknownParam: None is called that; the message lists what is.
        """
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownParam(name, tuple(sorted(self._by_name))) from None
