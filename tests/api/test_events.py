"""What comes in otherwise than declared is recorded all the same, and can be seen."""

from __future__ import annotations

import dataclasses
from typing import Any

from models.enrollment import Enrollment
from models.event import Event as EventRow
from models.event_problem import MOST_KEPT, OTHERS, ProblemTally, problems
from tabiji import always, on
from tabiji.domain.events import Problem
from tabiji.domain.journeys import Catalog, JourneySpec
from tests.api.conftest import Door


async def track(door: Door, event: str, **properties: Any) -> None:
    answer = await door.ingest.post("/v1/track", json={"userId": "u1", "event": event, "properties": properties})
    assert answer.status_code == 200, answer.text


async def found(door: Door) -> dict[tuple[str, str, str], dict[str, Any]]:
    answer = await door.full.get("/v1/events/problems")
    assert answer.status_code == 200, answer.text
    return {(one["name"], one["property"], one["problem"]): one for one in answer.json()["problems"]}


async def test_unknown_names_and_wrong_types_are_counted_and_nothing_is_dropped(door: Door) -> None:
    await track(door, "Order Completed", total=4900, currency="JPY")
    await track(door, "Order completed", total=4900)
    await track(door, "Order Completed", total="hanako@example.com", colour="red")
    await track(door, "Order Completed", total="hanako@example.com")

    seen = await found(door)

    assert {key: one["count"] for key, one in seen.items()} == {
        ("Order completed", "", "unknown event"): 1,
        ("Order Completed", "total", "is text, declared as number"): 2,
        ("Order Completed", "colour", "not declared"): 1,
    }
    assert seen["Order Completed", "colour", "not declared"]["shape"] == {"total": "text", "colour": "text"}
    assert "hanako" not in str(seen)
    assert await door.rows(EventRow) == 4


async def test_counts_go_on_over_writes_and_copies_do_not_count(door: Door) -> None:
    body = {"userId": "u1", "event": "Nobody Knows", "messageId": "m1"}
    for _ in range(3):
        await door.ingest.post("/v1/track", json=body)
    assert (await found(door))["Nobody Knows", "", "unknown event"]["count"] == 1
    await track(door, "Nobody Knows")

    after = (await found(door))["Nobody Knows", "", "unknown event"]

    assert after["count"] == 2
    assert after["first_at"] < after["last_at"]
    metrics = (await door.full.get("/metrics")).text
    assert 'tabiji_event_problems_total{event="undeclared"} 2.0' in metrics


async def test_an_event_without_the_key_of_a_journey_is_counted(door: Door) -> None:
    spec = JourneySpec(name="ship", title="", triggers=(on("Logged In"),), goals=(), reentry=always.per("order_id"))
    door.app.state.parts = dataclasses.replace(door.parts, catalog=Catalog([spec]))

    await track(door, "Logged In")

    assert ("Logged In", "order_id", "cannot be a key: nobody entered ship") in await found(door)
    assert await door.rows(Enrollment) == 0


async def test_what_is_declared_is_listed_with_examples(door: Door) -> None:
    events = {one["name"]: one for one in (await door.full.get("/v1/events")).json()["events"]}

    order = events["Order Completed"]
    assert order["title"] == "Somebody has paid."
    assert not order["built_in"]
    assert order["example"] == {"order_id": "o-1", "total": 4900, "currency": "JPY"}
    assert {"name": "total", "type": "number", "required": False} in order["properties"]
    assert events["Tag Added"]["built_in"]
    assert (await door.ingest.get("/v1/events")).status_code == 403


async def test_a_flood_of_names_is_bounded_in_memory_and_in_the_table(door: Door) -> None:
    """Names come from outside: whoever has the public key may invent as many as they like."""
    tally, now = ProblemTally(), door.parts.clock.now()
    for number in range(MOST_KEPT + 50):
        tally.notice(f"Event {number}", Problem("", "unknown event"), {}, now)

    await tally.write(door.parts.database)

    async with door.parts.database.read() as tx:
        kept = await problems(tx, limit=2 * MOST_KEPT)
    assert len(kept) == MOST_KEPT + 1
    assert {one.name: one.count for one in kept}[OTHERS] == 50
