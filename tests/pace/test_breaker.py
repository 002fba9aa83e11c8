"""What the breaker counts, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from models import breaker
from models.alarm import Alarm, take, told, waiting
from models.breaker import BREAKER, Bounds
from models.control import pass_gate
from models.database import Database, table
from models.effect import Effect, keep
from models.enrollment import Enrollment
from models.pause import Pause
from models.reads.pauses import figures, tripped
from tabiji.domain.changes import OwnOrder
from tabiji.domain.orders import Done
from tabiji.errors import Paused
from tests.control.scene import Act, Scene
from tests.mail.people import person
from tests.pace.test_caps import attempt, ledger, mail
from tests.road.parts import did, spec

MINUTE = timedelta(minutes=1)


@contextmanager
def bounds(**given: int) -> Generator[None]:
    breaker.arm(Bounds(**given))
    try:
        yield
    finally:
        breaker.arm(Bounds())


async def does(scene: Scene, first: Act, n: int, *, after: timedelta = timedelta(0)) -> bool:
    """The n-th effect of an enrollment, as activities do it. Returns whether it was let pass."""
    order = first.model_copy(update={"visit": n, "at": first.at + after})
    try:
        await pass_gate(scene.database, order)
    except Paused:
        return False
    async with scene.database.write() as tx:
        contact = (await scene.rows(Enrollment, id=order.enrollment_id))[0].contact_id
        await keep(tx, order, Done(), contact_id=contact, recorded_at=datetime.now(UTC))
    return True


async def test_the_twenty_first_effect_of_an_hour_pauses_the_journey(database: Database) -> None:
    scene = Scene(database)
    first = await scene.enters()
    assert [await does(scene, first, n) for n in range(1, 23)] == [True] * 20 + [False] * 2

    [pause] = await scene.rows(Pause)
    assert (pause.scope, pause.target, pause.by) == ("journey", "nurture", BREAKER)
    assert pause.reason.startswith("breaker: nurture: more than 20 effects on contact ")
    assert [row.pause_id for row in await scene.rows(Alarm)] == [pause.id]
    other = await scene.enters("somebody else")
    assert await scene.meets_a_pause(other), "the journey is paused, for everybody"
    async with database.read() as tx:
        assert (await figures(tx)).tripped == 1
        assert [shown.id for shown in await tripped(tx)] == [pause.id]


async def test_an_alarm_is_told_by_one_process_and_again_where_that_one_has_died(database: Database) -> None:
    scene = Scene(database)
    first = await scene.enters()
    for n in range(1, 22):
        await does(scene, first, n)

    async def taken(lease: timedelta) -> int:
        return len(await database.transact(lambda tx: take(tx, most=10, lease=lease)))

    assert sum(await asyncio.gather(*(taken(MINUTE) for _ in range(4)))) == 1
    alarms, [pause] = table(Alarm), await scene.rows(Pause)
    async with database.write() as tx:
        await tx.execute(update(alarms).values(lease_until=datetime(2026, 1, 1, tzinfo=UTC)))
    assert await taken(MINUTE) == 1
    await database.transact(lambda tx: told(tx, pause.id))
    assert await taken(MINUTE) == 0
    async with database.read() as tx:
        assert not await waiting(tx)


async def test_what_is_an_hour_old_counts_no_more(sqlite: Database) -> None:
    scene = Scene(sqlite)
    first = await scene.enters()
    assert all([await does(scene, first, n, after=n * 3 * MINUTE) for n in range(1, 60)])


async def test_an_attempt_at_the_last_one_is_not_one_more(sqlite: Database) -> None:
    scene = Scene(sqlite)
    first = await scene.enters()
    assert all([await does(scene, first, n) for n in range(1, 21)])
    assert all([await does(scene, first, 20) for _ in range(3)])


async def test_after_people_have_resumed_it_counting_begins_anew(sqlite: Database) -> None:
    scene = Scene(sqlite)
    first = await scene.enters()
    for n in range(1, 22):
        await does(scene, first, n)
    [pause] = await scene.rows(Pause)
    await scene.pauses.resume(pause.id, by="ann")

    passed = [await does(scene, first, n, after=n * timedelta(seconds=1)) for n in range(30, 55)]
    assert passed == [True] * 20 + [False] * 5
    assert [row.by for row in await scene.rows(Pause)] == [BREAKER] * 2


async def test_many_journeys_together_pause_the_person_and_nobody_else(sqlite: Database) -> None:
    names = [f"journey-{n}" for n in range(4)]
    with bounds(effects=20, person=50):
        scene = Scene(sqlite, *(spec(name) for name in names))
        orders = await scene.enters_both("visitor")
        passed = [await does(scene, order, n) for n in range(1, 20) for order in orders]
        assert sum(passed) == 50

        [pause] = await scene.rows(Pause)
        assert (pause.scope, pause.target) == ("contact", orders[0].contact_id)
        for other in await scene.enters_both("somebody else"):
            assert not await scene.meets_a_pause(other)


async def test_a_rehearsal_that_runs_wild_pauses_itself(sqlite: Database) -> None:
    scene = Scene(sqlite)
    first = (await scene.enters()).model_copy(update={"test": True})
    assert sum([await does(scene, first, n) for n in range(1, 25)]) == 20
    assert [row.scope for row in await scene.rows(Pause)] == ["contact"]
    assert not await scene.meets_a_pause(await scene.enters("somebody else"))


async def test_mails_count_where_they_may_have_gone_out(database: Database) -> None:
    """Many at once: they are counted under the person's lock."""
    hanako, rules = await person(database), ledger(database, "")
    refused = await person(database, consent=None, email="b@example.com")
    for n in range(30):
        await rules.claim(mail(refused, f"step {n}", address="b@example.com"), attempt())
    asked = [rules.claim(mail(hanako, f"step {n}", topic="transactional"), attempt()) for n in range(30)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(one, Paused) for one in found) == 10


class Own(OwnOrder[None]):
    activity = "own"


async def test_an_authors_own_activity_counts_once_however_often_it_is_tried(sqlite: Database) -> None:
    scene = Scene(sqlite)
    first = await scene.enters()
    order = Own.model_validate(first.model_dump() | {"payload": None})
    for _ in range(3):
        await pass_gate(sqlite, order)
    async with sqlite.read() as tx:
        assert len((await tx.execute(select(table(Effect).c.key))).all()) == 1


async def test_who_switches_it_off_has_none(sqlite: Database) -> None:
    with bounds(effects=0, person=0, entries=0):
        scene = Scene(sqlite)
        first = await scene.enters()
        assert all([await does(scene, first, n) for n in range(1, 30)])


# Entries


async def test_a_storm_of_events_pauses_the_journey_and_loses_nobody(database: Database) -> None:
    with bounds(entries=30):
        scene = Scene(database)
        for batch in range(8):
            await scene.recorder.record([did("Form Submitted", who=f"v{batch}-{n}") for n in range(5)])
        [pause] = await scene.rows(Pause)
        assert (pause.scope, pause.target) == ("journey", "nurture")
        assert pause.reason == "breaker: nurture: more than 30 people entered within a minute"
        assert await scene.count(Enrollment) == 40
        [last, *_] = await scene.rows(Enrollment)
        order = Act(enrollment_id=last.id, contact_id=str(last.contact_id), step="s", visit=1, at=datetime.now(UTC))
        assert await scene.meets_a_pause(order)

        await scene.pauses.resume(pause.id, by="ann")
        await scene.recorder.record([did("Form Submitted", who="one more")])
        assert len(await scene.rows(Pause)) == 1, "what they have seen counts no more"


async def test_those_who_come_at_a_stated_rate_do_not_count(sqlite: Database) -> None:
    """Dates, schedules, people let in late, and other journeys name a cause."""
    with bounds(entries=30):
        scene = Scene(sqlite)
        await scene.recorder.record([did("Form Submitted", who=f"v{n}") for n in range(20)])
        enrollments = table(Enrollment)
        async with sqlite.write() as tx:
            for row in await scene.rows(Enrollment):
                cause = f"schedule:nurture/{row.contact_id}:2026-01-05T09:00:00"
                await tx.execute(update(enrollments).where(enrollments.c.id == row.id).values(cause=cause))
        await scene.recorder.record([did("Form Submitted", who=f"w{n}") for n in range(20)])
        assert await scene.rows(Pause) == []
