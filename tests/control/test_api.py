"""Pauses, batches and launch states through the HTTP door."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from activities.steering import Steering
from models.database import table
from models.enrollment import Dispatch, Enrollment
from tests.api.conftest import Door, door

__all__ = ["door"]

JOURNEY = "whitepaper-nurture"


async def entered(door: Door, user: str = "u1") -> str:
    who = {"userId": user, "traits": {"email": f"{user}@example.com"}}
    assert (await door.full.post("/v1/identify", json=who)).status_code == 200
    answer = await door.full.post(f"/v1/journeys/{JOURNEY}/enrollments", json={"user_id": user})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def post(door: Door, path: str, body: dict[str, Any] | None = None, status: int = 200) -> dict[str, Any]:
    answer = await door.full.post(path, json=body or {})
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def steering(door: Door) -> Steering:
    parts = door.parts
    return Steering(parts.database, parts.catalog, parts.clock, parts.outbox, resume_rate=1000)


@pytest.mark.parametrize(
    "target", [{"everything": True}, {"journey": JOURNEY}, {"email": "u1@example.com"}, {"user_id": "u1"}]
)
async def test_an_enrollment_says_that_it_is_paused_by_whom_and_why(door: Door, target: dict[str, Any]) -> None:
    id = await entered(door)

    pause = await post(door, "/v1/pauses", {**target, "reason": "wrong price"}, 201)
    again = await post(door, "/v1/pauses", target, 200)

    assert again["id"] == pause["id"]
    shown = (await door.full.get(f"/v1/enrollments/{id}")).json()["paused"]
    assert (shown["by"], shown["reason"], shown["scope"]) == ("ops", "wrong price", pause["scope"])
    assert [one["id"] for one in (await door.full.get("/v1/pauses")).json()["pauses"]] == [pause["id"]]

    ended = await post(door, f"/v1/pauses/{pause['id']}/resume")
    assert ended["resumed_by"] == "ops"
    assert await post(door, f"/v1/pauses/{pause['id']}/resume") == ended
    assert (await door.full.get(f"/v1/enrollments/{id}")).json()["paused"] is None
    assert (await door.full.get("/v1/pauses")).json()["pauses"] == []


async def test_one_enrollment_is_paused_and_resumed_by_its_own_address(door: Door) -> None:
    id = await entered(door)

    await post(door, f"/v1/enrollments/{id}/pause", {"reason": "on holiday"}, 201)
    assert (await door.full.get(f"/v1/enrollments/{id}")).json()["paused"]["scope"] == "enrollment"
    await post(door, f"/v1/enrollments/{id}/resume")

    problem = await post(door, f"/v1/enrollments/{id}/resume", status=409)
    assert problem["code"] == "not_paused"


async def test_what_is_told_to_one_enrollment_is_kept_with_who_said_it(door: Door) -> None:
    id = await entered(door)

    await post(door, f"/v1/enrollments/{id}/skip", {"step": "steps/wait", "reason": "they asked"}, 202)
    await post(door, f"/v1/enrollments/{id}/cancel", {}, 202)

    kinds = {row.kind: row.payload for row in await door.all(Dispatch)}
    assert kinds["signal"]["event"] == "skip"
    assert kinds["signal"]["step"] == "control"
    assert kinds["signal"]["properties"] == {"step": "steps/wait"}
    assert kinds["cancel"] == {}
    listed = (await door.full.get("/v1/batches")).json()["batches"]
    assert {(one["action"], one["by"], one["done"]) for one in listed} == {("skip", "ops", 1), ("cancel", "ops", 1)}


async def test_an_enrollment_that_has_ended_is_told_nothing(door: Door) -> None:
    id = await entered(door)
    async with door.parts.database.write() as tx:
        await tx.execute(update(table(Enrollment)).values(state="completed"))

    problem = await post(door, f"/v1/enrollments/{id}/skip", status=409)

    assert problem["code"] == "enrollment_ended"
    assert [row.kind for row in await door.all(Dispatch)] == ["start"]


async def test_a_batch_is_counted_first_and_carried_out_by_the_server(door: Door) -> None:
    for user in ("u1", "u2", "u3"):
        await entered(door, user)
    reach = (await door.full.get("/v1/reach", params={"journey": JOURNEY})).json()

    batch = await post(door, "/v1/batches", {"action": "skip", "whom": {"journey": JOURNEY}}, 202)
    await steering(door).round()

    assert reach == {"enrollments": 3}
    assert (batch["state"], batch["total"], batch["done"]) == ("running", 3, 0)
    done = (await door.full.get(f"/v1/batches/{batch['id']}")).json()
    assert (done["state"], done["done"], done["left_out"]) == ("done", 3, 0)
    assert sum(row.kind == "signal" for row in await door.all(Dispatch)) == 3


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/pauses", {}, 422),
        ("/v1/pauses", {"everything": True, "journey": JOURNEY}, 422),
        ("/v1/pauses", {"journey": "nothing-of-that-name"}, 404),
        ("/v1/pauses", {"email": "nobody@example.com"}, 404),
        ("/v1/pauses/01900000-0000-7000-8000-000000000000/resume", {}, 404),
        ("/v1/batches", {"action": "cancel", "whom": {}}, 422),
        ("/v1/batches", {"action": "explode", "whom": {"everything": True}}, 422),
        ("/v1/batches/01900000-0000-7000-8000-000000000000/stop", {}, 404),
        ("/v1/enrollments/nothing/like/that/skip", {}, 404),
        (f"/v1/journeys/{JOURNEY}/latecomers", {"days": 0}, 422),
    ],
)
async def test_what_cannot_be_done_is_said(door: Door, path: str, body: dict[str, Any], status: int) -> None:
    answer = await door.full.post(path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_key_that_may_only_send_events_steers_nothing(door: Door) -> None:
    for path in ("/v1/pauses", "/v1/batches", f"/v1/journeys/{JOURNEY}/latecomers"):
        assert (await door.ingest.post(path, json={"everything": True})).status_code == 403
    assert (await door.ingest.put(f"/v1/journeys/{JOURNEY}/state", json={"state": "live"})).status_code == 403


async def test_a_journey_becomes_a_draft_and_says_so_to_who_would_enter(door: Door) -> None:
    answer = await door.full.put(f"/v1/journeys/{JOURNEY}/state", json={"state": "draft", "reason": "not yet"})
    assert answer.status_code == 200, answer.text
    await door.full.post("/v1/identify", json={"userId": "u1"})

    refused = await post(door, f"/v1/journeys/{JOURNEY}/enrollments", {"user_id": "u1"}, 409)

    assert "draft" in refused["detail"]
    state = (await door.full.get(f"/v1/journeys/{JOURNEY}/state")).json()
    assert (state["state"], state["by"], state["reason"]) == ("draft", "ops", "not yet")
    assert state["refused"] == {"draft": 1}
    assert [(one["before"], one["state"]) for one in state["history"]] == [("live", "draft")]
    listed = {one["name"]: one for one in (await door.full.get("/v1/journeys")).json()["journeys"]}
    assert (listed[JOURNEY]["state"], listed[JOURNEY]["refused"]) == ("draft", 1)
    late = await post(door, f"/v1/journeys/{JOURNEY}/latecomers", {}, 409)
    assert late["code"] == "not_live"


async def test_those_who_match_already_are_counted_and_let_in(door: Door) -> None:
    """A test contact, and one who has reached the goal since, are not waiting for it."""
    await door.full.put(f"/v1/journeys/{JOURNEY}/state", json={"state": "draft"})
    form = {"event": "Form Submitted", "properties": {"form": "whitepaper"}}
    for user in ("u1", "u2", "bought"):
        assert (await door.full.post("/v1/track", json={"userId": user, **form})).status_code == 200
    await door.full.post("/v1/track", json={"userId": "bought", "event": "Order Completed"})

    audience = (await door.full.get(f"/v1/journeys/{JOURNEY}/audience")).json()
    await door.full.put(f"/v1/journeys/{JOURNEY}/state", json={"state": "live"})
    batch = await post(door, f"/v1/journeys/{JOURNEY}/latecomers", {"rate": 100}, 202)
    await steering(door).round()

    assert (audience["by_events"], audience["exact"]) == (3, True)
    done = (await door.full.get(f"/v1/batches/{batch['id']}")).json()
    assert (done["state"], done["done"], done["left_out"]) == ("done", 2, 1)
    assert [row.trigger["event"] for row in await door.all(Enrollment)] == ["Form Submitted"] * 2


async def test_pauses_and_stopped_pilots_are_seen_by_monitoring(door: Door) -> None:
    await post(door, "/v1/pauses", {"everything": True}, 201)
    shown = (await door.full.get("/metrics")).text
    assert "tabiji_pauses 1.0" in shown
    assert "tabiji_pilots_stopped 0.0" in shown
