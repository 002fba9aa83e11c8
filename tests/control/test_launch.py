"""Merging code mails nobody; a pilot takes whom it says and stops itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from models.contact import Contact
from models.database import Database, insert, table
from models.enrollment import Enrollment
from models.launch import EntryRefused, JourneyState, JourneyStateChange
from models.launches import ITSELF
from models.message import Message
from models.record import Recorder
from tabiji.domain.journeys import Catalog, always
from tabiji.domain.launch import Fact, Launch, Limit, Pilot, drawn
from tabiji.domain.orders import Ended, Ending, Outcome
from tests.control.scene import Act, Scene
from tests.road.parts import did, spec

NURTURE = spec("nurture", reentry=always)


def scene_on(database: Database, unlaunched: Launch = Launch.LIVE) -> Scene:
    scene = Scene(database, NURTURE)
    catalog = Catalog([NURTURE], unlaunched=unlaunched)
    scene.recorder = Recorder(database, catalog, scene.clock, scene.outbox)
    return scene


async def put(scene: Scene, state: Launch, pilot: Pilot | None = None) -> None:
    await scene.launches.set("nurture", state, unlaunched=Launch.LIVE, by="ops", reason=None, pilot=pilot)


async def comes(scene: Scene, who: str, **fields: object) -> bool:
    [recorded] = await scene.recorder.record([did("Form Submitted", who=who, **fields)])
    return bool(recorded.entered)


async def state(scene: Scene) -> str:
    [row] = await scene.rows(JourneyState)
    return str(row.state)


async def test_a_journey_nobody_has_spoken_of_is_what_the_setting_says(database: Database) -> None:
    assert await comes(scene_on(database), "a")
    assert not await comes(scene_on(database, Launch.DRAFT), "b")


async def test_a_draft_keeps_people_out_and_counts_them(database: Database) -> None:
    scene = scene_on(database, Launch.DRAFT)

    entered = await scene.recorder.enroll("nurture", await someone(scene))
    for who in ("a", "b", "b"):
        assert not await comes(scene, who)

    assert entered.refused == "draft"
    assert sum(row.times for row in await scene.rows(EntryRefused, reason="draft")) == 4


@pytest.mark.parametrize("launch", [Launch.DRAFT, Launch.PILOT])
async def test_a_test_contact_enters_a_draft_and_a_pilot_and_counts_nowhere(sqlite: Database, launch: Launch) -> None:
    scene = scene_on(sqlite)
    await put(scene, launch, Pilot(number=1) if launch is Launch.PILOT else None)

    assert await comes(scene, "rehearsal", tempo=1000.0)

    [row] = await scene.rows(JourneyState)
    assert row.entered == 0
    assert await scene.rows(EntryRefused) == []


async def test_closing_lets_nobody_in_and_those_inside_go_on(database: Database) -> None:
    scene = scene_on(database)
    assert await comes(scene, "inside")
    await put(scene, Launch.CLOSING)

    assert not await comes(scene, "new")
    assert not await comes(scene, "rehearsal", tempo=1000.0)

    [enrollment] = await scene.rows(Enrollment)
    assert enrollment.state == "running"


async def test_a_pilot_of_named_people_takes_these_by_address_or_id(sqlite: Database) -> None:
    scene = scene_on(sqlite)
    known = await someone(scene)
    await put(scene, Launch.PILOT, Pilot(people=("Ken@Example.com", str(known))))

    assert await comes(scene, "ken", email="ken@example.com")
    assert await scene.recorder.enroll("nurture", known)
    assert not await comes(scene, "stranger", email="other@example.com")


async def test_the_last_place_of_a_pilot_goes_to_one(database: Database) -> None:
    scene = scene_on(database)
    await put(scene, Launch.PILOT, Pilot(number=3))

    came = await asyncio.gather(*(comes(scene, f"v{number}") for number in range(12)))

    assert sum(came) == 3
    [row] = await scene.rows(JourneyState)
    assert row.entered == 3
    assert sum(row.times for row in await scene.rows(EntryRefused, reason="the pilot is full")) == 9


async def test_a_share_takes_the_same_people_each_time(sqlite: Database) -> None:
    scene = scene_on(sqlite)
    await put(scene, Launch.PILOT, Pilot(share=0.5))
    took = [await comes(scene, f"v{number}") for number in range(40)]
    async with sqlite.write() as tx:
        await tx.execute(update(table(Enrollment)).values(state="completed"))

    again = [await comes(scene, f"v{number}") for number in range(40)]

    assert again == took
    assert 8 <= sum(took) <= 32


async def test_a_pilot_stops_itself_on_unsubscribes_of_its_own_mails(database: Database) -> None:
    scene = scene_on(database)
    await put(scene, Launch.PILOT, Pilot(number=10, stop_on={Fact.UNSUBSCRIBES: Limit(count=2)}))
    orders = [await scene.enters(f"v{number}") for number in range(3)]
    messages = [await mailed(scene, order) for order in orders]

    await unsubscribes(scene, orders[0], messages[0])
    await unsubscribes(scene, orders[1], "a mail of something else")
    assert await state(scene) == "pilot"
    await unsubscribes(scene, orders[2], messages[2])

    [row] = await scene.rows(JourneyState)
    assert (row.state, row.by, row.unsubscribes) == ("draft", ITSELF, 2)
    assert row.stopped == "2 unsubscribes among 3 who entered; the limit was 2"
    assert not await comes(scene, "too late")
    changes = await scene.rows(JourneyStateChange)
    assert [(change.before, change.state) for change in changes] == [("live", "pilot"), ("pilot", "draft")]


async def test_a_complaint_without_a_mail_counts_against_every_pilot_they_are_in(sqlite: Database) -> None:
    scene = scene_on(sqlite)
    await put(scene, Launch.PILOT, Pilot(number=10))
    order = await scene.enters("v")

    await scene.recorder.record([did("Email Marked as Spam", contact_id=UUID(order.contact_id))])

    assert await state(scene) == "draft"


async def test_a_failed_run_counts_once_and_one_of_a_test_contact_never(database: Database) -> None:
    scene = scene_on(database)
    await put(scene, Launch.PILOT, Pilot(number=10, stop_on={Fact.ERRORS: Limit(count=2)}))
    one, rehearsal = await scene.enters("v"), await scene.enters("rehearsal", tempo=1000.0)

    for order in (one, one, rehearsal):
        await fails(scene, order)
    [row] = await scene.rows(JourneyState)
    assert (row.state, row.errors) == ("pilot", 1)
    await fails(scene, await scene.enters("w"))

    assert await state(scene) == "draft"


async def test_nothing_counts_against_a_journey_that_is_live(sqlite: Database) -> None:
    scene = scene_on(sqlite)
    await put(scene, Launch.PILOT, Pilot(number=10))
    order = await scene.enters("v")
    await put(scene, Launch.LIVE)

    await fails(scene, order)

    [row] = await scene.rows(JourneyState)
    assert (row.state, row.errors, row.stopped) == ("live", 0, None)


def test_a_limit_is_a_count_or_a_share() -> None:
    assert str(Limit.parse("3")) == "3"
    assert Limit.parse("5%@100") == Limit(share=0.05, after=100)
    assert not Limit.parse("5%").reached(10, 19)
    assert Limit.parse("5%").reached(1, 20)
    assert not Limit.parse("5%").reached(0, 1000)
    for wrong in ("", "x", "0", "1.5", "-1", "5%@", "200%", "0%"):
        with pytest.raises(ValueError):  # noqa: PT011 # pydantic's own words for some
            Limit.parse(wrong)


@given(st.text(min_size=1, max_size=20), st.uuids())
def test_a_draw_is_a_contacts_own(journey: str, contact: UUID) -> None:
    first = drawn(journey, str(contact))
    assert 0 <= first < 1
    assert first == drawn(journey, str(contact))
    assert first != drawn(f"{journey}x", str(contact))


async def someone(scene: Scene) -> UUID:
    [recorded] = await scene.recorder.record([did("Page Viewed", who="someone")])
    return recorded.contact_id


async def fails(scene: Scene, order: Act) -> None:
    now = datetime.now(UTC)
    outcome = Outcome(ending=Ending.FAILED, reason="KeyError")
    await scene.waits.ended(
        Ended(
            enrollment_id=order.enrollment_id,
            contact_id=order.contact_id,
            step="ended",
            visit=1,
            at=now,
            outcome=outcome,
            wall=now,
        )
    )


async def mailed(scene: Scene, order: Act) -> str:
    now = datetime.now(UTC)
    columns = table(Message).c
    async with scene.database.write() as tx:
        [contact] = await tx.execute(select(table(Contact).c.id).where(table(Contact).c.id == UUID(order.contact_id)))
        row = {
            "key": order.key,
            "public_id": order.key[-60:],
            "enrollment_id": order.enrollment_id,
            "contact_id": contact.id,
            "step": "s",
            "visit": 1,
            "audience": "contact",
            "template": "t",
            "state": "sent",
            "token": "t",
            "run_id": "r",
            "activity_id": "a",
            "attempt": 1,
            "lease_until": now,
            "deferrals": 0,
            "maybe_twice": 0,
            "asked_at": now,
            "test": False,
            "at": now,
            "recorded_at": now,
        }
        await tx.execute(insert(tx, Message).values(**{name: row[name] for name in row if name in columns}))
    return order.key[-60:]


async def unsubscribes(scene: Scene, order: Act, message: str) -> None:
    contact = UUID(order.contact_id)
    await scene.recorder.record([did("Unsubscribed", contact_id=contact, properties={"message": message})])
