"""How journeys end on a real server, in moments a journey cannot choose."""

from __future__ import annotations

import asyncio

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError

from activities.enrollments import Enrollments
from models.database import Database
from models.enrollment import Enrollment, Listener
from tabiji.domain.orders import SIGNAL, Done, Ended, Ending, Happened, Heard, Listen
from tabiji.errors import DatabaseDown, UnknownContact
from tests.road.live import Live, Sender, live, until
from tests.road.parts import did
from tests.road.server import TemporalServer

pytestmark = pytest.mark.filterwarnings("default:Cannot find activity to cancel")


async def _ending(road: Live, id: str) -> str:
    [row] = await road.rows(Enrollment, id=id)
    return str(row.state)


async def test_who_is_cancelled_while_a_mail_is_on_the_wire_is_cancelled(
    temporal: TemporalServer, sqlite: Database
) -> None:
    """The mail is finished and noted; its journey must not go on as if nobody had said anything."""
    sender = Sender()
    async with live(temporal, sqlite, sender=sender.send_email) as road:
        run = await road.begins("Mail Begun")
        await sender.sending.wait()
        await run.cancel()
        await until(lambda: _is_told(road, run.id), "the journey has heard of it")
        sender.hold.set()

        with pytest.raises(WorkflowFailureError):
            await run.result()
        assert await _ending(road, run.id) == "cancelled"
        [row] = await road.rows(Enrollment, id=run.id)
        assert len(sender.keys) == 1
        assert row.reason == "cancelled by hand"


async def test_who_is_cancelled_while_waiting_is_cancelled(temporal: TemporalServer, sqlite: Database) -> None:
    async with live(temporal, sqlite) as road:
        run = await road.begins("Mail Begun")
        await road.is_waiting(run.id)
        await run.cancel()
        with pytest.raises(WorkflowFailureError):
            await run.result()
        assert await _ending(road, run.id) == "cancelled"


async def test_a_goal_counts_although_a_wait_took_the_event_first(temporal: TemporalServer, sqlite: Database) -> None:
    """Signals of one event may come one by one: the wait's first, in a workflow task of its own."""
    async with live(temporal, sqlite) as road:
        run = await road.begins("Greedy Begun")
        await road.is_waiting(run.id)
        [order] = await road.crashing.record([did("Order Completed")])
        [wait] = [row for row in await road.rows(Listener, enrollment_id=run.id) if row.step != "goal"]
        to_the_wait = Happened(event="Order Completed", seq=order.seq, step=wait.step, visit=wait.visit)
        await run.signal(SIGNAL, to_the_wait)
        await until(lambda: _passed(road, run.id), "the wait is over")

        await road.age()
        await road.dispatcher.sweep()

        async with asyncio.timeout(20):
            assert (await run.result()).ending == Ending.GOAL
        assert await _ending(road, run.id) == "goal"


async def _is_told(road: Live, id: str) -> bool:
    async for event in road.handle(id).fetch_history_events():
        if event.HasField("activity_task_cancel_requested_event_attributes"):
            return True
    return False


async def _passed(road: Live, id: str) -> bool:
    timers = 0
    async for event in road.handle(id).fetch_history_events():
        timers += event.HasField("timer_started_event_attributes")
    return timers == 2


async def test_one_event_answers_two_waits_side_by_side(temporal: TemporalServer, sqlite: Database) -> None:
    """Whether their signals come in one workflow task or in two."""
    async with live(temporal, sqlite) as road:
        run = await road.begins("Pair Begun")
        await road.is_waiting(run.id, "first")
        await road.is_waiting(run.id, "any")
        await road.happens(did("Clicked", properties={"n": 1}))
        async with asyncio.timeout(20):
            assert (await run.result()).ending == Ending.COMPLETED


async def test_a_goal_before_the_start_was_delivered_ends_the_journey_at_once(
    temporal: TemporalServer, sqlite: Database
) -> None:
    sender = Sender()
    async with live(temporal, sqlite, sender=sender.send_email) as road:
        [begun] = await road.crashing.record([did("Mail Begun")])
        await road.happens(did("Order Completed"))
        assert (await road.handle(begun.entered[0]).result()).ending == Ending.GOAL
        assert sender.keys == []


class AwayAtTheEnd(Enrollments):
    """The database is away when the end is to be written down, and comes back slowly."""

    waiting: asyncio.Event
    back: asyncio.Event

    @activity.defn(name="ended")
    async def ended(self, order: Ended) -> Done:
        if activity.info().is_local:
            raise DatabaseDown("for a while")
        self.waiting.set()
        await self.back.wait()
        return await super().ended(order)


async def test_who_cancels_while_the_end_is_written_down_is_too_late(
    temporal: TemporalServer, sqlite: Database
) -> None:
    """Otherwise the enrollment would stand as running for ever, and nobody could enter again."""
    AwayAtTheEnd.waiting, AwayAtTheEnd.back = asyncio.Event(), asyncio.Event()
    async with live(temporal, sqlite, enrollments=AwayAtTheEnd) as road:
        run = await road.begins("Mail Begun")
        await road.is_waiting(run.id)
        await road.happens(did("Order Completed"))
        await AwayAtTheEnd.waiting.wait()
        await run.cancel()
        await until(lambda: _has_task_after_cancel(road, run.id), "the journey has heard of it")
        AwayAtTheEnd.back.set()

        assert (await run.result()).ending == Ending.GOAL
        assert await _ending(road, run.id) == "goal"


async def _has_task_after_cancel(road: Live, id: str) -> bool:
    asked = False
    async for event in road.handle(id).fetch_history_events():
        asked = asked or event.HasField("workflow_execution_cancel_requested_event_attributes")
        if asked and event.HasField("workflow_task_completed_event_attributes"):
            return True
    return False


class AwayAtTheWait(Enrollments):
    """The database is away while a journey looks back, for longer than a local activity has patience."""

    @activity.defn(name="listen")
    async def listen(self, order: Listen) -> Heard:
        if activity.info().is_local:
            raise DatabaseDown("for a while")
        return await super().listen(order)


async def test_a_journey_outlasts_a_database_that_is_away(temporal: TemporalServer, sqlite: Database) -> None:
    """Three quick tries, then an ordinary activity that has all the patience in the world."""
    async with live(temporal, sqlite, enrollments=AwayAtTheWait) as road:
        run = await road.begins("Mail Begun")
        await road.is_waiting(run.id)
        await road.happens(did("Clicked"))
        async with asyncio.timeout(20):
            assert (await run.result()).ending == Ending.COMPLETED


class Erased(Enrollments):
    """The contact has gone when their journey looks back."""

    @activity.defn(name="listen")
    async def listen(self, order: Listen) -> Heard:
        raise UnknownContact(order.contact_id)


async def test_who_was_erased_leaves_at_the_next_wait(temporal: TemporalServer, sqlite: Database) -> None:
    async with live(temporal, sqlite, enrollments=Erased) as road:
        run = await road.begins("Mail Begun")
        async with asyncio.timeout(20):
            assert (await run.result()).ending == Ending.EXITED


@pytest.mark.slow
async def test_journeys_out_of_the_workers_cache_end_as_well(temporal: TemporalServer, sqlite: Database) -> None:
    """Woken from their history, in the middle of a wait."""
    async with live(temporal, sqlite, cached=2) as road:
        runs = [await road.begins("Mail Begun", who=f"p{n}") for n in range(8)]
        for run in runs:
            await road.is_waiting(run.id)
        for n in range(8):
            await road.happens(did("Clicked" if n % 2 else "Order Completed", who=f"p{n}"))
        endings = [(await run.result()).ending for run in runs]
        assert endings == [Ending.GOAL, Ending.COMPLETED] * 4
