"""A worker dies, hangs or is stopped in the middle of mails, at every stage of the conversation at once."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import pytest
from sqlalchemy import update
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo

from models.contact import ContactTag
from models.database import AnyRow, table
from models.message import Message
from tests.crash.relay import Hold, Stage
from tests.crash.scene import Person, Scene
from tests.journeys.stage import until


@dataclass(frozen=True)
class Caught:
    """Somebody whose mail is under way, and what keeps it there."""

    person: Person
    enrollment: str
    hold: Hold


@dataclass(frozen=True)
class Pair:
    """One mail that may be repeated and one that must not, caught at the same stage."""

    repeatable: Caught
    guarded: Caught


async def catch(scene: Scene, journey: str, stage: Stage) -> Caught:
    person = await scene.person()
    hold = scene.relay.hold(stage, "" if stage == "greeting" else person.address)
    enrollment = await scene.enters(journey, person)
    await asyncio.wait_for(hold.reached.wait(), 30)
    return Caught(person, enrollment, hold)


async def catch_both(scene: Scene, stage: Stage) -> Pair:
    return Pair(await catch(scene, "crossing", stage), await catch(scene, "guarded", stage))


async def fate(scene: Scene, one: Caught) -> tuple[int, str, int]:
    """Mails at the relay, the message's state, and how often we know that we may have repeated it."""
    mails = scene.relay.mails_to(one.person.address)
    assert len(mails) == 1, "every copy carries the same Message-ID"
    row: AnyRow = await scene.message(one.enrollment)
    return mails.total(), row.state, row.maybe_twice


async def went_on(scene: Scene, pairs: Sequence[Pair], *, within: float = 90) -> None:
    """Whatever became of their mail, every journey is past it."""
    repeatable = [pair.repeatable.enrollment for pair in pairs]
    guarded = [pair.guarded.enrollment for pair in pairs]
    await scene.has_sent(*repeatable, within=within)
    assert set(await scene.ends(*guarded, within=within)) == {"completed"}
    assert len(await scene.rows(ContactTag, tag="crossed")) == len(guarded)


@pytest.fixture(params=["on_sqlite", pytest.param("on_postgresql", marks=pytest.mark.slow)])
def scene(request: pytest.FixtureRequest) -> Scene:
    return cast("Scene", request.getfixturevalue(request.param))


async def test_a_worker_killed_at_any_stage_of_a_mail_loses_none_and_repeats_only_what_may_have_been_lost(
    scene: Scene,
) -> None:
    """At least once: at most twice, under one Message-ID, and counted. At most once: never twice."""
    worker = await scene.worker()
    before_greeting = await catch_both(scene, "greeting")
    after_rcpt = await catch_both(scene, "rcpt")
    before_reply = await catch_both(scene, "data")
    after_reply = await catch_both(scene, "data")
    both = (after_reply.repeatable, after_reply.guarded)
    messages = table(Message)
    async with scene.database.write() as tx:
        # Who has the relay's yes now cannot write it down.
        theirs = messages.c.enrollment_id.in_([one.enrollment for one in both])
        await tx.execute(update(messages).where(theirs).values(reason=None))
        for one in both:
            one.hold.go.set()
        await scene.somebody_waits_to_write()
        await worker.kill()
    await scene.start(worker)
    await went_on(scene, (before_greeting, after_rcpt, before_reply, after_reply))
    for stage in (before_greeting, after_rcpt):
        assert await fate(scene, stage.repeatable) == (1, "sent", 1)
        assert await fate(scene, stage.guarded) == (1, "sent", 0)
    for stage in (before_reply, after_reply):
        assert await fate(scene, stage.repeatable) == (2, "sent", 1)
        assert await fate(scene, stage.guarded) == (1, "unknown", 0)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_hung_worker_that_wakes_up_sends_nothing_that_another_has_sent_meanwhile(on_sqlite: Scene) -> None:
    """What was on the wire when it hung may come twice; what was not is looked at again before it goes out."""
    scene = on_sqlite
    hung = await scene.worker()
    after_rcpt = await catch_both(scene, "rcpt")
    before_reply = await catch_both(scene, "data")
    await scene.hangs(hung)
    await scene.worker()
    # What the server hands to the one that hangs is lost for ten seconds, and then perhaps again.
    await went_on(scene, (after_rcpt, before_reply), within=240)
    for stage in (after_rcpt, before_reply):
        stage.repeatable.hold.go.set()
        stage.guarded.hold.go.set()
    hung.send(signal.SIGCONT)
    # Two have had no DATA. For the others, who hung longer than the relay is given does not hear its reply any more.
    noticed = re.compile("in the hands of a newer attempt|the mail may or may not have been taken")
    await until(lambda: len(noticed.findall(hung.said)) >= 4, "it has noticed", within=60)
    assert await fate(scene, after_rcpt.repeatable) == (1, "sent", 1)
    assert await fate(scene, after_rcpt.guarded) == (1, "sent", 0)
    assert await fate(scene, before_reply.repeatable) == (2, "sent", 1)
    assert await fate(scene, before_reply.guarded) == (1, "unknown", 0)


async def test_a_worker_told_to_stop_finishes_the_mail_it_is_sending(on_sqlite: Scene) -> None:
    scene = on_sqlite
    worker = await scene.worker()
    one = await catch(scene, "guarded", "data")
    worker.send(signal.SIGTERM)
    await until(lambda: "worker.stopping" in worker.said, "it has heard")
    assert worker.runs
    one.hold.go.set()
    assert await worker.ended() == 0
    assert await fate(scene, one) == (1, "sent", 0)
    await scene.start(worker)
    assert await scene.ends(one.enrollment) == ["completed"]
    assert await fate(scene, one) == (1, "sent", 0)


async def test_a_mail_on_the_wire_is_finished_though_its_journey_is_cancelled(on_sqlite: Scene) -> None:
    """Heartbeats tell activities of cancellations; a mail half sent would be one that may come twice."""
    scene = on_sqlite
    await scene.worker()
    one = await catch(scene, "guarded", "data")
    journey = scene.client.get_workflow_handle(one.enrollment)
    await journey.cancel()

    async def pending() -> PendingActivityInfo:
        [sending] = (await journey.describe()).raw_description.pending_activities
        return sending

    async def cancelled() -> bool:
        return (await pending()).state == PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED

    await until(cancelled, "Temporal wants it cancelled")
    before = (await pending()).last_heartbeat_time.ToNanoseconds()

    async def told() -> bool:
        return (await pending()).last_heartbeat_time.ToNanoseconds() > before

    await until(told, "a heartbeat has brought that along")
    one.hold.go.set()
    assert await scene.ends(one.enrollment) == ["cancelled"]
    assert await fate(scene, one) == (1, "sent", 0)
