from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

from sqlalchemy import update

from models.database import table
from models.enrollment import Dispatch, Enrollment
from models.event import Event
from tests.api.conftest import Door

NURTURE = "/v1/journeys/whitepaper-nurture/enrollments"


async def people(door: Door, *users: str) -> None:
    for user in users:
        body = {"userId": user, "traits": {"email": f"{user}@example.com"}}
        assert (await door.ingest.post("/v1/identify", json=body)).status_code == 200


async def end(door: Door, enrollment: str) -> None:
    rows = table(Enrollment)
    async with door.parts.database.write() as tx:
        await tx.execute(update(rows).where(rows.c.id == enrollment).values(state="completed"))


async def test_entering_by_hand_says_what_they_wait_for_and_where_to_look(door: Door) -> None:
    await people(door, "u1")

    answer = await door.full.post(NURTURE, json={"email": "U1@example.com"})

    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert made["id"] == f"whitepaper-nurture/{made['contact_id']}/1"
    assert (made["journey"], made["state"], made["test"], made["tempo"]) == ("whitepaper-nurture", "running", False, 1)
    assert made["waiting_for"] == ["Order Completed (goal)"]
    assert made["temporal_url"].endswith(f"/namespaces/default/workflows/{quote(made['id'], safe='')}")
    for path in (made["id"], quote(made["id"], safe="")):
        assert (await door.full.get(f"/v1/enrollments/{path}")).json() == made


async def test_who_is_in_the_journey_already_is_refused_with_the_reason(door: Door) -> None:
    await people(door, "u1")
    await door.full.post(NURTURE, json={"user_id": "u1"})

    again = await door.full.post(NURTURE, json={"user_id": "u1"})

    assert (again.status_code, again.json()["code"]) == (409, "entry_refused")
    assert "already in it" in again.json()["detail"]
    assert await door.rows(Enrollment) == 1
    assert (await door.full.post(NURTURE, json={"user_id": "u1", "key": "order-2"})).status_code == 201


async def test_an_unknown_journey_is_answered_with_the_known_ones(door: Door) -> None:
    answer = await door.full.post("/v1/journeys/nowhere/enrollments", json={"user_id": "u1"})

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_journey")
    assert "whitepaper-nurture" in answer.json()["detail"]


async def test_a_tempo_makes_a_test_enrollment(door: Door) -> None:
    await people(door, "u1")

    made = (await door.full.post(NURTURE, json={"user_id": "u1", "tempo": 1000})).json()

    assert (made["test"], made["tempo"]) == (True, 1000)


MISTAKES: list[tuple[dict[str, Any], int]] = [
    ({}, 422),
    ({"email": "u1@example.com", "user_id": "u1"}, 422),
    ({"contact": "00000000-0000-0000-0000-000000000000", "user_id": "u1"}, 422),
    ({"contact": "00000000-0000-0000-0000-000000000000"}, 404),
    ({"contact": "me"}, 422),
    ({"email": "nobody@example.com"}, 404),
    ({"user_id": "u1", "tempo": -1}, 422),
    ({"user_id": "u1", "tempo": "fast"}, 422),
    ({"user_id": "u1", "key": "k" * 201}, 422),
]


async def test_nobody_enters_by_a_mistake(door: Door) -> None:
    await people(door, "u1")

    for body, status in MISTAKES:
        answer = await door.full.post(NURTURE, json=body)
        assert answer.status_code == status, (body, answer.text)
    assert (await door.rows(Enrollment), await door.rows(Dispatch)) == (0, 0)


async def test_the_list_is_filtered_and_paged(door: Door) -> None:
    users = [f"u{place}" for place in range(5)]
    await people(door, *users)
    made = [(await door.full.post(NURTURE, json={"user_id": user})).json() for user in users]
    await door.full.post("/v1/journeys/stay-in-touch/enrollments", json={"user_id": "u0"})
    await end(door, made[0]["id"])

    async def ids(**params: str) -> list[str]:
        found: list[str] = []
        while True:
            answer = await door.full.get("/v1/enrollments", params=params)
            assert answer.status_code == 200, answer.text
            found += [one["id"] for one in answer.json()["enrollments"]]
            if answer.json()["next"] is None:
                return found
            params["after"] = answer.json()["next"]

    assert await ids(journey="whitepaper-nurture", limit="2") == [one["id"] for one in reversed(made)]
    assert len(await ids(limit="1")) == 6
    assert len(await ids(contact=made[0]["contact_id"])) == 2
    assert await ids(state="completed") == [made[0]["id"]]
    assert await ids(journey="nowhere") == []
    for wrong in ({"state": "asleep"}, {"contact": "x"}, {"after": "x"}, {"journey": "\x00"}, {"limit": "1000"}):
        assert (await door.full.get("/v1/enrollments", params=wrong)).status_code == 422, wrong


async def test_an_event_for_one_enrollment_is_kept_and_wakes_only_that_one(door: Door) -> None:
    await people(door, "u1")
    first = (await door.full.post(NURTURE, json={"user_id": "u1"})).json()
    await door.full.post("/v1/journeys/stay-in-touch/enrollments", json={"user_id": "u1"})

    body = {"event": "Order Completed", "properties": {"total": 5}, "messageId": "m1"}
    answers = [await door.full.post(f"/v1/enrollments/{first['id']}/events", json=body) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.json()["duplicate"] for answer in answers] == [False, True]
    signals = [one for one in await door.all(Dispatch) if one.kind == "signal"]
    assert [one.enrollment_id for one in signals] == [first["id"]]
    (kept,) = [event for event in await door.all(Event) if event.name == "Order Completed"]
    assert (kept.enrollment_id, kept.kind) == (first["id"], "manual")


async def test_an_enrollment_that_has_ended_or_never_was_is_told_nothing(door: Door) -> None:
    await people(door, "u1")
    made = (await door.full.post(NURTURE, json={"user_id": "u1"})).json()
    await end(door, made["id"])
    events = await door.rows(Event)

    ended = await door.full.post(f"/v1/enrollments/{made['id']}/events", json={"event": "X"})
    unknown = await door.full.post(f"/v1/enrollments/x/{uuid.uuid4()}/1/events", json={"event": "X"})
    hostile = await door.full.get("/v1/enrollments/a%00b")

    assert (ended.status_code, unknown.status_code, hostile.status_code) == (409, 404, 422)
    assert await door.rows(Event) == events


async def test_the_journeys_are_listed_in_words(door: Door) -> None:
    found = {one["name"]: one for one in (await door.full.get("/v1/journeys")).json()["journeys"]}

    assert found["whitepaper-nurture"]["starts_on"] == ["Form Submitted (form = whitepaper)"]
    assert found["whitepaper-nurture"]["ends_at"] == ["Order Completed, then onboarding"]
