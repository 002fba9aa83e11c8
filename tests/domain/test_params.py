"""What an author opens to others keeps the bounds the author set."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, assert_type

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from tabiji import Param, days, hours, param
from tabiji.domain.durations import in_words, parse_duration
from tabiji.domain.params import ParamCatalog
from tabiji.errors import InvalidParam, JourneyDefinitionError, UnknownParam


class Tone(StrEnum):
    WARM = "warm"
    PLAIN = "plain"


NUDGE = param("nudge-after", days(2), at_least=days(1), at_most=days(14), title="Wait before the nudge")
POINTS = param("points", 20, at_least=0, at_most=100, title="Points")
SHARE = param("share", 0.5, at_least=0.0, at_most=1.0, title="Share")
PRICE = param("price", Decimal("9.90"), at_least=Decimal(0), title="Price")
ASKS = param("asks", True, title="Ask for a call")
GREETING = param("greeting", "Hello", title="First words")
TONE = param("tone", Tone.WARM, title="How we speak", moves=True)
ALL: list[Param[Any]] = [NUDGE, POINTS, SHARE, PRICE, ASKS, GREETING, TONE]


@pytest.mark.parametrize(
    ("one", "given", "parsed"),
    [
        (NUDGE, "3 days", days(3)),
        (NUDGE, "P1DT12H", hours(36)),
        (NUDGE, "36h", hours(36)),
        (POINTS, 30, 30),
        (POINTS, 30.0, 30),
        (SHARE, 1, 1.0),
        (PRICE, "12.50", Decimal("12.50")),
        (PRICE, 0.1, Decimal("0.1")),
        (ASKS, False, False),
        (GREETING, "", ""),
        (TONE, "plain", Tone.PLAIN),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_allowed_becomes_a_value_of_the_declared_type(
    one: Param[Any], given: JsonValue, parsed: object
) -> None:
    value = one.parse(given)

    assert value == parsed
    assert type(value) is type(parsed)
    assert one.parse(one.dump(value)) == value


@pytest.mark.parametrize(
    ("one", "given", "allowed"),
    [
        (NUDGE, "15 days", "takes a duration, at least 1 day, at most 14 days"),
        (NUDGE, "soon", "takes a duration"),
        (NUDGE, 3, "takes a duration"),
        (POINTS, 101, "takes a whole number, at least 0, at most 100"),
        (POINTS, 1.5, "takes a whole number"),
        (POINTS, True, "takes a whole number"),
        (SHARE, "NaN", "takes a number"),
        (SHARE, 1e999, "takes a number"),
        (PRICE, -1, "takes a number, at least 0"),
        (PRICE, "1e99999999", "takes a number"),
        (PRICE, [], "takes a number"),
        (ASKS, "yes", "takes yes or no"),
        (GREETING, "x" * 2001, "at most 2000 characters"),
        (TONE, "cold", "takes one of warm, plain"),
        (TONE, None, "takes one of"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_allowed_is_refused_with_what_is(one: Param[Any], given: JsonValue, allowed: str) -> None:
    with pytest.raises(InvalidParam, match=allowed):
        one.parse(given)


EDGES: list[JsonValue] = ["P", "P9Y", "1e5", "\u0663 days", "999999999 weeks", "1e999", []]
ANYTHING: st.SearchStrategy[JsonValue] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(EDGES)
)


@given(st.sampled_from(ALL), ANYTHING)
def test_nothing_but_a_value_within_bounds_comes_through(one: Param[Any], given: JsonValue) -> None:
    try:
        value = one.parse(given)
    except InvalidParam:
        return
    assert type(value) is type(one.default)
    assert one.at_least is None or one.at_least <= value <= (one.at_most or value)


@given(
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3650)).map(
        lambda span: span - timedelta(microseconds=span.microseconds)
    )
)
def test_a_duration_of_two_units_is_read_as_it_is_written(span: timedelta) -> None:
    again = parse_duration(in_words(span)) if span else timedelta(0)

    assert again is not None
    assert in_words(again) == in_words(span) if span else True


def test_types_come_through() -> None:
    assert_type(NUDGE, Param[timedelta])
    assert_type(POINTS.parse(3), int)
    assert_type(TONE.default, Tone)
    assert (NUDGE.kind, TONE.kind, ASKS.kind, PRICE.kind) == ("duration", "choice", "yes or no", "number")
    assert [one.in_words(one.default) for one in ALL] == ["2 days", "20", "0.5", "9.90", "yes", "Hello", "warm"]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: param("Nudge", 1, title="x"), "lower-case words"),
        (lambda: param("nudge", 1, title=" "), "needs a title"),
        (lambda: param("nudge", 5, at_most=3, title="x"), "contradict each other"),
        (lambda: param("nudge", 1, at_least=5, at_most=3, title="x"), "contradict each other"),
        (lambda: param("nudge", "a", at_least="b", title="x"), "at_least and at_most are for numbers"),
        (lambda: ParamCatalog([POINTS, param("points", 1, title="x")]), "two params are called 'points'"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(make: Any, why: str) -> None:
    with pytest.raises(JourneyDefinitionError, match=why):
        make()


def test_params_are_found_by_name_and_an_imported_one_is_no_second() -> None:
    catalog = ParamCatalog([TONE, POINTS, POINTS])

    assert [one.name for one in catalog] == ["points", "tone"]
    with pytest.raises(UnknownParam, match="Known: points, tone"):
        catalog.get("nudge")
