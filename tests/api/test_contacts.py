from __future__ import annotations

import uuid
from typing import Any

from models.change import Change
from models.contact import Consent
from models.database import insert
from models.edits import add_points, add_tag
from models.event import Event
from models.message import Message
from tests.api.conftest import Door


async def somebody(door: Door) -> str:
    await door.full.post("/v1/identify", json={"userId": "u1", "traits": {"email": "hanako@example.com"}})
    return str((await door.contact(user_id="u1"))["id"])


async def in_a_journey(door: Door) -> tuple[str, str]:
    contact = await somebody(door)
    answer = await door.full.post("/v1/journeys/whitepaper-nurture/enrollments", json={"user_id": "u1"})
    assert answer.status_code == 201, answer.text
    return contact, str(answer.json()["id"])


async def write_history(door: Door, contact: str, enrollment: str) -> None:
    """What a worker would have written."""
    async with door.parts.database.write() as tx:
        now = await door.parts.database.now(tx)
        common = {"contact_id": uuid.UUID(contact), "at": now, "recorded_at": now}
        message = {
            "key": f"{enrollment}/welcome/1",
            "public_id": "m1",
            "enrollment_id": enrollment,
            "step": "welcome",
            "visit": 1,
            "template": "whitepaper/welcome",
            "state": "refused",
            "reason": "no consent",
            "token": "t",
            "run_id": "r",
            "activity_id": "a",
            "attempt": 1,
            "lease_until": now,
            "deferrals": 0,
            "audience": "contact",
            "maybe_twice": 0,
            "asked_at": now,
            "test": False,
        }
        await tx.execute(insert(tx, Message).values(**message, **common))

    async def changed(change: Change) -> None:
        await add_tag(change, "customer")
        await add_points(change, 20, "looked at pricing", key=f"{enrollment}/steps/1")

    await door.parts.recorder.change(uuid.UUID(contact), changed, source=enrollment)


async def test_the_timeline_tells_everything_with_fates_and_reasons(door: Door) -> None:
    contact, enrollment = await in_a_journey(door)
    await write_history(door, contact, enrollment)
    await door.full.post(
        f"/v1/contacts/{contact}/consents",
        json={"topic": "marketing", "given": True, "source": "phone", "wording": "はい"},
    )

    answer = await door.full.get(f"/v1/contacts/{contact}")

    found: dict[str, Any] = answer.json()
    entries = {entry["kind"]: entry for entry in found["timeline"] if entry.get("name") != "Consent Given"}
    assert entries["message"]["id"] == "m1"
    assert (entries["message"]["state"], entries["message"]["reason"]) == ("refused", "no consent")
    changes = {entry["name"]: entry["properties"] for entry in found["timeline"] if entry["kind"] == "change"}
    assert changes == {
        "Tag Added": {"tag": "customer"},
        "Score Changed": {"before": 0, "after": 20, "points": 20, "reason": "looked at pricing"},
    }
    assert (entries["consent"]["given"], entries["consent"]["wording"]) == (True, "はい")
    assert (entries["enrollment"]["id"], entries["enrollment"]["state"], entries["enrollment"]["path"]) == (
        enrollment,
        "running",
        [],
    )
    assert entries["event"]["name"] == "Identified"
    assert found["tags"] == ["customer"]
    assert [(one["topic"], one["given"]) for one in found["consents"]] == [("marketing", True)]
    recorded = [entry["recorded_at"] for entry in found["timeline"]]
    assert recorded == sorted(recorded, reverse=True)


async def test_pages_of_a_timeline_join_without_gap_or_overlap(door: Door) -> None:
    contact, enrollment = await in_a_journey(door)
    for place in range(5):
        await door.ingest.post("/v1/track", json={"userId": "u1", "event": f"E{place}"})
    await write_history(door, contact, enrollment)
    whole = (await door.full.get(f"/v1/contacts/{contact}", params={"limit": 200})).json()
    assert whole["next"] is None

    for limit in (1, 2, 3, 7):
        assert await _joined(door, contact, limit) == whole["timeline"]
    assert len(whole["timeline"]) == 10


async def _joined(door: Door, contact: str, limit: int) -> list[Any]:
    joined: list[Any] = []
    params: dict[str, str | int] = {"limit": limit}
    while True:
        page = (await door.full.get(f"/v1/contacts/{contact}", params=params)).json()
        joined += page["timeline"]
        if page["next"] is None:
            return joined
        params["before"] = page["next"]


async def test_a_withdrawn_consent_is_in_force_and_the_earlier_one_is_kept_as_proof(door: Door) -> None:
    contact = await somebody(door)
    path = f"/v1/contacts/{contact}/consents"
    for given in (True, False):
        answer = await door.full.post(path, json={"topic": "marketing", "given": given, "source": "phone"})
        assert answer.status_code == 201

    found = await door.contact(user_id="u1")

    assert [one["given"] for one in found["consents"]] == [False]
    assert await door.rows(Consent) == 2


async def test_the_same_consent_sent_again_counts_once(door: Door) -> None:
    contact = await somebody(door)
    body = {"topic": "marketing", "given": True, "source": "import", "messageId": "c1"}

    answers = [await door.full.post(f"/v1/contacts/{contact}/consents", json=body) for _ in range(2)]

    assert [answer.json()["duplicate"] for answer in answers] == [False, True]
    assert await door.rows(Consent) == 1


NONSENSE: list[tuple[dict[str, str], int]] = [
    ({}, 422),
    ({"email": "a@example.com", "user_id": "u1"}, 422),
    ({"email": "nobody"}, 422),
    ({"email": "a@example.com"}, 404),
    ({"user_id": "u\x00"}, 422),
    ({"user_id": "x" * 300}, 422),
    ({"user_id": "u1", "limit": "0"}, 422),
    ({"user_id": "u1", "limit": "9" * 400}, 422),
    ({"user_id": "u1", "before": "nonsense"}, 422),
    ({"user_id": "u1", "before": "W10"}, 422),
    ({"user_id": "u1", "before": "WzkyMjMzNzIwMzY4NTQ3NzU4MDcsMSwxLCJhIl0"}, 422),
    ({"anonymous_id": "a1"}, 404),
]


async def test_a_search_that_makes_no_sense_is_refused(door: Door) -> None:
    await somebody(door)

    for params, status in NONSENSE:
        answer = await door.full.get("/v1/contacts", params=params)

        assert answer.status_code == status, (params, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_nothing_is_kept_for_a_contact_who_is_not_there(door: Door) -> None:
    nobody = uuid.uuid4()

    shown = await door.full.get(f"/v1/contacts/{nobody}")
    agreed = await door.full.post(
        f"/v1/contacts/{nobody}/consents", json={"topic": "marketing", "given": True, "source": "x"}
    )

    assert (shown.status_code, agreed.status_code) == (404, 404)
    assert shown.json()["code"] == "unknown_contact"
    assert (await door.rows(Event), await door.rows(Consent)) == (0, 0)


UNPROVED: list[tuple[dict[str, Any], str]] = [
    ({"given": True, "source": "x"}, "topic"),
    ({"topic": "t", "given": "yes", "source": "x"}, "given"),
    ({"topic": "t" * 65, "given": True, "source": "x"}, "topic"),
    ({"topic": "t", "given": True, "source": ""}, "source"),
    ({"topic": "t", "given": True, "source": "x", "wording": "あ" * 5001}, "wording"),
]


async def test_a_consent_without_proof_is_no_consent(door: Door) -> None:
    contact = await somebody(door)

    for body, field in UNPROVED:
        answer = await door.full.post(f"/v1/contacts/{contact}/consents", json=body)

        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]
        assert await door.rows(Consent) == 0
