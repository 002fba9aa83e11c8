"""Tasks, approvals and changes over HTTP: answered once, told to the journey that waits, shown in the timeline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from models.approval import Approval
from models.approvals import ask, close_approvals
from models.change import Change
from models.database import Database
from models.enrollment import Dispatch
from models.event import Event
from models.tasks import create_task
from models.waits import Waits
from tabiji.domain.changes import AskApproval, CreateTask
from tabiji.domain.conditions import on
from tests.api.conftest import Door, door
from tests.mail.people import Person, person
from tests.road.parts import waits_for

__all__ = ["door"]


@pytest.fixture
def database(sqlite: Database) -> Database:
    """What is asked here does not depend on the database."""
    return sqlite


def order(who: Person, **fields: Any) -> dict[str, Any]:
    known = {"enrollment_id": who.enrollment, "contact_id": str(who.id), "step": "ask", "visit": 1}
    return {**known, "at": datetime.now(UTC), **fields}


async def asked(door: Door, who: Person, *, until: datetime | None = None) -> UUID:
    until = until or datetime.now(UTC) + timedelta(days=3650)
    question = AskApproval(**order(who), question="値引きしてよいですか <b>?", who="sales", until=until)

    async def work(change: Change) -> UUID:
        return await ask(change, question)

    return await door.parts.recorder.change(who.id, work, source=question.key)


async def test_a_question_is_answered_on_its_page_once_and_only_its_journey_hears_of_it(door: Door) -> None:
    who = await person(door.parts.database, attributes={"name": "花子"})
    approval = await asked(door, who)
    waits = Waits(door.parts.database, door.parts.catalog, door.parts.outbox)
    answered = on("Approval Answered", approval=str(approval), take=("approved", "by"))
    await waits.listen(waits_for(who.enrollment, who.id, answered, goals=()))
    link = door.parts.links.approval(approval).removeprefix(door.parts.settings.public_url)

    page = await door.nobody.get(link)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    for words in ('lang="ja"', "値引きしてよいですか &lt;b&gt;?", "花子", "承認する", "却下する", 'for="by"'):
        assert words in page.text
    assert "Approve" in (await door.nobody.get(link, headers={"Accept-Language": "en-GB,ja"})).text
    assert (await door.full.get("/v1/approvals")).json()["approvals"][0]["state"] == "open"

    missing = await door.nobody.post(link, data={"answer": "approve", "by": " ", "note": "1割まで"})
    assert missing.status_code == 422
    assert "1割まで" in missing.text
    assert 'aria-invalid="true"' in missing.text

    given = await door.nobody.post(link, data={"answer": "approve", "by": "佐藤", "note": "1割まで"})
    assert (given.status_code, given.headers["location"]) == (303, link.rpartition("/")[2])
    assert "承認されました" in (await door.nobody.get(link)).text

    late = await door.nobody.post(link, data={"answer": "decline", "by": "鈴木"})
    assert late.status_code == 409
    assert "佐藤" in late.text
    again = await door.full.post(f"/v1/approvals/{approval}", json={"approved": False, "by": "鈴木"})
    assert (again.status_code, again.json()["code"]) == (409, "already_answered")
    assert "佐藤" in again.json()["detail"]

    (event,) = [row for row in await door.all(Event) if row.name == "Approval Answered"]
    assert event.enrollment_id == who.enrollment
    (signal,) = await door.all(Dispatch)
    assert signal.payload["properties"] == {"approved": True, "by": "佐藤"}


async def test_a_broken_link_leads_to_a_page_that_says_so(door: Door) -> None:
    for token in ("x", door.parts.links.unsubscribe(UUID(int=1), "marketing", "m").rpartition("/")[2]):
        assert (await door.nobody.get(f"/a/{token}")).status_code == 404
        assert (await door.nobody.post(f"/a/{token}", data={"answer": "approve", "by": "x"})).status_code == 404


async def test_an_answer_that_nobody_waits_for_any_more_does_not_count(door: Door) -> None:
    who = await person(door.parts.database)
    late = await asked(door, who, until=datetime.now(UTC) - timedelta(days=3650))
    answer = await door.full.post(f"/v1/approvals/{late}", json={"approved": True, "by": "佐藤"})
    assert (answer.status_code, answer.json()["code"]) == (409, "expired")

    other = await person(door.parts.database, email="b@example.jp")
    over = await asked(door, other)
    async with door.parts.database.write() as tx:
        await close_approvals(tx, other.enrollment)
    link = door.parts.links.approval(over).removeprefix(door.parts.settings.public_url)
    assert "受付は終了しました" in (await door.nobody.get(link)).text
    assert (await door.nobody.post(link, data={"answer": "approve", "by": "x"})).status_code == 409
    assert {row.state for row in await door.all(Approval)} == {"expired"}
    assert [row.name for row in await door.all(Event)] == []


async def test_a_task_is_done_once_and_its_journey_hears_of_it(door: Door) -> None:
    who = await person(door.parts.database)
    task = CreateTask(**order(who), title="Call Hanako", who="sales", due=datetime.now(UTC))

    async def work(change: Change) -> UUID:
        return await create_task(change, task)

    task_id = await door.parts.recorder.change(who.id, work, source=task.key)
    (listed,) = (await door.full.get("/v1/tasks", params={"state": "open", "who": "sales"})).json()["tasks"]
    assert (listed["id"], listed["title"], listed["contact_id"]) == (str(task_id), "Call Hanako", str(who.id))

    done = await door.full.post(f"/v1/tasks/{task_id}/done", json={"by": "Sato", "note": "wants a quote"})
    assert (done.status_code, done.json()["state"]) == (200, "done")
    again = await door.full.post(f"/v1/tasks/{task_id}/done", json={})
    assert (again.status_code, again.json()["code"]) == (409, "already_done")

    shown = (await door.full.get(f"/v1/contacts/{who.id}")).json()
    (entry,) = [one for one in shown["timeline"] if one["kind"] == "change"]
    assert entry["properties"] == {"task": str(task_id), "title": "Call Hanako", "who": "sales", "by": "Sato"}
    (given,) = [one for one in shown["timeline"] if one["kind"] == "task"]
    assert (given["title"], given["state"]) == ("Call Hanako", "done")


async def test_other_systems_tag_list_and_stage_people_and_journeys_hear_of_it(door: Door) -> None:
    who = await person(door.parts.database)
    calls = [
        ("PUT", f"/v1/contacts/{who.id}/tags/優良", None),
        ("PUT", f"/v1/lists/news/contacts/{who.id}", None),
        ("PUT", f"/v1/contacts/{who.id}/stage", {"stage": "customer"}),
    ]
    for method, path, body in calls:
        for changed in (True, False):
            answer = await door.full.request(method, path, json=body)
            assert (answer.status_code, answer.json()["changed"]) == (200, changed), answer.text
    assert (await door.full.get("/v1/lists")).json() == {"lists": [{"name": "news", "contacts": 1}]}
    shown = (await door.full.get(f"/v1/contacts/{who.id}")).json()
    assert (shown["tags"], shown["lists"], shown["stage"]) == (["優良"], ["news"], "customer")
    for path in (calls[0][1], calls[1][1]):
        assert (await door.full.delete(path)).json()["changed"] is True

    names = [row.name for row in await door.all(Event)]
    assert names == ["Tag Added", "List Joined", "Stage Changed", "Tag Removed", "List Left"]


async def test_what_tabiji_records_itself_cannot_be_sent_with_a_public_key(door: Door) -> None:
    body = {"userId": "u1", "event": "Tag Added", "properties": {"tag": "vip"}}
    assert (await door.ingest.post("/v1/track", json=body)).status_code == 403
    assert (await door.full.post("/v1/track", json=body)).status_code == 200
