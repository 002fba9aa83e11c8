"""People under way are moved into newer code: checked before, with their old deadlines, nothing done twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from tabiji import Journey, JourneyPlugin, Outcome
from tabiji.deploys.move import Move, Plan
from tabiji.deploys.versions import at_work, promote, versions
from tabiji.domain.orders import (
    JOURNAL,
    SIGNAL,
    Carried,
    Done,
    Ended,
    EnrollmentInput,
    Happened,
    Heard,
    Listen,
    SendEmail,
    SendOutcome,
    TagContact,
)
from tabiji.temporal import JOURNEY
from tabiji.testing import dev_server
from tests.deploys import moving
from tests.deploys.moving import New, Old, Rewaited, Unread, Unsafe
from tests.journeys.stage import until

QUEUE = "moving"
PEOPLE = 5
MOVE_COSTS = 11
"""Events: signal, workflow task (3), the end of the run; the start of the next, workflow task (3), listener, timer."""
WAIT = "steps/wait_for:SIGNED"


@dataclass
class House:
    """What was done, by key, and whose first mail does not go out."""

    done: Counter[str] = field(default_factory=Counter[str])
    down: set[str] = field(default_factory=set[str])

    @activity.defn(name="send_email")
    async def send_email(self, order: SendEmail) -> SendOutcome:
        if order.enrollment_id in self.down:
            raise ApplicationError("the relay is away", type="channel_down", next_retry_delay=timedelta(seconds=0.2))
        self.done[order.key] += 1
        return SendOutcome(state="sent")

    @activity.defn(name="tag")
    async def tag(self, order: TagContact) -> Done:
        self.done[order.key] += 1
        return Done()

    @activity.defn(name="listen")
    async def listen(self, order: Listen) -> Heard:
        return Heard()

    @activity.defn(name="ended")
    async def ended(self, order: Ended) -> Done:
        return Done()

    @asynccontextmanager
    async def working(self, client: Client, journey: type[Journey], build: str) -> AsyncGenerator[None]:
        """A worker of one version."""
        made: list[Callable[..., Any]] = [self.send_email, self.tag, self.listen, self.ended]
        plugin = JourneyPlugin(journeys=[journey], activities=made)
        mine = await Client.connect(client.service_client.config.target_host, plugins=[plugin])
        async with Worker(mine, task_queue=QUEUE, deployment_config=at_work(QUEUE, build)):
            yield


async def enters(client: Client, id: str) -> None:
    now = datetime.now(UTC)
    enrollment = EnrollmentInput(
        enrollment_id=id, contact_id=id, journey="moving", entered_at=now, entered_wall=now, entry_seq=1
    )
    attributes = TypedSearchAttributes([SearchAttributePair(JOURNEY, "moving")])
    await client.start_workflow("moving", enrollment, id=id, task_queue=QUEUE, search_attributes=attributes)


async def waits(client: Client, id: str) -> Carried:
    """Until they wait. What they would take along."""
    handle = client.get_workflow_handle(id)

    async def open_now() -> bool:
        return bool((await handle.query(JOURNAL, result_type=Carried)).open)

    await until(open_now, f"{id} waits")
    carried: Carried = await handle.query(JOURNAL, result_type=Carried)
    return carried


async def signs(client: Client, id: str) -> Outcome:
    signed = Happened(event="Signed", seq=9, step=WAIT, visit=1)
    handle = client.get_workflow_handle(id, result_type=Outcome)
    await handle.signal(SIGNAL, signed)
    outcome: Outcome = await handle.result()
    return outcome


async def events(client: Client, id: str) -> int:
    """Of all runs of somebody."""
    found = [run async for run in client.list_workflows(f"WorkflowId = '{id}'")]
    histories = [await client.get_workflow_handle(id, run_id=run.run_id).fetch_history() for run in found]
    return sum(len(history.events) for history in histories)


async def checked(client: Client, journey: type[Journey]) -> Plan:
    return await Move(client, [journey], QUEUE, QUEUE).check(journey=None, origin="one", here="two")


async def moved(client: Client, plan: Plan, patience: float = 20) -> dict[str, str]:
    """Returns who is left."""
    seen = [plan.people]
    async for left in Move(client, [New], QUEUE, QUEUE).go(plan, rate=100, patience=timedelta(seconds=patience)):
        seen.append(left)
    return seen[-1]


def line_of(words: str, after: str) -> int:
    lines = Path(moving.__file__).read_text().splitlines()
    begins = next(number for number, line in enumerate(lines) if after in line)
    return next(number for number, line in enumerate(lines, 1) if number > begins and words in line)


async def test_people_go_on_in_newer_code_with_their_old_deadlines_and_nothing_is_done_twice() -> None:
    async with dev_server(JourneyPlugin()) as temporal:
        client, house = temporal.client, House()
        people = [f"person-{number}" for number in range(PEOPLE)]
        async with house.working(client, New, "two"):
            async with house.working(client, Old, "one"):
                await promote(client, QUEUE, "one")
                for id in [*people, "stays"]:
                    await enters(client, id)
                before = {id: await waits(client, id) for id in [*people, "stays"]}
                await promote(client, QUEUE, "two")
                await enters(client, "late")
                await an_unsafe_change_is_refused(client)
                await signs(client, "stays")
                plan = await checked(client, New)
                assert set(plan.people) == set(people)
                assert (plan.refused, plan.dropped, plan.silent) == ({}, {}, {})
                assert await moved(client, plan) == {}
                found = await versions(client, QUEUE, QUEUE)
                assert {one.build: one.people for one in found.versions} == {"one": 0, "two": PEOPLE + 1}
            # The old worker is gone.
            for id in people:
                assert (await waits(client, id)).open == before[id].open
            outcomes = [await signs(client, id) for id in people]
        assert {outcome.ending for outcome in outcomes} == {"completed"}
        assert [passed.step for passed in outcomes[0].path] == [
            "steps/send_email:first",
            WAIT,
            "steps/tag:signed",
            "steps/send_email:second",
        ]
        # Whoever began in the new code did what was new in it, too.
        assert house.done["late/steps/tag:early/1"] == 1
        mails = {key: count for key, count in house.done.items() if key.startswith("person-")}
        assert set(mails.values()) == {1}
        assert len(mails) == 3 * PEOPLE
        # The tag, which "stays" did not get, is six events. A listener that is slow costs one more workflow task.
        assert await events(client, people[0]) - await events(client, "stays") - 6 in (MOVE_COSTS, MOVE_COSTS + 3)


async def an_unsafe_change_is_refused(client: Client) -> None:
    unsafe = await checked(client, Unsafe)
    [(obstacle, count)] = unsafe.refused.items()
    assert (obstacle.journey, obstacle.step, count) == ("moving", "steps/tag:early", PEOPLE + 1)
    assert obstacle.source is not None
    assert obstacle.source.line == line_of('tag("early")', "class Unsafe")
    assert "if_passed" in obstacle.words
    assert unsafe.people == {}
    [(obstacle, _)] = (await checked(client, Unread)).refused.items()
    assert (obstacle.step, obstacle.source and obstacle.source.line) == (
        "steps/has_tag:vip",
        line_of('has_tag("vip")', "class Unread"),
    )
    rewaited = await checked(client, Rewaited)
    assert rewaited.dropped == {("moving", WAIT, "steps/wait_for:Paid"): PEOPLE + 1}


@pytest.mark.slow
async def test_who_is_in_an_effect_is_named_and_moves_at_the_next_wait() -> None:
    async with dev_server(JourneyPlugin()) as temporal:
        client, house = temporal.client, House(down={"busy"})
        async with house.working(client, Old, "one"), house.working(client, New, "two"):
            await promote(client, QUEUE, "one")
            await enters(client, "busy")

            async def tried() -> bool:
                reasons = await Move(client, [New], QUEUE, QUEUE).why(["busy"])
                return "attempt" in reasons["busy"]

            await until(tried, "the mail is tried again")
            await promote(client, QUEUE, "two")
            plan = await checked(client, New)
            assert list(await moved(client, plan, patience=1)) == ["busy"]
            why = await Move(client, [New], QUEUE, QUEUE).why(["busy"])
            assert why["busy"].startswith("carries out send_email, attempt")
            assert why["busy"].endswith("(channel_down)")
            house.down.clear()
            assert await moved(client, plan) == {}
            outcome = await signs(client, "busy")
        assert outcome.ending == "completed"
        assert set(house.done.values()) == {1}
