"""Decisions that come by tracking calls: a server is believed, a page may ask."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from models.keys import create_key
from tests.api.conftest import Door
from tests.consent.people import ADDRESS, agreed, consents, events


async def says(door: Door, event: str, **properties: Any) -> UUID:
    call = {"userId": "u1", "event": event, "properties": properties, "context": {"traits": {"email": ADDRESS}}}
    answer = await door.ingest.post("/v1/track", json=call)
    assert answer.is_success, answer.text
    return UUID((await door.contact(user_id="u1"))["id"])


async def test_a_server_says_that_somebody_agreed_and_its_proof_is_kept(door: Door) -> None:
    proof = {"topic": "newsletter", "source": "checkout", "wording": "Write to me.", "version": "3"}
    contact = await says(door, "Consent Given", **proof)
    assert await agreed(door, contact) == {"newsletter": "yes"}
    (kept,) = (await consents(door, contact))["history"]
    assert {name: kept[name] for name in proof} == proof
    assert kept["purpose_version"] == "2026-11"

    await says(door, "Consent Withdrawn", topic="newsletter")
    assert await agreed(door, contact) == {"newsletter": "no"}


async def test_a_server_that_has_not_made_sure_has_the_address_asked(door: Door) -> None:
    contact = await says(door, "Consent Given", topic="newsletter", confirmed=False)
    assert await agreed(door, contact) == {"newsletter": "asked"}
    assert [name for name, _ in await events(door, "Consent Given", "Consent Requested")] == ["Consent Requested"]


@pytest.mark.parametrize("topic", ["newsletter", "marketing"])
async def test_a_page_may_ask_and_never_agrees_for_anybody(door: Door, topic: str) -> None:
    """Also of a topic that asks for no confirmation: a key that stands in a page proves nothing."""
    key = await create_key(door.parts.database, "page", "browser")
    call: dict[str, Any] = {"anonymousId": "a1", "context": {"traits": {"email": ADDRESS}}}
    call |= {"properties": {"topic": topic}, "writeKey": key}
    refused = await door.nobody.post("/v1/track", json=call | {"event": "Consent Given"})
    assert refused.status_code == 403
    taken = await door.nobody.post("/v1/track", json=call | {"event": "Consent Requested"})
    assert taken.is_success, taken.text
    contact = UUID((await door.contact(email=ADDRESS))["id"])
    assert await agreed(door, contact) == {topic: "asked"}


@pytest.mark.parametrize("properties", [{}, {"topic": 5}, {"topic": "x" * 65}, {"topic": "*"}])
async def test_a_yes_to_nothing_or_to_everything_is_an_event_and_no_consent(
    door: Door, properties: dict[str, Any]
) -> None:
    contact = await says(door, "Consent Given", **properties)
    assert await agreed(door, contact) == {}
