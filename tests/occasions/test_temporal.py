"""On a real server: schedules are kept as journeys declare them, and a sweep outlives its worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import Client, ScheduleActionStartWorkflow, WorkflowHandle
from temporalio.worker import Worker

from activities import sweeps
from activities.schedules import keep_schedules, prepare_schedules
from activities.sweeps import Sweeps
from models.clock import SystemClock
from models.database import Database
from models.occasions import Occasions
from tabiji import anniversary, every, everyone, weekday
from tabiji.deploys.versions import at_work, promote
from tabiji.domain.dates import ContactDate
from tabiji.domain.journeys import Catalog, JourneySpec, each_time
from tabiji.domain.occasions import Schedule
from tabiji.domain.sweeps import SweepOrder, Swept
from tabiji.settings import Settings
from tests.occasions.house import TOKYO, House, Kept
from tests.road.server import TemporalServer
from workflows.housekeeping.sweep import Sweep

BIRTHDAY = anniversary("birthday")
DAILY = every(time(9), timezone="Asia/Tokyo", who=everyone)


class Line:
    """One task queue of the server, its schedules, and the contacts they enter."""

    def __init__(self, client: Client, house: House, settings: Settings) -> None:
        self.client = client
        self.house = house
        self.settings = settings
        self.queue = settings.task_queue

    async def declare(
        self, *triggers: ContactDate | Schedule, name: str = "festive", client: Client | None = None
    ) -> None:
        """A worker with this journey starts."""
        spec = journey(name, *triggers)
        await prepare_schedules(client or self.client, self.settings, Catalog([spec]))

    async def ids(self) -> set[str]:
        """Schedules of this queue, without what all of their names begin with."""
        prefix = f"tabiji/{self.queue}/"
        listed = [found.id async for found in await self.client.list_schedules()]
        return {id.removeprefix(prefix) for id in listed if id.startswith(prefix)}

    async def comes_to(self, count: int) -> set[str]:
        """Wait until the list, which Temporal keeps a moment later, has so many."""
        await until(lambda: self._has(count), f"{count} schedules")
        return await self.ids()

    async def _has(self, count: int) -> bool:
        return len(await self.ids()) == count

    async def trigger(self, id: str) -> WorkflowHandle[Any, Swept]:
        """Do not wait for its time. Returns the sweep that it began."""
        handle = self.client.get_schedule_handle(f"tabiji/{self.queue}/{id}")
        await handle.trigger()
        found: list[str] = []

        async def begun() -> bool:
            actions = (await handle.describe()).info.recent_actions
            found[:] = [action.action.workflow_id for action in actions]  # type: ignore[attr-defined] # ours start workflows
            return bool(found)

        await until(begun, f"{id} has begun a sweep")
        return self.client.get_workflow_handle(found[-1], result_type=Swept)

    @asynccontextmanager
    async def worker(self, *, rate: float = 1000) -> AsyncGenerator[Worker]:
        """One that knows of sweeps alone."""
        entering = Sweeps(self.house.occasions, rate=rate)
        worker = Worker(
            self.client,
            task_queue=self.queue,
            workflows=[Sweep],
            activities=[entering.sweep_page],
            deployment_config=at_work(self.queue, "1"),
            max_heartbeat_throttle_interval=timedelta(milliseconds=100),
            graceful_shutdown_timeout=timedelta(0),
        )
        async with worker:
            await promote(self.client, self.queue, "1")
            yield worker


def journey(name: str, *triggers: ContactDate | Schedule) -> JourneySpec:
    """One that starts by the clock."""
    return JourneySpec(
        name=name,
        title=name,
        triggers=(),
        goals=(),
        dates=tuple(one for one in triggers if isinstance(one, ContactDate)),
        schedules=tuple(one for one in triggers if isinstance(one, Schedule)),
        reentry=each_time,
    )


async def until(holds: Callable[[], Awaitable[bool]], what: str, *, within: float = 20) -> None:
    """Wait for a condition of the outside world."""
    try:
        async with asyncio.timeout(within):
            while True:
                if await holds():
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {within} s: {what}") from None


@pytest.fixture
async def line(temporal: TemporalServer, sqlite: Database) -> Line:
    queue = f"q{uuid4().hex[:8]}"
    house = House(sqlite, BIRTHDAY, now=datetime.now(UTC))
    house.occasions = Occasions(sqlite, Catalog([house.spec]), SystemClock(), Kept(), zone=TOKYO)
    client = await temporal.client()
    return Line(client, house, Settings(task_queue=queue, deployment=queue, timezone="Asia/Tokyo"))


async def order_of(line: Line, id: str) -> SweepOrder:
    """What a schedule's sweeps are told."""
    described = await line.client.get_schedule_handle(f"tabiji/{line.queue}/{id}").describe()
    assert isinstance(described.schedule.action, ScheduleActionStartWorkflow)
    [order] = await line.client.data_converter.decode(described.schedule.action.args, [SweepOrder])
    assert isinstance(order, SweepOrder)
    return order


async def test_schedules_are_made_changed_and_removed_as_journeys_declare_them(line: Line) -> None:
    await asyncio.gather(line.declare(BIRTHDAY, DAILY), line.declare(BIRTHDAY, DAILY))
    assert "festive/dates" in await line.comes_to(2)
    begins = (await order_of(line, "festive/dates")).begins

    await line.client.get_schedule_handle(f"tabiji/{line.queue}/festive/dates").pause()
    line.settings = line.settings.model_copy(update={"dates_every": timedelta(hours=1)})
    moved = anniversary("birthday", days=-3)
    await line.declare(moved, every(weekday("monday", time(9)), who=everyone))

    described = await line.client.get_schedule_handle(f"tabiji/{line.queue}/festive/dates").describe()
    order = await order_of(line, "festive/dates")
    assert described.schedule.state.paused
    assert [one.every for one in described.schedule.spec.intervals] == [timedelta(hours=1)]
    assert (order.dates, order.begins) == ((moved,), begins)
    await line.comes_to(2)
    await line.declare()
    assert await line.comes_to(0) == set()


async def test_the_version_that_is_current_keeps_the_schedules(line: Line) -> None:
    """An old worker that is started again must not bring back, or take away, what a deploy has changed."""
    old, new = (
        asyncio.create_task(
            keep_schedules(line.client, line.settings, Catalog([journey(name, DAILY)]), build, look_every=0.05)
        )
        for name, build in (("gone", "0"), ("festive", "1"))
    )
    try:
        async with line.worker():
            [id] = await line.comes_to(1)
        assert id.startswith("festive/")
    finally:
        old.cancel()
        new.cancel()


async def test_a_schedule_goes_by_its_zone(line: Line) -> None:
    await line.declare(
        every(weekday("monday", time(9)), who=everyone), every("30 8 1 * *", timezone="Europe/Berlin", who=everyone)
    )
    coming: dict[str, datetime] = {}
    for id in await line.comes_to(2):
        described = await line.client.get_schedule_handle(f"tabiji/{line.queue}/{id}").describe()
        zone = described.schedule.spec.time_zone_name or ""
        coming[zone] = described.info.next_action_times[0]
    monday, first = (coming[zone].astimezone(ZoneInfo(zone)) for zone in ("Asia/Tokyo", "Europe/Berlin"))
    assert (monday.weekday(), monday.time()) == (0, time(9))
    assert (first.day, first.time()) == (1, time(8, 30))


async def test_a_schedule_enters_its_audience_through_temporal_page_by_page(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "PAGE", 2)
    for _ in range(3):
        await line.house.contact()
    await line.declare(DAILY)
    [id] = await line.comes_to(1)
    async with line.worker():
        assert await (await line.trigger(id)).result() == Swept(entered=3)
    [row, *_] = await line.house.enrollments()
    assert row.trigger["event"] == "Scheduled"
    assert row.cause.startswith(f"schedule:festive/{row.contact_id}:")


async def test_a_sweep_whose_worker_is_gone_goes_on_with_the_next_and_enters_nobody_twice(line: Line) -> None:
    today = datetime.now(TOKYO).date()
    for _ in range(40):
        await line.house.contact(birthday=f"1990-{today:%m-%d}")
    await line.declare(BIRTHDAY)
    id = "festive/dates"
    await line.comes_to(1)
    line.house.begins = datetime.now(UTC) - timedelta(days=2)
    order = (await order_of(line, id)).model_copy(update={"begins": line.house.begins})
    async with line.worker(rate=20):
        sweep = await line.client.start_workflow(Sweep.run, order, id=f"{line.queue}/sweep", task_queue=line.queue)
        await until(lambda: entered(line, 5), "the sweep is under way")
    before = len(await line.house.enrollments())
    assert 5 <= before < 40
    async with line.worker():
        swept = await sweep.result()
    assert swept.entered <= 40
    rows = await line.house.enrollments()
    assert len(rows) == len({row.contact_id for row in rows}) == 40


async def entered(line: Line, count: int) -> bool:
    return len(await line.house.enrollments()) >= count


async def test_a_schedule_that_is_too_late_enters_nobody(line: Line) -> None:
    await line.house.contact()
    order = SweepOrder(
        journey="festive",
        schedule=DAILY,
        begins=datetime.now(UTC) - timedelta(days=9),
        catch_up=timedelta(days=1),
        moment=datetime.now(UTC) - timedelta(days=2),
    )
    async with line.worker():
        late = await line.client.execute_workflow(Sweep.run, order, id=f"{line.queue}/late", task_queue=line.queue)
    assert late == Swept()
    assert await line.house.enrollments() == []
