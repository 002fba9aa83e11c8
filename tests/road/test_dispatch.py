"""The outbox against a real Temporal server: crashes, outages, dead letters, endings and resets it was not told of."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowExecutionStatus

from activities import dispatch
from activities.dispatch import Dispatcher
from activities.messages import Messages
from activities.outside import Closed, Outside
from models.closing import Closing
from models.database import AnyRow, Database, table
from models.enrollment import Dispatch, Enrollment, Listener
from models.message import Message
from tabiji.channels.carrier import Taken
from tabiji.channels.email.compose import Mail
from tabiji.domain.orders import SIGNAL, Ending, Happened
from tabiji.settings import Settings
from tests.road.live import Live, live, until
from tests.road.parts import did
from tests.road.server import TemporalServer

pytestmark = pytest.mark.filterwarnings("default:Cannot find activity to cancel")


async def _signals(road: Live, id: str) -> list[int | None]:
    """Seqs of the signals in a history, in its order."""
    convert = road.client.data_converter.payload_converter
    seqs: list[int | None] = []
    async for event in road.handle(id).fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            payloads = event.workflow_execution_signaled_event_attributes.input.payloads
            seqs.append(convert.from_payloads(payloads, [Happened])[0].seq)
    return seqs


async def _states(road: Live) -> dict[str, str]:
    return {row.id: row.state for row in await road.rows(Enrollment)}


async def test_what_a_crash_left_is_found_by_the_sweep(temporal: TemporalServer, sqlite: Database) -> None:
    """Committed, never offered: the next sweep of any process starts the journey and signals it."""
    async with live(temporal, sqlite) as road:
        begun, _, _ = await road.crashing.record(
            [did("Goal Begun"), did("Page Viewed"), did("Order Completed", message_id="goal")]
        )
        assert await road.dispatcher.sweep() == 0  # too young: it belongs to the process that wrote it
        await road.age()
        assert await road.dispatcher.sweep() == 3

        outcome = await road.handle(begun.entered[0]).result()
        assert outcome.ending == Ending.GOAL
        assert await road.dispatcher.sweep() == 0
        assert {row.state for row in await road.rows(Dispatch)} == {"delivered"}
        assert road.dispatcher.counts.redelivered == 3


class CountingStarts(Dispatcher):
    """Notes what started or tried to."""

    started: list[str]

    async def _start(self, row: AnyRow) -> None:
        self.started.append(row.kind)
        await super()._start(row)


async def test_a_start_that_a_signal_brought_along_is_not_made_again(
    temporal: TemporalServer, sqlite: Database
) -> None:
    """The signal overtakes the start, which is then only marked: when Temporal has forgotten the id, a second start
    would be a second journey.
    """
    CountingStarts.started = []
    async with live(temporal, sqlite, dispatcher=CountingStarts) as road:
        [begun] = await road.crashing.record([did("Mail Begun")])
        await road.happens(did("Order Completed"))
        assert (await road.handle(begun.entered[0]).result()).ending == Ending.GOAL
        assert [row.state for row in await road.rows(Dispatch)] == ["pending", "delivered"]

        await road.age()
        await road.dispatcher.sweep()

        assert [row.state for row in await road.rows(Dispatch)] == ["delivered", "delivered"]
        assert CountingStarts.started == ["signal"]


@pytest.mark.parametrize("outage", ["frozen", pytest.param("killed", marks=pytest.mark.slow)])
async def test_after_an_outage_everything_arrives_in_order_per_contact(
    own_temporal: TemporalServer, sqlite: Database, outage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes after the outage does not overtake what was left during it."""
    monkeypatch.setattr(dispatch, "RPC_TIMEOUT", timedelta(seconds=0.4))
    monkeypatch.setattr(dispatch, "PATIENCE", (0.1,))
    async with live(own_temporal, sqlite) as road:
        ids = [(await road.begins("Greedy Begun", who=who)).id for who in ("anna", "ben")]
        for id in ids:
            await road.is_waiting(id)
            await road.sleeps(id)
        listening = table(Listener)
        async with sqlite.write() as tx:  # a page view answers nothing, and is signalled all the same
            await tx.execute(
                update(listening)
                .where(listening.c.step != "goal")
                .values(event="Page Viewed", condition={"event": "Page Viewed"})
            )
        own_temporal.freeze() if outage == "frozen" else own_temporal.kill()
        during = [did("Page Viewed", who=who) for _ in range(3) for who in ("anna", "ben")]
        await road.happens(*during)
        assert len(await road.rows(Dispatch, state="pending")) == 6
        own_temporal.thaw() if outage == "frozen" else await own_temporal.start()
        monkeypatch.setattr(dispatch, "RPC_TIMEOUT", timedelta(seconds=10))
        await road.age()

        await road.happens(did("Page Viewed", who="anna"), did("Page Viewed", who="ben"))

        assert await road.rows(Dispatch, state="pending") == []
        for id in ids:
            seqs = list(dict.fromkeys(await _signals(road, id)))
            assert len(seqs) == 4
            assert seqs == sorted(seqs, key=lambda seq: seq or 0)


async def test_a_failed_sweep_gives_its_leases_back(
    own_temporal: TemporalServer, sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease is for a process that dies. After an outage nobody waits for it to run out."""
    monkeypatch.setattr(dispatch, "RPC_TIMEOUT", timedelta(seconds=0.4))
    async with live(own_temporal, sqlite) as road:
        [begun] = await road.crashing.record([did("Mail Begun")])
        await road.age()
        own_temporal.freeze()
        assert await road.dispatcher.sweep() == 1
        own_temporal.thaw()
        monkeypatch.setattr(dispatch, "RPC_TIMEOUT", timedelta(seconds=10))

        assert await road.dispatcher.sweep() == 1
        await road.is_waiting(begun.entered[0])


async def test_a_dead_letter_does_not_block_its_contact(temporal: TemporalServer, sqlite: Database) -> None:
    async with live(temporal, sqlite) as road:
        run = await road.begins("Mail Begun")
        await road.is_waiting(run.id)
        await road.crashing.record([did("Clicked")])
        async with sqlite.write() as tx:
            rows = table(Dispatch)
            await tx.execute(update(rows).where(rows.c.kind == "signal").values(payload={"event": 5}))
        await road.age()

        await road.happens(did("Order Completed"))

        assert (await run.result()).ending == Ending.GOAL
        dead, delivered = await road.rows(Dispatch, kind="signal")
        assert (dead.state, delivered.state) == ("dead", "delivered")
        assert dead.error
        assert road.dispatcher.counts.dead == 1


async def test_a_start_that_can_never_arrive_ends_its_enrollment(temporal: TemporalServer, sqlite: Database) -> None:
    """A contact who never got in must be able to enter again."""
    async with live(temporal, sqlite) as road:
        [begun] = await road.crashing.record([did("Mail Begun")])
        async with sqlite.write() as tx:
            rows = table(Enrollment)
            await tx.execute(update(rows).where(rows.c.id == begun.entered[0]).values(trigger={"event": 5}))
        await road.age()
        await road.dispatcher.sweep()

        [dead] = await road.rows(Dispatch)
        assert dead.state == "dead"
        assert await _states(road) == {begun.entered[0]: "failed"}
        assert await road.rows(Listener) == []
        assert (await road.recorder.record([did("Mail Begun")]))[0].entered
        await road.dispatcher.settle()


async def test_terminated_in_the_ui_is_noticed_by_the_next_delivery(temporal: TemporalServer, sqlite: Database) -> None:
    async with live(temporal, sqlite) as road:
        run = await road.begins("Mail Begun")
        await road.is_waiting(run.id)
        await run.terminate()

        await road.happens(did("Clicked"))

        assert await _states(road) == {run.id: "terminated"}
        assert await road.rows(Listener) == []
        assert [row.state for row in await road.rows(Dispatch, kind="signal")] == ["late"]
        assert (await road.recorder.record([did("Mail Begun")]))[0].entered
        await road.dispatcher.settle()


async def test_terminated_in_the_ui_is_noticed_by_the_slow_look(temporal: TemporalServer, sqlite: Database) -> None:
    async with live(temporal, sqlite) as road:
        ended, runs_on = await road.begins("Mail Begun", who="anna"), await road.begins("Mail Begun", who="ben")
        for run in (ended, runs_on):
            await road.is_waiting(run.id)
        await ended.terminate()

        async def noticed() -> bool:
            return await road.dispatcher.mark_terminated() == 1

        await until(noticed, "visibility shows it")
        assert await _states(road) == {ended.id: "terminated", runs_on.id: "running"}


async def test_a_signal_for_a_journey_that_is_over_is_late_and_changes_nothing(
    temporal: TemporalServer, sqlite: Database
) -> None:
    async with live(temporal, sqlite) as road:
        run = await road.begins("Mail Begun")
        await road.is_waiting(run.id)
        await road.crashing.record([did("Clicked")])
        await road.happens(did("Order Completed"))
        async with sqlite.write() as tx:
            await tx.execute(update(table(Dispatch)).where(table(Dispatch).c.kind == "signal").values(state="pending"))
        await run.result()
        await road.age()

        assert await road.dispatcher.sweep() == 2

        assert {row.state for row in await road.rows(Dispatch, kind="signal")} == {"late"}
        assert (await _states(road))[run.id] in {"goal", "completed"}


async def test_a_namespace_that_is_not_there_ends_nobodys_journey(temporal: TemporalServer, sqlite: Database) -> None:
    """It answers NOT_FOUND, as an ended workflow does."""
    async with live(temporal, sqlite) as road:
        run = await road.begins("Mail Begun")
        await road.is_waiting(run.id)
        await road.crashing.record([did("Clicked")])
        await road.age()
        lost = Dispatcher(
            await temporal.client(namespace="nowhere"), sqlite, road.catalog, task_queue="nowhere", sweep_every=1
        )

        await lost.sweep()

        assert [row.state for row in await road.rows(Dispatch, kind="signal")] == ["pending"]
        assert await _states(road) == {run.id: "running"}
        await lost.close()


class Letterbox:
    """Carries mail nowhere, and counts."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    async def send(self, mail: Mail, **_: object) -> Taken:
        self.mails.append(mail)
        return Taken("250 OK", "letterbox")


@pytest.mark.parametrize("moment", ["waiting", "over"])
async def test_a_reset_goes_on_with_its_goals_and_without_a_second_mail(
    temporal: TemporalServer, sqlite: Database, moment: str, tmp_path: Path
) -> None:
    """Reset in the Temporal UI: the enrollment runs again, listens again, and its mail is known to be sent."""
    letterbox = Letterbox()
    settings = Settings(templates=Path(__file__).parents[2] / "templates", data=tmp_path)
    messages = Messages.of(settings, sqlite, letterbox, secret="s" * 32)
    async with live(temporal, sqlite, sender=messages.send_email) as road:
        run = await road.begins("Mail Begun", user_id="anna", email="anna@example.com")
        await road.is_waiting(run.id)
        if moment == "over":
            await run.signal(SIGNAL, Happened(event="Clicked"))
            await run.result()
        await _reset(road, run.id)
        await until(lambda: _listens_anew(road, run.id), "the new run listens")
        await road.dispatcher.mark_terminated()

        assert await _states(road) == {run.id: "running"}
        assert "goal" in {row.step for row in await road.rows(Listener)}
        await road.happens(did("Order Completed", user_id="anna"))
        assert (await road.handle(run.id).result()).ending == Ending.GOAL
        await until(lambda: _ended(road, run.id), "its end is written down")
    assert len(letterbox.mails) == 1
    assert [row.state for row in await road.rows(Message)] == ["sent"]


class ResetMeanwhile(Outside):
    """Somebody resets the journey just after Temporal has said that it is terminated."""

    road: Live

    async def closed(self, enrollment_id: str) -> Closed | None:
        """See base class."""
        answer = await super().closed(enrollment_id)
        if answer is not None:
            await _reset(self.road, enrollment_id)
            await until(lambda: _listens_anew(self.road, enrollment_id), "the new run listens")
        return answer


async def test_a_reset_that_overtakes_the_note_of_a_termination_goes_on(
    temporal: TemporalServer, sqlite: Database
) -> None:
    """It has written down what it waits for by then, and does not come to say so again."""
    async with live(temporal, sqlite) as road:
        run = await road.begins("Mail Begun")
        await road.is_waiting(run.id)
        await run.terminate()
        looking = ResetMeanwhile(road.client, sqlite, Closing(sqlite, road.catalog, road.dispatcher))
        looking.road = road

        assert not await looking.look(run.id)

        assert await _states(road) == {run.id: "running"}
        await road.happens(did("Order Completed"))
        assert (await road.handle(run.id).result()).ending == Ending.GOAL


async def _reset(road: Live, id: str) -> None:
    """To the end of the first workflow task, as the UI offers it."""
    first = None
    async for event in road.handle(id).fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            first = event.event_id
            break
    assert first is not None
    found = await road.handle(id).describe()
    await road.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=road.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=id, run_id=found.run_id),
            reason="try again",
            workflow_task_finish_event_id=first,
            request_id=f"reset-{found.run_id}",
        )
    )


async def _listens_anew(road: Live, id: str) -> bool:
    found = await road.handle(id).describe()
    if found.status != WorkflowExecutionStatus.RUNNING or found.history_length < 10:
        return False
    listening = {row.step for row in await road.rows(Listener, enrollment_id=id)}
    return len(listening) == 2 and (await _states(road))[id] == "running"


async def _ended(road: Live, id: str) -> bool:
    return (await _states(road))[id] == "goal"


async def test_an_outbox_that_is_closed_leaves_the_rest_to_the_next_sweep(
    temporal: TemporalServer, sqlite: Database
) -> None:
    async with live(temporal, sqlite) as road:
        for n in range(20):
            await road.recorder.record([did("Mail Begun", who=f"p{n}")])
        await road.dispatcher.close()
        await road.age()
        successor = Dispatcher(road.client, sqlite, road.catalog, task_queue=str(sqlite.url.database))
        await successor.sweep()
        await asyncio.gather(*(road.is_waiting(id) for id in await _states(road)))
        await successor.close()
