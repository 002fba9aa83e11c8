"""Events that are invented pass the tests they are invented for."""

from __future__ import annotations

import pytest

from tabiji import on, prop, score_reached
from tabiji.domain.conditions import Condition
from tabiji.domain.examples import examples_of


@pytest.mark.parametrize(
    "condition",
    [
        on("A"),
        on("A", plan="pro"),
        on("A", prop("total") >= 100, plan="pro"),
        on("A", (prop("total") > 1) & (prop("total") < 3)),
        on("A", prop("cart.total") <= 0.5),
        on("A", prop("on") > "2027-01-01", prop("at") < "2027-01-01T08:00:00+09:00"),
        on("A", prop("path").starts_with("/docs") | prop("path").ends_with(".pdf")),
        on("A", prop("tags").contains(3), prop("text").contains("x"), prop("coupon").exists()),
        on("A", ~(prop("plan") == "free"), prop("size") != "small"),
        score_reached(50),
    ],
    ids=str,
)
def test_an_invented_event_passes(condition: Condition) -> None:
    found = examples_of(condition)
    assert found
    assert all(condition.matches(condition.event, one) for one in found)


def test_one_of_several_values_is_an_example_each() -> None:
    assert examples_of(on("A", prop("plan").one_of("pro", "team"))) == ({"plan": "pro"}, {"plan": "team"})


def test_what_is_known_of_the_event_is_kept_where_it_passes() -> None:
    condition = on("A", prop("total") >= 100)
    assert examples_of(condition, {"total": 120, "currency": "EUR"}) == ({"total": 120, "currency": "EUR"},)
    assert examples_of(condition, {"total": 20, "currency": "EUR"})[0] == {"total": 100, "currency": "EUR"}


def test_what_cannot_be_guessed_has_no_example() -> None:
    assert examples_of(on("A", prop("path").matches(r"^/p/\d+$"))) == ()
    assert examples_of(on("A", (prop("n") == 1) & (prop("n") == 2))) == ()
