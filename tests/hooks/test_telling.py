"""Webhooks that go out: written down with the event, sent until they arrive, to nobody they should not reach."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from models.database import Database, table
from models.event import Event
from models.incoming import NOBODY
from models.webhook_deliveries import Tried, mark, resend, take
from models.webhook_outbox import WebhookOutbox
from models.webhooks import disable, enable, rotate
from tabiji.domain.webhooks import PAUSES
from tests.hooks.receivers import FOREVER, ROOT, Receiver, house, receiver, secret
from tests.road.parts import Road, did

ORDER = "Order Completed"


@pytest.fixture
async def to() -> AsyncGenerator[Receiver]:
    async with receiver() as one:
        yield one


async def ordered(database: Database, **more: Any) -> None:
    await Road(database).recorder.record([did(ORDER, user_id="u-1", email="hanako@example.com", **more)])


async def test_whoever_subscribes_is_told_signed_and_without_an_address(database: Database, to: Receiver) -> None:
    async with house(database) as it:
        webhook = await it.subscribe(to)
        await ordered(database, properties={"total": 120.5, "note": "花"}, message_id="m1")
        await it.tell()
        ((headers, _),) = to.got
        (body,) = to.bodies
        (row,) = await it.rows()
        (event,) = await Road(database).rows(Event)
    to.verify(secret(webhook))
    assert headers["webhook-id"] == body["id"] == f"msg_{row.id.hex}"
    assert (body["type"], body["timestamp"]) == (ORDER, event.at.isoformat())
    assert body["data"] == {
        "event": ORDER,
        "properties": {"total": 120.5, "note": "花"},
        "contact": {"id": str(event.contact_id), "user_ids": ["u-1"]},
    }
    assert (row.state, row.status, row.tries) == ("delivered", 200, 1)


async def test_of_an_event_only_what_is_asked_for_is_sent(sqlite: Database, to: Receiver) -> None:
    async with house(sqlite) as it:
        await it.subscribe(to, properties=["total"], include_email=True)
        await ordered(sqlite, properties={"total": 120.5, "note": "private"})
        await it.tell()
    data = to.bodies[0]["data"]
    assert data["properties"] == {"total": 120.5}
    assert data["contact"]["email"] == "hanako@example.com"


async def test_each_event_counts_by_its_name_and_a_copy_or_history_tells_nobody(sqlite: Database, to: Receiver) -> None:
    async with house(sqlite) as it, receiver() as other:
        await it.subscribe(to, ORDER, "Attribute Changed")
        await it.subscribe(other, "*", name="all")
        road = Road(sqlite)
        batch = [
            did(ORDER, message_id="m1"),
            did(ORDER, message_id="m1"),
            did("Page Viewed", message_id="m2"),
            did(ORDER, message_id="m3", enrollment_id=NOBODY),
            did("Identified", message_id="m4", traits={"plan": "pro"}),
        ]
        await road.recorder.record(batch)
        await road.recorder.record(batch[:1])
        await it.tell()
        assert sorted(body["type"] for body in to.bodies) == ["Attribute Changed", ORDER]
        assert sorted(body["type"] for body in other.bodies) == [
            "Attribute Changed", "Identified", ORDER, "Page Viewed",
        ]  # fmt: skip


async def test_where_nobody_subscribes_nothing_is_asked_of_the_database(sqlite: Database) -> None:
    """But for one look into a small table every few seconds."""
    seconds = [0.0]
    outbox = WebhookOutbox(lambda: seconds[0])
    road = Road(sqlite)
    road.recorder._webhooks = outbox  # pyright: ignore[reportPrivateUsage] # its clock is to be ours
    async with house(sqlite) as it, receiver() as to:
        await ordered(sqlite)
        await road.recorder.record([did(ORDER)])
        await it.subscribe(to)
        await road.recorder.record([did(ORDER)])
        assert await it.rows() == []
        seconds[0] = 3.0
        await road.recorder.record([did(ORDER)])
        assert len(await it.rows()) == 1


async def test_what_is_not_taken_is_tried_again_under_its_id_after_growing_pauses(
    sqlite: Database, to: Receiver
) -> None:
    to.always = "500 Oops"
    async with house(sqlite) as it:
        await it.subscribe(to)
        await ordered(sqlite)
        for expected in PAUSES:
            await it.tell()
            await it.tell()
            assert abs(await it.pause() - expected) < timedelta(seconds=4)
            await it.make_due()
        await it.tell()
        (row,) = await it.rows()
        assert (row.state, row.tries, row.status, row.problem) == ("dead", len(PAUSES) + 1, 500, "answered 500")
        assert len(set(to.ids)) == 1

        to.always = "200 OK"
        async with sqlite.write() as tx:
            assert await resend(tx) == 1
        await it.tell()
        assert (await it.rows())[0].state == "delivered"
        assert len(set(to.ids)) == 1
        assert (await it.webhook()).failing_since is None


async def test_any_other_answer_may_be_a_mistake_that_is_mended(sqlite: Database, to: Receiver) -> None:
    to.answers += ["301 Moved\r\nLocation: http://127.0.0.1:1/", "400 No", "401 No", "404 Not Here"]
    async with house(sqlite) as it:
        await it.subscribe(to)
        await ordered(sqlite)
        for tries in (1, 2, 3, 4):
            await it.tell()
            assert [(row.state, row.tries) for row in await it.rows()] == [("pending", tries)]
            await it.make_due()
        await it.tell()
        assert [row.state for row in await it.rows()] == ["delivered"]
    assert len(to.got) == 5


async def test_a_receiver_that_asks_for_patience_gets_it(sqlite: Database, to: Receiver) -> None:
    to.answers += ["503 Busy\r\nRetry-After: 600"]
    async with house(sqlite) as it:
        await it.subscribe(to)
        await ordered(sqlite)
        await it.tell()
        assert timedelta(seconds=590) < await it.pause() <= timedelta(seconds=600)


async def test_gone_means_that_it_wants_no_more(database: Database, to: Receiver) -> None:
    to.answers += ["410 Gone"]
    async with house(database) as it:
        await it.subscribe(to)
        await ordered(database)
        await it.tell()
        webhook = await it.webhook()
        assert (webhook.state, webhook.by_itself, "410" in webhook.reason) == ("disabled", True, True)
        assert [row.state for row in await it.rows()] == ["dead"]
        await ordered(database)
        await it.tell()
        assert len(to.got) == 1

        async with database.write() as tx:
            assert await resend(tx) == 0  # nobody is told while it is disabled
            await enable(tx, webhook.id)
            assert await resend(tx) == 1
        await it.tell()
        assert len(to.got) == 2


async def test_who_has_taken_nothing_for_days_is_told_nothing_more(sqlite: Database, to: Receiver) -> None:
    to.always = "500 Oops"
    async with house(sqlite) as it:
        await it.subscribe(to)
        await ordered(sqlite)
        await it.tell()
        assert (await it.webhook()).state == "enabled"
        await it.failing_for(timedelta(days=5, minutes=1))
        await it.make_due()
        await it.tell()
        webhook = await it.webhook()
    assert (webhook.state, webhook.by_itself) == ("disabled", True)
    assert webhook.reason == "nothing has arrived for 5 days: answered 500"


async def test_what_waits_when_somebody_disables_it_is_kept_as_dead_letters(sqlite: Database, to: Receiver) -> None:
    async with house(sqlite) as it:
        webhook = await it.subscribe(to)
        await ordered(sqlite)
        async with sqlite.write() as tx:
            await disable(tx, webhook.id, "by ops", by_itself=False, now=datetime.now(UTC))
        await it.tell()
        (row,) = await it.rows()
    assert (row.state, row.problem, to.got) == ("dead", "the subscription is disabled", [])


async def test_an_exchanged_secret_signs_beside_its_successor_for_a_day(sqlite: Database, to: Receiver) -> None:
    async with house(sqlite) as it:
        webhook = await it.subscribe(to)
        async with sqlite.write() as tx:
            await rotate(tx, webhook.id, now=datetime.now(UTC))
        await ordered(sqlite)
        await it.tell()
        to.verify(secret(webhook, 1))
        to.verify(secret(webhook, 2))
        async with sqlite.write() as tx:
            await rotate(tx, webhook.id, now=datetime.now(UTC) - timedelta(hours=25))
        await ordered(sqlite, message_id="later")
        await it.tell()
    headers, body = to.got[1]
    Verifier(secret(webhook, 3)).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(secret(webhook, 2)).verify(body, headers)


async def test_a_slow_receiver_is_given_up_and_holds_up_nobody(sqlite: Database, to: Receiver) -> None:
    async with house(sqlite, within=1) as it, receiver() as slow:
        slow.always = FOREVER
        await it.subscribe(slow, name="slow")
        await it.subscribe(to, name="quick")
        for number in range(12):
            await ordered(sqlite, message_id=f"m{number}")
        await it.deliverer.round()
        async with asyncio.timeout(10):
            while len(to.got) < 12:
                await it.deliverer.round()
                await asyncio.sleep(0.02)
        await it.deliverer.settle()
        states = [(row.state, row.problem) for row in await it.rows() if row.problem]
    assert ("pending", "no answer within 1 s") in states


async def test_no_private_address_is_reached_unless_it_is_named(sqlite: Database, to: Receiver) -> None:
    urls = {
        f"https://localhost:{to.port}/": "private network",  # a name that leads to 127.0.0.1
        f"https://127.0.0.1:{to.port}/": "private network",
        f"https://[::ffff:127.0.0.1]:{to.port}/": "private network",
        "https://169.254.169.254/latest/meta-data": "private network",
        f"http://localhost:{to.port}/": "only https",
    }
    async with house(sqlite, hosts=()) as it:
        names = {(await it.subscribe(url, name=url)).id: problem for url, problem in urls.items()}
        await ordered(sqlite)
        await it.tell()
        rows = await it.rows()
    assert all(row.state == "pending" and names[row.webhook_id] in row.problem for row in rows)
    assert (len(rows), to.got) == (len(urls), [])


async def test_a_redirect_into_the_private_network_leads_nowhere(sqlite: Database, to: Receiver) -> None:
    async with house(sqlite) as it, receiver() as private:
        to.always = f"302 Found\r\nLocation: {private.url}"
        await it.subscribe(to)
        await ordered(sqlite)
        await it.tell()
        assert private.got == []
        assert (await it.rows())[0].problem == "answered 302"


async def test_of_test_contacts_only_hosts_of_ones_own_are_told(sqlite: Database, to: Receiver) -> None:
    async with house(sqlite) as it, house(sqlite, hosts=()) as elsewhere:
        await it.subscribe(to)
        await ordered(sqlite, tempo=60.0)
        await it.tell()
        assert to.got[0][0]["tabiji-test"] == "1"
        await ordered(sqlite, message_id="again")
        await elsewhere.tell()
        assert [row.state for row in await it.rows()] == ["delivered", "left_out"]
    assert len(to.got) == 1


async def test_of_an_erased_event_nothing_is_said(sqlite: Database, to: Receiver) -> None:
    async with house(sqlite) as it:
        await it.subscribe(to)
        await ordered(sqlite)
        async with sqlite.write() as tx:
            await tx.execute(delete(table(Event)))
        await it.tell()
        (row,) = await it.rows()
    assert (row.state, row.problem, to.got) == ("left_out", "the event was erased", [])


async def test_two_workers_send_each_message_once(database: Database, to: Receiver) -> None:
    async with house(database) as one, house(database) as other:
        await one.subscribe(to)
        road = Road(database)
        await road.recorder.record([did(ORDER) for _ in range(60)])
        while await one.deliverer.round() + await other.deliverer.round():
            await asyncio.gather(one.deliverer.settle(), other.deliverer.settle())
        assert {row.state for row in await one.rows()} == {"delivered"}
    assert len(to.ids) == len(set(to.ids)) == 60


WORKER = """
import asyncio, sys
from datetime import timedelta
from activities.webhook_delivery import Deliverer
from models.database import Database
from tabiji.channels.webhook import WebhookPost

async def main():
    database = Database(sys.argv[1])
    post = WebhookPost(hosts=["localhost"])
    deliverer = Deliverer(database, post, root=sys.argv[2], lease=timedelta(seconds=1))
    await deliverer.round()
    await deliverer.settle()

asyncio.run(main())
"""


async def test_a_worker_killed_before_its_note_is_followed_by_one_that_sends_the_same_id(
    sqlite: Database, to: Receiver
) -> None:
    async with house(sqlite, lease=1) as it:
        await it.subscribe(to)
        await ordered(sqlite)
        url = sqlite.url.render_as_string(hide_password=False).replace("+aiosqlite", "")
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORKER, url, ROOT, cwd=Path(__file__).parent.parent.parent
        )
        # It has been taken; the answer is on its way.
        to.told = lambda: os.kill(worker.pid, signal.SIGKILL)
        assert await worker.wait() == -signal.SIGKILL
        to.told = lambda: None
        async with asyncio.timeout(20):
            while (await it.rows())[0].state != "delivered":
                await it.tell()
                await asyncio.sleep(0.05)
    assert len(to.ids) == 2
    assert len(set(to.ids)) == 1


async def test_who_comes_back_after_the_lease_is_over_changes_nothing(sqlite: Database, to: Receiver) -> None:
    async with house(sqlite) as it:
        webhook = await it.subscribe(to)
        await ordered(sqlite)
        ran_out = timedelta(seconds=-1)
        async with sqlite.write() as tx:
            (first,) = await take(tx, webhook.id, most=9, lease=ran_out)
            (second,) = await take(tx, webhook.id, most=9, lease=timedelta(seconds=60))
            assert await take(tx, webhook.id, most=9, lease=ran_out) == []
            assert await mark(tx, first, Tried(ok=False, problem="x"), chance=0.5) is None
            assert await mark(tx, second, Tried(ok=True, status=200), chance=0.5) == "delivered"
        assert [row.state for row in await it.rows()] == ["delivered"]
