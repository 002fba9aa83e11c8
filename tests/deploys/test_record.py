"""Histories are kept for later checks: without anybody in them, and going the same way as before."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tabiji import Journey, JourneyPlugin, Outcome
from tabiji.deploys.histories import on_file, save
from tabiji.deploys.record import Recorder
from tabiji.deploys.replay import Replay
from tabiji.domain.changes import Changed, LookedUp, LookUp, OwnOrder, SetAttribute
from tabiji.domain.orders import (
    SIGNAL,
    Done,
    Ended,
    EnrollmentInput,
    Happened,
    Heard,
    Listen,
    NotifySales,
    SendOutcome,
    TagContact,
)
from tabiji.errors import Refused
from tabiji.testing import skipping_time
from tests.deploys.personal import ByCity, OrderCare

PLANTED = (
    "Hanako",
    "Yamada",
    "hanako@example.jp",
    "花子",
    "Matsumoto",
    "please call",
    "very good mail",
    "4711.25",
    "1984-05-06",
    "voucher 99-XYZ",
    "secret@example.com",
    "0190a1b2-0000-7000-8000-00000000beef",
)
CONTACT = PLANTED[-1]
ORDER = Happened(
    event="Order Completed",
    seq=7,
    properties={
        "plan": "pro",
        "total": 4711.25,
        "name": "Hanako Yamada 花子",
        "note": "please call",
        "ordered": "1984-05-06",
        "seats": 3,
    },
)
FEEDBACK = Happened(
    event="Feedback",
    seq=9,
    step="feedback",
    visit=1,
    properties={"stars": 5, "text": 'very good mail, "really" \\o/', "email": "hanako@example.jp"},
)


@activity.defn(name="look_up")
async def look_up(order: LookUp) -> LookedUp:
    return LookedUp(value="Matsumoto")


@activity.defn(name="set_attribute")
async def set_attribute(order: SetAttribute) -> Changed:
    return Changed(changed=True, value=order.value)


@activity.defn(name="find_offer")
async def find_offer(order: OwnOrder) -> dict[str, Any]:
    return {"code": "voucher 99-XYZ", "for": ["Hanako Yamada 花子"]}


@activity.defn(name="fail")
async def fail(order: OwnOrder) -> None:
    raise ApplicationError("no mailbox secret@example.com", non_retryable=True)


@activity.defn(name="tag")
async def tag(order: TagContact) -> Done:
    return Done()


@activity.defn(name="listen")
async def listen(order: Listen) -> Heard:
    return Heard()


@activity.defn(name="notify_sales")
async def notify_sales(order: NotifySales) -> SendOutcome:
    return SendOutcome(state="sent")


@activity.defn(name="ended")
async def ended(order: Ended) -> Done:
    return Done()


ACTIVITIES: list[Callable[..., Any]] = [look_up, set_attribute, find_offer, fail, tag, listen, notify_sales, ended]


@pytest.fixture
async def temporal() -> AsyncGenerator[WorkflowEnvironment]:
    plugin = JourneyPlugin(journeys=[OrderCare, ByCity], activities=ACTIVITIES)
    async with (
        skipping_time(plugin) as temporal,
        Worker(temporal.client, task_queue="kept", identity="7@hanako-laptop"),
    ):
        yield temporal


async def begun(client: Client, journey: type[Journey]) -> WorkflowHandle[Any, Outcome]:
    now = datetime.now(UTC)
    name = journey.spec.name
    enrollment = EnrollmentInput(
        enrollment_id=f"{name}/{CONTACT}/1",
        contact_id=CONTACT,
        journey=name,
        entered_at=now,
        entered_wall=now,
        entry_seq=7,
        trigger=ORDER,
    )
    return await client.start_workflow(name, enrollment, id=enrollment.enrollment_id, task_queue="kept")


def in_the_clear(history: dict[str, Any]) -> str:
    """All that stands in a history, payloads decoded."""

    def opened(node: Any) -> Any:
        match node:
            case {"data": str(data), "metadata": _}:
                return base64.b64decode(data).decode()
            case dict():
                return {name: opened(value) for name, value in node.items()}  # pyright: ignore[reportUnknownVariableType]
            case list():
                return [opened(value) for value in node]  # pyright: ignore[reportUnknownVariableType]
            case _:
                return node

    return json.dumps(opened(history), ensure_ascii=False).replace("\\", "")


async def test_a_kept_history_has_nobody_in_it_and_replays(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    run = await begun(temporal.client, OrderCare)
    await run.signal(SIGNAL, FEEDBACK)
    await run.result()
    history = await run.fetch_history()
    raw = in_the_clear(history.to_json_dict())
    assert [word for word in (*PLANTED, "hanako-laptop") if word not in raw] == []

    recorded = await Recorder([OrderCare]).record(history)
    file = save(tmp_path, recorded.name, recorded.workflow_id, recorded.history)
    assert file.name == f"order-care-completed-{recorded.way}.json"
    document = json.loads(file.read_text())
    kept = in_the_clear(document)
    assert [word for word in (*PLANTED, "hanako-laptop") if word in kept] == []
    assert recorded.scrubbed >= {"name", "total", "note", "ordered", "seats", "text", "email", "find_offer.code"}

    [again] = on_file(tmp_path)
    replayed = await Replay([OrderCare]).one(again)
    assert (replayed.difference, replayed.changes) == (None, ())
    # What a condition tests stays, and so does every value's type.
    [started, *_] = again.events
    properties = json.loads(started.workflow_execution_started_event_attributes.input.payloads[0].data)["trigger"][
        "properties"
    ]
    assert properties["plan"] == "pro"
    assert {name: type(value) for name, value in properties.items()} == {
        name: type(value) for name, value in ORDER.properties.items()
    }
    assert '"stars":5' in kept.replace(" ", "")


async def test_a_history_whose_way_depends_on_somebody_s_words_is_kept_only_when_told(
    temporal: WorkflowEnvironment,
) -> None:
    run = await begun(temporal.client, ByCity)
    await run.result()
    history = await run.fetch_history()
    with pytest.raises(Refused, match=r"goes another way once city, .* are scrubbed: .*--keep NAME"):
        await Recorder([ByCity]).record(history)
    recorded = await Recorder([ByCity], keep=["city"]).record(history)
    assert "Hanako" not in in_the_clear(recorded.history)


async def test_a_history_of_other_code_is_not_kept(temporal: WorkflowEnvironment) -> None:
    run = await begun(temporal.client, ByCity)
    await run.result()
    history = await run.fetch_history()
    with pytest.raises(Refused, match="record it with the code it ran on"):
        await Recorder([OrderCare]).record(WorkflowHistory(run.id, history.events))
