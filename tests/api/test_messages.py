"""Why a mail was or was not sent, and whether the next one would be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import update

from models.database import table
from models.message import Message
from tabiji.domain.sending.words import REASONS, STATES, meaning_of
from tests.api.conftest import Door, with_a_mail

RULES = Path("tabiji/domain/sending")


async def change(door: Door, **values: object) -> None:
    async with door.parts.database.write() as tx:
        await tx.execute(update(table(Message)).values(**values))


async def test_a_message_says_what_was_decided_what_that_means_and_what_happened_since(door: Door) -> None:
    contact = await with_a_mail(door, {"email": "hanako@example.jp"}, template="demo/invitation")
    token = door.parts.links.click("m1", "https://example.com/")
    await door.nobody.get(token.removeprefix(door.parts.settings.public_url))

    shown = (await door.full.get("/v1/messages/m1")).json()
    assert (shown["contact_id"], shown["template"], shown["state"]) == (str(contact), "demo/invitation", "sent")
    assert shown["means"] == STATES["sent"]
    assert [event["name"] for event in shown["events"]] == ["Email Link Clicked"]
    assert shown["events"][0]["properties"]["url"] == "https://example.com/"


async def test_a_refusal_says_why_and_what_can_be_done(door: Door) -> None:
    await with_a_mail(door, {"email": "hanako@example.jp"}, template="demo/invitation")
    await change(door, state="refused", reason="suppressed: hard_bounce")

    shown = (await door.full.get("/v1/messages/m1")).json()
    assert shown["says"] == REASONS["suppressed"].says
    assert "tabiji suppress" in shown["remedy"]


async def test_messages_are_listed_by_what_is_asked_for_page_by_page(door: Door) -> None:
    contact = await with_a_mail(door, {"email": "hanako@example.jp"}, template="demo/invitation")
    mine = (await door.full.get("/v1/messages", params={"contact": str(contact), "state": "sent"})).json()
    assert [one["id"] for one in mine["messages"]] == ["m1"]
    assert mine["next"] is None
    assert (await door.full.get("/v1/messages", params={"reason": "no_consent"})).json()["messages"] == []
    assert (await door.full.get("/v1/messages", params={"after": "nonsense"})).status_code == 422


async def test_reasons_are_counted_without_those_of_rehearsals(door: Door) -> None:
    await with_a_mail(door, {"email": "hanako@example.jp"}, template="demo/invitation")
    await change(door, state="refused", reason="no_consent")
    [counted] = (await door.full.get("/v1/messages/reasons")).json()["reasons"]
    assert (counted["state"], counted["reason"], counted["messages"]) == ("refused", "no_consent", 1)
    await change(door, test=True)
    assert (await door.full.get("/v1/messages/reasons")).json()["reasons"] == []


async def test_whether_somebody_would_get_a_mail_now_names_all_that_stands_against_it(door: Door) -> None:
    await door.full.post("/v1/identify", json={"userId": "u1", "traits": {}})
    contact = (await door.contact(user_id="u1"))["id"]
    asked = f"/v1/contacts/{contact}/permission"
    answer = (await door.full.get(asked, params={"topic": "marketing"})).json()
    assert (answer["now"], answer["ever"]) == (False, False)
    assert {one["reason"] for one in answer["objections"]} >= {"no_address", "no_consent"}

    await door.full.post("/v1/identify", json={"userId": "u1", "traits": {"email": "hanako@example.jp"}})
    said = {"topic": "marketing", "given": True, "source": "by telephone"}
    await door.full.post(f"/v1/contacts/{contact}/consents", json=said)
    answer = (await door.full.get(asked, params={"topic": "marketing"})).json()
    assert (answer["now"], answer["objections"]) == (True, [])


@pytest.mark.parametrize("path", ["/v1/messages/unknown", f"/v1/contacts/{'0' * 32}/permission?topic=marketing"])
async def test_what_is_not_there_is_not_found(door: Door, path: str) -> None:
    assert (await door.full.get(path)).status_code == 404


def test_every_reason_a_rule_can_give_is_explained() -> None:
    source = "".join(file.read_text() for file in sorted(RULES.glob("*.py")))
    given = {reason.partition(":")[0].strip() for reason in re.findall(r'reason=f?"([^"{]+)', source)}
    assert given
    assert {reason for reason in given if meaning_of(reason) is None} == set()
