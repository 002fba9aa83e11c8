"""Events are declared once, and what does not fit is told without a value in it."""

from __future__ import annotations

import inspect
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, JsonValue

from tabiji import Event, Happened, on, prop
from tabiji.domain import triggers
from tabiji.domain.conditions import Condition
from tabiji.domain.event_catalog import EventCatalog
from tabiji.domain.events import shape_in_words
from tabiji.domain.kinds import Shape, example_of, shapes_of
from tabiji.domain.known_events import BUILT_IN
from tabiji.errors import InvalidEvent, JourneyDefinitionError


class Plan(StrEnum):
    FREE = "free"
    PRO = "pro"


class Ordered(Event, name="Order Completed", example={"total": 120.5, "currency": "EUR"}):
    """Somebody has paid."""

    total: Decimal
    currency: Annotated[str, Field(min_length=3)]
    items: Sequence[dict[str, JsonValue]] = ()
    plan: Plan | None = None
    paid_at: datetime | None = None
    channel: Literal["web", "shop"] | None


CATALOG = EventCatalog([Ordered], BUILT_IN)
GOOD: dict[str, JsonValue] = {"total": 120.5, "currency": "EUR", "plan": "pro", "paid_at": "2027-01-31T09:00:00+09:00"}


def problems(**properties: JsonValue) -> list[str]:
    return [str(problem) for problem in CATALOG.problems("Order Completed", GOOD | properties)]


def test_what_is_as_declared_has_no_problem() -> None:
    assert problems() == []
    assert problems(total=120, plan=None, channel="web", items=[{}]) == []


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({"total": "120.50"}, "total: is text, declared as number"),
        ({"total": True}, "total: is yes or no, declared as number"),
        ({"total": None}, "total: is null, declared as number"),
        ({"plan": "maria@example.com"}, "plan: is another text than declared: one of free, pro"),
        ({"paid_at": "yesterday"}, "paid_at: is text, declared as date or time"),
        ({"items": {}}, "items: is object, declared as list"),
        ({"totl": 1}, "totl: not declared"),
    ],
    ids=str,
)
def test_what_is_not_as_declared_is_told_without_its_value(properties: dict[str, JsonValue], problem: str) -> None:
    assert problems(**properties) == [problem]


def test_missing_properties_and_unknown_events_are_problems() -> None:
    assert [str(one) for one in CATALOG.problems("Order Completed", {"total": 1})] == ["currency: missing"]
    assert [str(one) for one in CATALOG.problems("Order completed", GOOD)] == ["unknown event"]


def test_an_application_that_declares_nothing_has_no_unknown_events() -> None:
    assert EventCatalog([], BUILT_IN).problems("Anything", {"a": 1}) == ()


JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)


@given(st.dictionaries(st.sampled_from([*Ordered.shapes(), "other"]), JSON))
def test_whatever_is_sent_is_looked_at_and_what_has_no_problem_can_be_read(properties: dict[str, JsonValue]) -> None:
    found = CATALOG.problems("Order Completed", properties)

    if not found and len(str(properties["currency"])) >= 3:
        assert Ordered.of(Happened(event="Order Completed", properties=properties)).currency == properties["currency"]


def test_properties_are_read_as_declared() -> None:
    order = Ordered.of(Happened(event="Order Completed", properties=GOOD))

    assert order.total == Decimal("120.5")
    assert order.plan is Plan.PRO
    assert order.paid_at == datetime(2027, 1, 31, tzinfo=UTC)
    assert order.items == ()


def test_a_property_the_journey_does_not_take_says_how_to_take_it() -> None:
    order = Ordered.of(Happened(event="Order Completed", properties={"currency": "EUR"}))

    with pytest.raises(AttributeError, match=r"Say on\(Ordered, take=\('total',\)\)"):
        print(order.total)


def test_a_property_of_another_type_is_an_error_that_does_not_quote_it() -> None:
    with pytest.raises(InvalidEvent, match="total: of event 'Order Completed' is text, declared as number") as refused:
        Ordered.of(Happened(event="Order Completed", properties={"total": "maria@example.com"}))
    assert "maria" not in str(refused.value)


@pytest.mark.parametrize(
    ("make", "doubt"),
    [
        (lambda: on(Ordered, prop("totl") >= 100), "has no property 'totl'; it has total, currency"),
        (lambda: on(Ordered, curency="EUR"), "has no property 'curency'"),
        (lambda: on(Ordered, take=("sum",)), "has no property 'sum'"),
        (lambda: on(Ordered, prop("total") >= "100"), "is never true: total is number"),
        (lambda: on(Ordered, ~(prop("total") == "100")), "is never true"),
        (lambda: on(Ordered, plan="gold"), "plan is one of free, pro"),
        (lambda: on(Ordered, prop("currency.name") == "Euro"), "currency is text: nothing is inside it"),
        (lambda: on(Ordered, prop("total").contains("1") | prop("items").exists()), "is never true"),
    ],
)
def test_a_condition_on_a_declared_event_is_held_against_it_where_it_is_written(make: Any, doubt: str) -> None:
    with pytest.raises(JourneyDefinitionError, match=doubt):
        make()


def test_a_condition_on_a_declared_event_is_the_same_as_on_its_name() -> None:
    tests = (prop("total") >= 100, prop("items.0.sku") == "a", prop("paid_at") > datetime(2027, 1, 1, tzinfo=UTC))
    assert on(Ordered, *tests, currency="EUR") == on("Order Completed", *tests, currency="EUR")


def test_conditions_by_name_are_held_against_the_catalog_by_check() -> None:
    assert list(CATALOG.doubts(on("Order Completed", prop("total") >= 1) | on("Page Viewed", scroll=3))) == []
    assert list(CATALOG.doubts(on("Order completed").times(2))) == [
        "'Order completed' is no declared event. Declare it in workflows/events.py, or mend the name."
    ]
    [doubt] = CATALOG.doubts(on("Order Completed", totl=1))
    assert doubt.startswith("Order Completed: has no property 'totl'")


def test_every_trigger_the_library_offers_asks_for_an_event_that_is_declared() -> None:
    offered: list[Condition] = []
    for name, make in inspect.getmembers(triggers, inspect.isfunction):
        if make.__module__ == triggers.__name__ and not name.startswith("_"):
            first = next(iter(inspect.signature(make).parameters.values()))
            made = make(50 if first.annotation == "int" else "x")
            offered += [made] if isinstance(made, Condition) else []

    assert len(offered) >= 14
    assert not [doubt for trigger in offered for doubt in EventCatalog([Ordered], BUILT_IN).doubts(trigger)]


def test_every_built_in_event_has_a_sentence_and_an_example_that_fits() -> None:
    catalog = EventCatalog(BUILT_IN)
    for event in catalog:
        assert inspect.getdoc(event)
        assert catalog.problems(event.event_name, event.example) == ()
        assert catalog.problems(event.event_name, example_of(event.shapes())) == ()


def test_two_declarations_of_one_event_are_refused() -> None:
    class Again(Event, name="Order Completed"):
        """The same once more."""

    with pytest.raises(JourneyDefinitionError, match="Ordered and Again both declare"):
        EventCatalog([Ordered, Again])


def test_a_type_json_cannot_carry_is_refused() -> None:
    class Bad:
        what: complex

    with pytest.raises(JourneyDefinitionError, match=r"Bad\.what is declared as .*complex"):
        shapes_of(Bad)
    with pytest.raises(JourneyDefinitionError, match="needs a name"):
        type("Nameless", (Event,), {}, name=" ")


def test_a_shape_tells_names_and_kinds_and_no_value() -> None:
    assert shape_in_words({"email": "maria@example.com", "n": 1, "x" * 99: []}) == {
        "email": "text", "n": "whole number", "x" * 60: "list",
    }  # fmt: skip


def test_looking_costs_microseconds() -> None:
    """It is done for every event that comes in."""
    began = time.perf_counter()
    for _ in range(2_000):
        CATALOG.problems("Order Completed", GOOD)

    assert (time.perf_counter() - began) / 2_000 < 0.0002


def test_what_a_default_may_be() -> None:
    assert Shape(str, frozenset(), default=None).required is False
