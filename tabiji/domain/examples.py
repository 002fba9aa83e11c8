"""Properties an event may have so that a condition holds: for events that are invented, before anybody sends them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import islice, product
from typing import Final

from pydantic import JsonValue

from tabiji.domain.conditions import Condition
from tabiji.domain.tests import (
    Compares,
    Contains,
    Differs,
    EndsWith,
    Equals,
    Every,
    Exists,
    Matches,
    Not,
    OneOf,
    Some,
    StartsWith,
    Test,
)

Properties = dict[str, JsonValue]

TRIED: Final = 2_000
"""So many combinations are looked at; whoever tests more says what the event has."""
A_DAY: Final = timedelta(days=1)


def examples_of(condition: Condition, known: Mapping[str, JsonValue] | None = None) -> tuple[Properties, ...]:
    """Properties that pass all of a condition's tests, in a stable order; none where no guess does.

    Args:
        condition: What is to hold.
        known: What the event has otherwise, such as a declared event's example. It wins wherever it passes.
    """
    base = dict(known or {})
    if condition.matches(condition.event, base):
        return (base,)
    guesses = product(*(tuple(_guesses(test)) for test in condition.where))
    found = (_joined(base, guess) for guess in islice(guesses, TRIED))
    return tuple(one for one in found if condition.matches(condition.event, one))


def _joined(base: Properties, parts: tuple[Properties, ...]) -> Properties:
    return {name: value for part in (base, *parts) for name, value in part.items()}


def _guesses(test: Test) -> Iterator[Properties]:
    match test:
        case Every(of=parts):
            yield from (_joined({}, guess) for guess in product(*(tuple(_guesses(part)) for part in parts)))
        case Some(of=parts):
            for part in parts:
                yield from _guesses(part)
        case Not():
            yield {}
        case _:
            yield from ({test.path: value} for value in _values(test))


def _values(
    test: Equals | Differs | OneOf | Contains | StartsWith | EndsWith | Compares | Exists | Matches,
) -> tuple[JsonValue, ...]:
    match test:
        case Equals(value=value) | StartsWith(value=value) | EndsWith(value=value):
            return (value,)
        case Contains(value=value):
            return (value, [value]) if isinstance(value, str) else ([value],)
        case OneOf(values=values):
            return values
        case Compares(value=value):
            return (value, *_around(value))
        case Differs():
            return ("something else", 0)
        case Exists():
            return ("something",)
        case Matches():
            return ()


def _around(value: float | str) -> tuple[JsonValue, ...]:
    """Something more, and something less."""
    if not isinstance(value, str):
        return (value + 1, value - 1)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return (f"{value}a", "")
    if len(value) == len("2027-01-01"):
        return tuple((date.fromisoformat(value) + day).isoformat() for day in (A_DAY, -A_DAY))
    return tuple((moment + day).isoformat() for day in (A_DAY, -A_DAY))
