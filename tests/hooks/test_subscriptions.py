"""Subscriptions over HTTP and at a terminal: made, tried, turned, and their dead letters sent again."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from activities.webhook_delivery import Deliverer
from models.database import Database, insert
from models.effect import Effect
from models.webhook import WebhookDelivery
from tabiji.channels.webhook import WebhookPost
from tests.api.conftest import SECRET, Door, opened, settings_for
from tests.hooks.receivers import Receiver, receiver


@pytest.fixture
async def to() -> AsyncGenerator[Receiver]:
    async with receiver() as one:
        yield one


@pytest.fixture
async def door(sqlite: Database, tmp_path: Path) -> AsyncGenerator[Door]:
    async with opened(sqlite, settings_for(sqlite, tmp_path, webhook_hosts=("localhost",))) as door:
        yield door


async def add(door: Door, to: Receiver, **more: Any) -> dict[str, Any]:
    answer = await door.full.post("/v1/webhooks", json={"url": to.url, "events": ["Order Completed"], **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def orders(door: Door) -> None:
    answer = await door.ingest.post("/v1/track", json={"userId": "u-1", "event": "Order Completed"})
    assert answer.status_code == 200, answer.text


async def tell(door: Door) -> None:
    post = WebhookPost(hosts=["localhost"])
    deliverer = Deliverer(door.parts.database, post, root=SECRET)
    while await deliverer.round():
        await deliverer.settle()
    await post.close()


async def test_a_subscription_is_made_tried_told_and_its_secret_shown_once(door: Door, to: Receiver) -> None:
    made = await add(door, to)
    name, secret = made["webhook"]["name"], made["secret"]
    assert name == "localhost"
    assert made["webhook"]["sent"] == ["event", "timestamp", "properties.*", "contact.id", "contact.user_ids"]

    tried = (await door.full.post(f"/v1/webhooks/{name}/test")).json()
    assert (tried["ok"], tried["status"]) == (True, 200)
    await orders(door)
    await tell(door)
    to.verify(secret)
    assert [body["type"] for body in to.bodies] == ["tabiji.test", "Order Completed"]

    listed = (await door.full.get("/v1/webhooks")).text
    assert secret not in listed
    rotated = (await door.full.post(f"/v1/webhooks/{made['webhook']['id']}/rotate")).json()
    assert rotated["secret"] != secret
    assert (await door.ingest.get("/v1/webhooks")).status_code == 403
    assert (await door.nobody.get("/v1/webhooks")).status_code == 401


async def test_what_cannot_be_subscribed_is_refused_in_words(door: Door, to: Receiver) -> None:
    refused: tuple[tuple[dict[str, Any], int], ...] = (
        ({"url": "https://10.0.0.1/hook", "events": ["x"]}, 422),
        ({"url": "http://crm.example.com/hook", "events": ["x"]}, 422),
        ({"url": "https://user:password@crm.example.com/", "events": ["x"]}, 422),
        ({"url": "nonsense", "events": ["x"]}, 422),
        ({"url": to.url, "events": []}, 422),
        ({"url": to.url, "events": ["*", "x"]}, 422),
        ({"url": to.url, "events": ["x"], "name": "deliveries"}, 422),
        ({"url": to.url, "events": ["x"], "name": "a/b"}, 422),
        ({"url": to.url, "events": ["x"], "include": ["phone"]}, 422),
    )
    for body, status in refused:
        answer = await door.full.post("/v1/webhooks", json=body)
        assert (answer.status_code, bool(answer.json()["detail"])) == (status, True), body
    await add(door, to, name="crm")
    again = await door.full.post("/v1/webhooks", json={"url": to.url, "events": ["x"], "name": "crm"})
    assert (again.status_code, again.json()["code"]) == (409, "refused")
    for path in ("nobody/test", "nobody/rotate", "nobody/enable", "nobody/disable"):
        assert (await door.full.post(f"/v1/webhooks/{path}")).status_code == 404


async def test_dead_letters_are_looked_at_and_sent_again(door: Door, to: Receiver) -> None:
    await add(door, to, name="crm", include=["email"])
    to.answers += ["410 Gone"]
    await orders(door)
    await tell(door)
    (dead,) = (await door.full.get("/v1/webhooks/deliveries?state=dead&webhook=crm")).json()["deliveries"]
    stuck = (await door.full.get("/v1/stuck")).json()
    assert [(row["name"], row["dead"]) for row in stuck["webhooks"]] == [("crm", 1)]
    shown = (await door.full.get(f"/v1/webhooks/deliveries/{dead['id']}")).json()
    assert shown["message"] == to.bodies[0]

    resend = f"/v1/webhooks/deliveries/{dead['id']}/resend"
    assert (await door.full.post(resend)).status_code == 409  # nobody is told while it is disabled
    assert (await door.full.post("/v1/webhooks/crm/enable")).json()["state"] == "enabled"
    assert (await door.full.post(resend)).json() == {"resent": 1, "more": False}
    await tell(door)
    assert [row.state for row in await door.all(WebhookDelivery)] == ["delivered"]
    assert (await door.full.get("/v1/stuck")).json()["webhooks"] == []
    assert (await door.full.get(f"/v1/webhooks/deliveries/{UUID(int=0)}")).status_code == 404


async def test_calls_of_journeys_that_came_to_nothing_stand_in_the_same_list(door: Door, to: Receiver) -> None:
    await orders(door)
    contact = (await door.contact(user_id="u-1"))["id"]
    database = door.parts.database
    async with database.write() as tx:
        now = await database.now(tx)
        for step, ok in (("a", True), ("b", False)):
            await tx.execute(
                insert(tx, Effect).values(
                    key=f"nurture/{contact}/1/{step}/1",
                    contact_id=UUID(contact),
                    activity="call_webhook",
                    answer={"ok": ok, "status": 404, "reason": "answered 404"},
                    at=now,
                    recorded_at=now,
                )
            )
    (call,) = (await door.full.get("/v1/webhooks/calls")).json()["calls"]
    assert (call["step"], call["reason"]) == (f"nurture/{contact}/1/b/1", "answered 404")
