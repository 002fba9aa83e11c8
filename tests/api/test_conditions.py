"""A condition is checked before anybody builds on it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Door

TWICE = {"kind": "times", "of": {"event": "Page Viewed", "where": [{"op": "eq", "path": "path", "value": "/pricing"}]},
         "count": 2, "within": "P1D"}  # fmt: skip # one pattern


async def test_a_condition_is_told_in_words_and_counted_over_the_last_days(door: Door) -> None:
    for who, path in (("a", "/pricing"), ("a", "/pricing"), ("b", "/pricing"), ("b", "/docs")):
        await door.ingest.post("/v1/page", json={"anonymousId": who, "properties": {"path": path}})

    answer = await door.full.post("/v1/conditions/check", json={"condition": TWICE})

    assert answer.status_code == 200, answer.text
    checked = answer.json()
    assert checked["words"] == "Page Viewed (path = /pricing) 2 times within 1 day"
    assert (checked["events"], checked["contacts"], checked["whole"]) == (3, 1, True)
    assert (checked["names"], checked["doubts"]) == (["Page Viewed"], [])


async def test_what_no_declared_event_has_is_doubted(door: Door) -> None:
    condition = {"event": "Order Completed", "where": [{"op": "ge", "path": "totl", "value": 100}]}

    [doubt] = (await door.full.post("/v1/conditions/check", json={"condition": condition})).json()["doubts"]

    assert doubt.startswith("Order Completed: has no property 'totl'; it has total, currency, order_id")


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({"event": " "}, "event"),
        ({"event": "E", "where": [{"op": "matches", "path": "a", "pattern": "("}]}, "pattern"),
        ({"event": "E", "where": [{"op": "like", "path": "a"}]}, "where"),
        ({"kind": "never", "of": []}, "condition"),
        ({"kind": "times", "of": {"kind": "times", "of": {"event": "E"}, "count": 2}, "count": 2}, "of"),
        ({"event": "E", "unknown": 1}, "unknown"),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_its_place(door: Door, condition: Any, field: str) -> None:
    answer = await door.full.post("/v1/conditions/check", json={"condition": condition})

    assert answer.status_code == 422
    assert field in answer.json()["errors"][0]["field"]
