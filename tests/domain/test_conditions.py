"""Conditions are data, and mean the same wherever they are tested."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabiji import days, hours, minutes, on, prop
from tabiji.domain.conditions import Condition
from tabiji.domain.durations import in_words

PLAIN = st.none() | st.booleans() | st.integers() | st.text()


def test_a_condition_asks_for_the_name_and_every_property() -> None:
    pricing = on("Page Viewed", path="/pricing", plan="pro")

    assert pricing.matches("Page Viewed", {"path": "/pricing", "plan": "pro", "more": 1})
    assert not pricing.matches("Page Viewed", {"path": "/pricing"})
    assert not pricing.matches("page viewed", {"path": "/pricing", "plan": "pro"})


def test_true_and_one_are_different_values() -> None:
    """As in JSON, unlike in Python."""
    assert not on("Voted", yes=True).matches("Voted", {"yes": 1})
    assert on("Voted", yes=1).matches("Voted", {"yes": 1.0})


def test_an_absent_property_equals_nothing() -> None:
    assert not on("Voted", yes=None).matches("Voted", {})
    assert on("Voted", yes=None).matches("Voted", {"yes": None})


@given(st.dictionaries(st.text(min_size=1, max_size=8), PLAIN, max_size=4))
def test_a_condition_survives_the_way_through_json(properties: dict[str, bool | int | str | None]) -> None:
    """The listener table keeps conditions as JSON."""
    condition = Condition.model_validate(
        {"event": "E", "where": [{"op": "eq", "path": name, "value": value} for name, value in properties.items()]}
    )
    again = Condition.model_validate_json(condition.model_dump_json())

    assert again == condition
    assert again.matches("E", properties)


def test_only_the_properties_a_journey_takes_leave_the_database() -> None:
    order = on("Order Completed", take=("total",))

    assert order.taken({"total": 12, "email": "maria@example.com"}) == {"total": 12}


def test_a_condition_reads_as_a_sentence() -> None:
    assert str(on("Page Viewed", path="/pricing")) == "Page Viewed (path = /pricing)"
    assert str(on("Scored", points=3, hot=True)) == "Scored (points = 3 and hot = True)"


def test_an_event_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="takes an event name"):
        on(" ")


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (days(2), "2 days"),
        (days(1), "1 day"),
        (hours(36), "1 day 12 hours"),
        (minutes(90), "1 hour 30 minutes"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(milliseconds=250), "250 milliseconds"),
        (days(7) + timedelta(minutes=1, seconds=2), "7 days 1 minute"),
    ],
)
def test_durations_read_as_people_say_them(span: timedelta, words: str) -> None:
    assert in_words(span) == words


def test_a_condition_over_one_mail_does_not_read_out_its_id() -> None:
    assert str(on("Email Link Clicked", prop("url").contains("/pricing"), message="3f2a")) == (
        "Email Link Clicked (url contains /pricing and this mail)"
    )
