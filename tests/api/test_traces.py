"""Did it arrive, and what did it do? Asked of the real application and its database."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2

from tests.api.conftest import Door

FORM: dict[str, Any] = {"event": "Form Submitted", "properties": {"form": "whitepaper"}}


async def traced(door: Door, **asked: str) -> dict[str, Any]:
    """What is shown, once what was just sent is old enough to be shown."""
    await asyncio.sleep(0.35)
    answer = await door.full.get("/v1/events/trace", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def send(client: httpx2.AsyncClient, call: str = "track", **body: Any) -> httpx2.Response:
    return await client.post(f"/v1/{call}", json=body)


async def test_an_event_is_shown_with_the_journey_it_entered_and_whether_that_reached_temporal(door: Door) -> None:
    await send(door.ingest, userId="u1", **FORM)

    [event] = (await traced(door))["events"]

    assert (event["name"], event["identity"]) == ("Form Submitted", "user:u1")
    assert ("whitepaper-nurture", "pending") in {(one["journey"], one["dispatch"]) for one in event["started"]}
    assert event["nothing"] is None


async def test_an_event_nobody_waits_for_says_so(door: Door) -> None:
    await send(door.ingest, userId="u1", event="Nobody Asked")

    [event] = (await traced(door))["events"]

    assert event["nothing"] == "no journey starts on 'Nobody Asked', and none of theirs waits for it"
    assert event["problems"] == ["unknown event"]


async def test_a_property_that_is_another_than_the_trigger_asks_for_is_named(door: Door) -> None:
    await send(door.ingest, userId="u1", event="Form Submitted", properties={"form": "contact"})

    [event] = (await traced(door))["events"]

    assert "whitepaper-nurture: starts only where form = whitepaper" in event["nothing"]


async def test_who_is_in_the_journey_already_is_said_to_be(door: Door) -> None:
    await send(door.ingest, userId="u1", messageId="first", **FORM)
    await send(door.ingest, userId="u1", messageId="second", **FORM)

    events = (await traced(door))["events"]

    why = {one["journey"]: one["why"] for one in events[1]["passed"]}
    assert why["whitepaper-nurture"] == "they are in it already"


async def test_a_goal_that_was_reached_is_shown_as_an_answer(door: Door) -> None:
    await send(door.ingest, userId="u1", **FORM)
    await send(door.ingest, userId="u1", event="Order Completed", properties={"order_id": "o1", "total": 10})

    event = (await traced(door))["events"][-1]

    assert ("whitepaper-nurture", "goal") in {(one["journey"], one["step"]) for one in event["woke"]}


async def test_a_draft_is_named_with_the_way_out(door: Door) -> None:
    answer = await door.full.put("/v1/journeys/whitepaper-nurture/state", json={"state": "draft"})
    assert answer.status_code == 200, answer.text
    await send(door.ingest, userId="u1", **FORM)

    [event] = (await traced(door))["events"]

    why = {one["journey"]: one["why"] for one in event["passed"]}
    assert why["whitepaper-nurture"] == "it is a draft; `tabiji golive whitepaper-nurture` lets people in"


async def test_one_person_is_followed_by_any_of_their_identities(door: Door) -> None:
    await send(door.ingest, "identify", userId="u1", anonymousId="a1", traits={"email": "hanako@example.com"})
    await send(door.ingest, userId="u2", event="Seen")

    for who in ("u1", "a1", "Hanako@example.com"):
        assert [one["name"] for one in (await traced(door, who=who, name="Identified"))["events"]] == ["Identified"]
    assert (await traced(door, who="nobody"))["events"] == []


async def test_what_was_refused_is_shown_with_its_field_and_key_and_without_its_value(door: Door) -> None:
    await send(door.ingest, userId="u1", event="")
    await send(door.nobody, userId="u1", event="Seen")
    batch = [
        {"type": "track", "userId": "u1", "event": "Good"},
        {"type": "track", "userId": "u1", "timestamp": "secret"},
    ]
    await send(door.ingest, "batch", batch=batch)

    refused = (await traced(door))["refused"]

    assert [(one["key"], one["call"], one["status"]) for one in refused] == [
        ("web", "track", 422),
        (None, "track", 401),
        ("web", "batch", 422),
    ]
    assert refused[0]["field"] == "event"
    assert refused[2]["field"].startswith("batch.1.")
    assert "secret" not in str(refused)


async def test_who_waits_is_told_as_soon_as_something_comes_and_nothing_twice(door: Door) -> None:
    await send(door.ingest, userId="u1", event="Before")
    seen = await traced(door)
    place = {"after": str(seen["after"]), "refused_after": str(seen["refused_after"])}

    waiting = asyncio.create_task(door.full.get("/v1/events/trace", params={**place, "wait": "8"}))
    await asyncio.sleep(0.1)
    await send(door.ingest, userId="u1", event="After")

    assert [one["name"] for one in (await waiting).json()["events"]] == ["After"]


async def test_a_key_that_only_sends_cannot_look(door: Door) -> None:
    assert (await door.ingest.get("/v1/events/trace")).status_code == 403


async def test_the_page_needs_no_key_and_lets_no_other_script_run(door: Door) -> None:
    answer = await door.nobody.get("/debug")
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert (await door.nobody.get("/debug.js")).headers["content-type"].startswith("text/javascript")
