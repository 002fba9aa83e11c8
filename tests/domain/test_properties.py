"""Tests of properties: total, small as JSON, readable, and refused where they cannot be meant."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, TypeAdapter, ValidationError

from tabiji import on, prop
from tabiji.domain.conditions import Condition
from tabiji.domain.tests import MAX_NODES, MAX_SEARCHED, Test
from tabiji.domain.values import Properties, look_up

TESTS: TypeAdapter[Test] = TypeAdapter(Test)
NAMES = st.sampled_from(["a", "b", "a.b", "a.0", ""])
PLAIN: st.SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4)
    | st.just("2027-01-01"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
PROPERTIES = st.dictionaries(NAMES, PLAIN, max_size=3)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def single(draw: st.DrawFn) -> Test:
    """Any test of one property."""
    known = prop(draw(NAMES.filter(bool)))
    value, text = draw(PLAIN), draw(st.text(max_size=2))
    ordered = draw(NUMBERS | st.text(max_size=4) | st.dates() | st.datetimes(timezones=st.just(UTC)))
    return draw(
        st.sampled_from(
            [
                known != 1 if value is None else known == value,
                known != value,
                known.one_of(value, text),
                known.contains(value),
                known.starts_with(text),
                known.ends_with(text),
                known >= ordered,
                known < ordered,
                known.exists(),
                known.matches(r"^\w+$"),
            ]
        )
    )


@st.composite
def trees(draw: st.DrawFn, depth: int = 2) -> Test:
    """Any test."""
    shape = draw(st.sampled_from(["single", "and", "or", "not"])) if depth else "single"
    match shape:
        case "and":
            return draw(trees(depth - 1)) & draw(trees(depth - 1))
        case "or":
            return draw(trees(depth - 1)) | draw(trees(depth - 1))
        case "not":
            return ~draw(trees(depth - 1))
        case _:
            return draw(single())


@given(trees(), PROPERTIES)
def test_a_test_answers_whatever_comes_and_means_the_same_after_json(test: Test, properties: Properties) -> None:
    again = TESTS.validate_json(TESTS.dump_json(test))

    assert again == test
    assert again.holds(properties) is test.holds(properties)
    assert str(again) == str(test) != ""


@given(single(), single(), PROPERTIES)
def test_and_or_not_are_those_of_logic(a: Test, b: Test, properties: Properties) -> None:
    left, right = a.holds(properties), b.holds(properties)

    assert (a & b).holds(properties) is (left and right)
    assert (a | b).holds(properties) is (left or right)
    assert (~a).holds(properties) is not left
    assert ~~a == a


@given(single())
def test_nothing_but_its_opposite_holds_of_what_is_absent(test: Test) -> None:
    assert not test.holds({})
    assert (~test).holds({})


@pytest.mark.parametrize(
    ("test", "value"),
    [
        (prop("x") == 1, 1.0),
        (prop("x") == [1, {"a": None}], [1, {"a": None}]),
        (prop("x") != "pro", 3),
        (prop("x") != "pro", None),
        (prop("x").one_of("a", 2), 2),
        (prop("x").contains("ell"), "hello"),
        (prop("x").contains(2), [1, 2]),
        (prop("x").starts_with("/docs"), "/docs/a"),
        (prop("x").ends_with("花子"), "山田花子"),
        (prop("x") >= 100, 100),
        (prop("x") >= Decimal("99.5"), 99.5),
        (prop("x") < 10**400, 1e308),
        (prop("x") > "a", "b"),
        (prop("x") >= "2027-01-01", "2027-01-01T00:00:00+00:00"),
        (prop("x") > datetime(2027, 1, 1, 9, tzinfo=timezone(timedelta(hours=9))), "2027-01-01T00:00:01Z"),
        (prop("x") < date(2027, 1, 2), "2027-01-01T23:59:59Z"),
        (prop("x").exists(), False),
        (prop("x").matches(r"^/p/\d+$"), "/p/42"),
        (prop("x").matches("p"), "a page"),
        (prop("x.y.0.z") == 1, {"y": [{"z": 1}]}),
    ],
    ids=str,
)
def test_what_holds(test: Test, value: JsonValue) -> None:
    assert test.holds({"x": value})


@pytest.mark.parametrize(
    ("test", "value"),
    [
        (prop("x") == 1, True),
        (prop("x") == [1], [True]),
        (prop("x") == {"a": 0}, {"a": False}),
        (prop("x") != 1, 1.0),
        (prop("x").one_of(1), True),
        (prop("x").contains(1), [True]),
        (prop("x").contains(1), "1"),
        (prop("x") >= 1, True),
        (prop("x") >= 1, "2"),
        (prop("x") >= "1", 2),
        (prop("x") <= 1, None),
        (prop("x") >= 1, float("nan")),
        (prop("x") >= "2027-01-01", "tomorrow"),
        (prop("x") >= "2027-01-01", "2027-13-01"),
        (prop("x").exists(), None),
        (prop("x").matches("."), 5),
        (prop("x").matches("a"), "a" * (MAX_SEARCHED + 1)),
        (prop("x.y.1.z") == 1, {"y": [{"z": 1}]}),
        (prop("x.y.-1") == 1, {"y": [1]}),
        (prop("x.y.²").exists(), {"y": [1, 2, 3]}),
    ],
    ids=str,
)  # fmt: skip
def test_what_does_not_hold(test: Test, value: JsonValue) -> None:
    assert not test.holds({"x": value})


def test_a_property_whose_own_name_has_a_dot_wins_over_what_is_inside() -> None:
    assert look_up({"a.b": 1, "a": {"b": 2}}, "a.b") == 1
    assert look_up({"a": {"b": 2}}, "a.b") == 2


def test_a_condition_is_small_as_json() -> None:
    """It stands in every history."""
    condition = on("Order Completed", prop("total") >= 100, plan="pro")

    assert condition.model_dump(mode="json") == {
        "event": "Order Completed",
        "where": [{"op": "ge", "path": "total", "value": 100}, {"op": "eq", "path": "plan", "value": "pro"}],
    }
    assert on("Voted").model_dump_json() == '{"event":"Voted"}'
    assert on("Voted", yes=None).model_dump(mode="json")["where"] == [{"op": "eq", "path": "yes", "value": None}]


def test_a_condition_reads_as_words() -> None:
    grown = (prop("total") >= 100) | (prop("plan") == "pro")

    assert str(on("Order Completed", grown, prop("coupon").exists(), first=True)) == (
        "Order Completed ((total >= 100 or plan = pro) and coupon exists and first = True)"
    )
    assert str(~grown & prop("a").contains("")) == "not (total >= 100 or plan = pro) and a contains ''"


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", r"\w{1000}", "x" * 201])
def test_a_pattern_that_cannot_be_run_is_refused_where_it_is_written(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"prop\('page\.path'\)\.matches") as refused:
        prop("page.path").matches(pattern)
    assert len(str(refused.value)) < 400
    with pytest.raises(ValidationError, match=r"where\.0\.matches\.pattern"):
        Condition.model_validate({"event": "E", "where": [{"op": "matches", "path": "a", "pattern": pattern}]})


def test_no_pattern_takes_longer_than_its_text_is_long() -> None:
    """What brings a backtracking engine to its knees."""
    evil = [prop("x").matches(pattern) for pattern in (r"(a+)+$", r"(a|aa)+$", r"(.*a){20}$", r"(.{0,100}b){15}$")]
    began = time.perf_counter()

    assert not any(test.holds({"x": "a" * (MAX_SEARCHED - 1) + "!"}) for test in evil)

    assert time.perf_counter() - began < 2


def test_a_test_is_no_answer() -> None:
    """`and`, `or` and chains would drop one side in silence."""
    with pytest.raises(TypeError, match="is not true or false by itself"):
        assert 1 < prop("x") < 5  # pyright: ignore[reportGeneralTypeIssues] # that is the mistake
    with pytest.raises(TypeError, match="is not true or false by itself"):
        bool(on("A"))
    with pytest.raises(TypeError, match="exists"):
        assert prop("x")  # pyright: ignore[reportGeneralTypeIssues] # that is the mistake


class Plan(StrEnum):
    PRO = "pro"


def test_values_are_kept_as_json_has_them() -> None:
    assert (prop("plan") == Plan.PRO).model_dump() == {"op": "eq", "path": "plan", "value": "pro"}
    assert (prop("x") == Decimal("12.00")).value == 12
    assert (prop("x").one_of(Plan.PRO, Decimal("0.5"))).values == ("pro", 0.5)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), date(2027, 1, 1)])
def test_what_json_cannot_say_is_refused_with_the_name_of_the_property(value: JsonValue) -> None:
    with pytest.raises(TypeError, match="'total'"):
        prop("total").one_of(value)


@pytest.mark.parametrize("value", [True, datetime(2027, 1, 1), None])  # noqa: DTZ001 # that is the mistake
def test_what_has_no_order_is_refused_with_the_name_of_the_property(value: int) -> None:
    with pytest.raises(TypeError, match="'total'"):
        print(prop("total") >= value)


def test_a_condition_is_bounded() -> None:
    many = [{"op": "exists", "path": "x"}] * (MAX_NODES + 1)
    with pytest.raises(ValidationError, match="at most 200 tests"):
        Condition.model_validate({"event": "E", "where": many})
    deep: dict[str, object] = {"op": "exists", "path": "x"}
    for _ in range(2000):
        deep = {"op": "not", "of": deep}
    with pytest.raises((ValidationError, RecursionError)):
        Condition.model_validate({"event": "E", "where": [deep]})
