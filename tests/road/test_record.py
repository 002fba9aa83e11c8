"""The entrance: what is stored, who is meant, who enters, who is woken. On both databases."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from models.contact import Consent, Contact, Identity
from models.database import Database, insert, table
from models.enrollment import Dispatch, Enrollment, Listener
from models.event import Event
from models.incoming import ConsentGiven
from tabiji.domain.conditions import on
from tabiji.domain.facts import KIND
from tabiji.domain.journeys import Reentry, after, always, never
from tabiji.domain.orders import GOAL_STEP, Ended, Ending, Enter, Outcome
from tabiji.errors import UnknownContact, UnknownJourney
from tests.road.parts import GOAL, Road, did, spec, waits_for


async def test_the_same_batch_again_stores_nothing_and_wakes_nobody(database: Database) -> None:
    """A `message_id` seen before is harmless: clients send again whenever they are in doubt."""
    road = Road(database)
    batch = [did("Form Submitted"), did("Page Viewed")]
    first = await road.recorder.record(batch)
    road.outbox.pending.clear()

    second = await road.recorder.record(batch)

    assert [item.duplicate for item in first] == [False, False]
    assert [item.duplicate for item in second] == [True, True]
    assert [item.seq for item in second] == [item.seq for item in first]
    assert road.outbox.pending == []
    assert await road.count(Event) == 2
    assert await road.count(Enrollment) == 1


async def test_the_same_batch_ten_times_at_once_counts_once(database: Database) -> None:
    road = Road(database)
    batch = [did("Form Submitted"), did("Page Viewed")]

    answers = await asyncio.gather(*(road.recorder.record(batch) for _ in range(10)))

    assert sum(not item.duplicate for answer in answers for item in answer) == 2
    assert await road.count(Event) == 2
    assert await road.count(Enrollment) == await road.count(Dispatch) == len(road.outbox.pending) == 1
    assert await road.count(Contact) == 1


async def test_one_message_twice_in_a_batch_is_one_event_and_one_consent(sqlite: Database) -> None:
    road = Road(sqlite)
    consent = ConsentGiven(topic="marketing", source="form:whitepaper")
    item = did("Form Submitted", consent=consent)

    first, second = await road.recorder.record([item, item])

    assert (first.duplicate, second.duplicate) == (False, True)
    assert first.seq == second.seq
    assert await road.count(Consent) == 1


async def test_a_late_copy_does_not_undo_what_was_said_after_it(sqlite: Database) -> None:
    """A client that lost the answer sends its old profile again, after a newer one has arrived."""
    road = Road(sqlite)
    old = did("Identified", traits={"plan": "free", "timezone": "Asia/Tokyo"})
    await road.recorder.record([old])
    await road.recorder.record([did("Identified", traits={"plan": "paid", "timezone": "Europe/Paris"})])

    await road.recorder.record([old])

    [contact] = await road.rows(Contact)
    assert contact.attributes == {"plan": "paid"}
    assert contact.timezone == "Europe/Paris"


async def test_an_event_after_the_trigger_in_the_same_batch_is_seen_by_the_new_enrollment(database: Database) -> None:
    """Items of a batch count in their order, for goals at once and for waits by the look-back."""
    road = Road(database)
    before, trigger, seen, goal = await road.recorder.record(
        [did("Page Viewed"), did("Form Submitted"), did("Page Viewed"), did("Order Completed")]
    )

    [enrollment] = trigger.entered
    woken = [row.payload for row in await road.rows(Dispatch, kind="signal")]
    assert [(signal["seq"], signal["step"]) for signal in woken] == [(goal.seq, GOAL_STEP)]
    waiting = waits_for(enrollment, trigger.contact_id, on("Page Viewed"), entry_seq=trigger.seq, goals=())
    heard = await road.waits.listen(waiting)
    assert heard.event is not None
    assert heard.event.seq == seen.seq > before.seq


async def test_two_triggers_in_one_batch_enter_once(sqlite: Database) -> None:
    """Nobody is twice in one journey at a time, whatever its rule says."""
    road = Road(sqlite)
    first, second = await road.recorder.record([did("Form Submitted"), did("Form Submitted")])

    assert len(first.entered) == 1
    assert second.entered == ()


async def _end(road: Road, enrollment_id: str, *, wall: datetime | None = None, then: str | None = None) -> None:
    _, contact, _ = enrollment_id.split("/")
    now = datetime.now(UTC)
    outcome = Outcome(ending=Ending.COMPLETED, reason="went all the way")
    await road.waits.ended(
        Ended(
            enrollment_id=enrollment_id,
            contact_id=contact,
            step="ended",
            visit=1,
            at=now,
            outcome=outcome,
            then=then,
            wall=wall or now,
        )
    )


@pytest.mark.parametrize(
    ("rule", "again", "later"), [(never, False, False), (after(days=90), False, True), (always, True, True)]
)
async def test_who_may_enter_again_is_the_journeys_rule(
    sqlite: Database, rule: Reentry, again: bool, later: bool
) -> None:
    road = Road(sqlite, spec("nurture", reentry=rule))
    [first] = (await road.recorder.record([did("Form Submitted")]))[0].entered
    assert (await road.recorder.record([did("Form Submitted")]))[0].entered == ()
    await _end(road, first)

    assert bool((await road.recorder.record([did("Form Submitted")]))[0].entered) is again
    if again:
        return
    road.clock._shift = timedelta(days=91)  # pyright: ignore[reportPrivateUsage] # rehearsal, three months on
    assert bool((await road.recorder.record([did("Form Submitted")]))[0].entered) is later


async def test_each_key_has_an_enrollment_of_its_own(sqlite: Database) -> None:
    road = Road(sqlite, spec("delivery", trigger=None, reentry=never))
    [seen] = await road.recorder.record([did("Page Viewed")])

    orders = [await road.recorder.enroll("delivery", seen.contact_id, entry_key=key) for key in ("A", "B", "A")]

    assert [bool(entered) for entered in orders] == [True, True, False]
    assert orders[2].refused == "already in it"
    assert [row.n for row in await road.rows(Enrollment)] == [1, 2]


@pytest.mark.parametrize("rule", [never, always])
async def test_many_triggers_at_once_enter_exactly_once(database: Database, rule: Reentry) -> None:
    road = Road(database, spec("nurture", reentry=rule))
    answers = await asyncio.gather(*(road.recorder.record([did("Form Submitted")]) for _ in range(12)))

    assert sum(len(item.entered) for [item] in answers) == 1
    assert await road.count(Enrollment) == 1


async def test_a_goal_hands_over_once_however_often_it_is_reached(database: Database) -> None:
    """In the transaction that reached it, by a second order, and by the journey's own last word."""
    nurture = spec("nurture", goals=(GOAL.model_copy(update={"then": "onboarding"}),))
    road = Road(database, nurture, spec("onboarding", trigger=None, goals=(), reentry=always))
    [[entered]] = [item.entered for item in await road.recorder.record([did("Form Submitted")])]

    orders = await asyncio.gather(*(road.recorder.record([did("Order Completed")]) for _ in range(5)))
    await asyncio.gather(*(_end(road, entered, then="onboarding") for _ in range(3)))

    [onboarding] = await road.rows(Enrollment, journey="onboarding")
    first = min((item for [item] in orders), key=lambda item: item.seq)
    assert first.entered == (onboarding.id,)
    assert onboarding.entry_seq == first.seq
    assert len(await road.rows(Dispatch, enrollment_id=onboarding.id)) == 1


async def test_a_goal_wakes_its_journey_once_and_nothing_else_in_it(sqlite: Database) -> None:
    """Who waits for what is also the goal is at the goal: no wait is woken, no step more is taken."""
    road = Road(sqlite)
    [trigger] = await road.recorder.record([did("Form Submitted")])
    await road.waits.listen(waits_for(trigger.entered[0], trigger.contact_id, GOAL, entry_seq=trigger.seq))

    await road.recorder.record([did("Order Completed")])

    assert [row.payload["step"] for row in await road.rows(Dispatch, kind="signal")] == [GOAL_STEP]


async def test_entering_by_a_step_counts_once(database: Database) -> None:
    road = Road(database, spec("nurture"), spec("drip", trigger=None, reentry=always))
    [trigger] = await road.recorder.record([did("Form Submitted")])
    now = datetime.now(UTC)
    order = Enter(
        enrollment_id=trigger.entered[0],
        contact_id=str(trigger.contact_id),
        step="enter",
        visit=1,
        at=now,
        journey="drip",
        wall=now,
    )

    entered = await asyncio.gather(*(road.waits.enter(order) for _ in range(5)))

    assert len({one.enrollment_id for one in entered}) == 1
    assert len(await road.rows(Enrollment, journey="drip")) == 1


async def test_an_anonymous_visitor_becomes_known_and_keeps_their_past(sqlite: Database) -> None:
    road = Road(sqlite)
    [before] = await road.recorder.record([did("Page Viewed", anonymous_id="a")])
    [known] = await road.recorder.record([did("Identified", anonymous_id="a", user_id="u", email="u@example.com")])
    [elsewhere] = await road.recorder.record([did("Page Viewed", user_id="u")])
    [by_mail] = await road.recorder.record([did("Page Viewed", email="u@example.com")])

    assert {before.contact_id, known.contact_id, elsewhere.contact_id, by_mail.contact_id} == {known.contact_id}
    [contact] = await road.rows(Contact)
    assert contact.email == "u@example.com"


async def test_two_people_on_one_device_stay_two(sqlite: Database) -> None:
    road = Road(sqlite)
    [first] = await road.recorder.record([did("Identified", anonymous_id="tablet", user_id="anna")])
    [second] = await road.recorder.record([did("Identified", anonymous_id="tablet", user_id="ben")])
    [by_mail] = await road.recorder.record([did("Identified", anonymous_id="tablet", email="c@example.com")])
    [other] = await road.recorder.record([did("Identified", anonymous_id="tablet", email="d@example.com")])

    assert len({first.contact_id, second.contact_id, other.contact_id}) == 3
    # An address without a user id may be the first one's own.
    assert by_mail.contact_id == first.contact_id


async def test_two_people_who_say_who_they_are_at_once_on_one_device_stay_two(database: Database) -> None:
    """Each alone would fit the device's anonymous visitor; the second finds under the lock that they do not."""
    road = Road(database)
    for device in map(str, range(20)):
        await road.recorder.record([did("Page Viewed", anonymous_id=device)])
        people = [did("Identified", anonymous_id=device, user_id=f"{name}{device}") for name in ("anna", "ben", "cem")]
        answers = await asyncio.gather(*(road.recorder.record([person]) for person in people))
        assert len({item.contact_id for [item] in answers}) == 3


async def test_an_address_that_is_somebody_elses_stays_theirs(database: Database) -> None:
    """Typing another customer's address into a form neither merges two people nor fails the batch."""
    road = Road(database)
    [anna] = await road.recorder.record([did("Identified", user_id="anna", email="anna@example.com")])

    [ben] = await road.recorder.record([did("Identified", user_id="ben", email="anna@example.com")])
    [again] = await road.recorder.record([did("Identified", user_id="ben", traits={"email": "anna@example.com"})])

    assert ben.contact_id == again.contact_id != anna.contact_id
    emails = {row.id: row.email for row in await road.rows(Contact)}
    assert emails == {anna.contact_id: "anna@example.com", ben.contact_id: None}


async def test_a_contact_named_by_id_gets_the_address_they_give(sqlite: Database) -> None:
    road = Road(sqlite)
    [seen] = await road.recorder.record([did("Page Viewed")])
    await road.recorder.record([did("Form Submitted", contact_id=seen.contact_id, email="new@example.com")])

    [contact] = await road.rows(Contact)
    assert contact.email == "new@example.com"
    [found] = await road.recorder.record([did("Page Viewed", email="new@example.com")])
    assert found.contact_id == seen.contact_id


async def test_many_who_speak_of_the_same_new_person_at_once_make_one_contact(database: Database) -> None:
    road = Road(database)
    said = [
        did("Page Viewed", user_id="u", **extra)
        for extra in ({}, {"anonymous_id": "a"}, {"email": "u@example.com"}, {"anonymous_id": "b"})
        for _ in range(4)
    ]

    answers = await asyncio.gather(*(road.recorder.record([item]) for item in said))

    assert len({item.contact_id for [item] in answers}) == 1
    assert await road.count(Contact) == 1
    assert await road.count(Identity) == 4


async def test_eight_writers_over_the_same_contacts_in_any_order_never_deadlock(database: Database) -> None:
    """All of a batch's contacts are locked in one sorted statement, after its identities in their order."""
    road = Road(database)
    dice = random.Random(7)  # noqa: S311 # an order, not a secret

    async def writer() -> int:
        written = 0
        for _ in range(8):
            people = dice.sample(range(20), 6)
            batch = [did("Page Viewed", user_id=f"u{person}", traits={"seen": written}) for person in people]
            written += len(await road.recorder.record([*batch, did("Form Submitted", user_id=f"u{people[0]}")]))
        return written

    async with asyncio.timeout(30):
        written = sum(await asyncio.gather(*(writer() for _ in range(8))))

    changes = await road.rows(Event, kind=KIND)
    assert written == 8 * 8 * 7 == await road.count(Event) - len(changes)
    assert await road.count(Contact) == 20


async def test_nothing_is_half_stored_when_a_batch_fails(sqlite: Database) -> None:
    road = Road(sqlite)
    stranger = did("Page Viewed", contact_id=UUID("00000000-0000-7000-8000-000000000000"))
    consent = ConsentGiven(topic="marketing", source="form")
    good = did("Form Submitted", user_id="u", email="u@example.com", traits={"plan": "x"}, consent=consent)

    with pytest.raises(UnknownContact):
        await road.recorder.record([good, stranger])

    for model in (Contact, Identity, Event, Enrollment, Listener, Dispatch, Consent):
        assert await road.count(model) == 0, model
    assert road.outbox.pending == []


async def test_nothing_is_half_stored_when_it_fails_at_the_very_end(database: Database) -> None:
    """The second event's journey cannot be entered, after everything else was written."""
    road = Road(database, spec("nurture", goals=(GOAL,)))
    nowhere = spec("nowhere", trigger="Order Completed")
    road.catalog._by_event["Order Completed"] = [(nowhere, nowhere.triggers[0])]  # pyright: ignore[reportPrivateUsage] # known by half

    with pytest.raises(UnknownJourney):
        await road.recorder.record([did("Form Submitted"), did("Order Completed")])

    for model in (Contact, Identity, Event, Enrollment, Listener, Dispatch):
        assert await road.count(model) == 0, model


async def test_an_event_is_taken_though_the_next_journey_is_not_loaded_here(database: Database) -> None:
    """The goal ends its journey all the same; the journey enters them itself, where the next one is loaded."""
    road = Road(database, spec("nurture"))
    leads_on = spec("nurture", goals=(GOAL.model_copy(update={"then": "nowhere"}),))
    road.catalog._by_event["Form Submitted"] = [(leads_on, leads_on.triggers[0])]  # pyright: ignore[reportPrivateUsage] # another process'
    road.catalog._by_name["nurture"] = leads_on  # pyright: ignore[reportPrivateUsage] # see above

    await road.recorder.record([did("Form Submitted"), did("Order Completed")])

    assert [row.payload["event"] for row in await road.rows(Dispatch, kind="signal")] == ["Order Completed"]
    assert await road.count(Enrollment) == 1


async def test_what_is_said_to_one_enrollment_is_heard_by_it_alone(database: Database) -> None:
    road = Road(database, spec("one"), spec("two"), spec("third", trigger="Demo Attended"))
    [trigger] = await road.recorder.record([did("Form Submitted")])
    one, two = sorted(trigger.entered)
    demo = on("Demo Attended")
    for enrollment in (one, two):
        await road.waits.listen(waits_for(enrollment, trigger.contact_id, demo, entry_seq=trigger.seq))

    [said] = await road.recorder.record([did("Demo Attended", contact_id=trigger.contact_id, enrollment_id=one)])

    assert said.entered == ()
    assert [row.enrollment_id for row in await road.rows(Dispatch, kind="signal")] == [one]

    async def hears(enrollment: str) -> bool:
        order = waits_for(enrollment, trigger.contact_id, demo, step="later", entry_seq=trigger.seq)
        return (await road.waits.listen(order)).event is not None

    assert (await hears(one), await hears(two)) == (True, False)


async def test_what_a_hung_worker_says_after_the_end_opens_nothing_again(sqlite: Database) -> None:
    """The look-back of a wait the journey has left may commit after its end: the end stands."""
    road = Road(sqlite)
    [trigger] = await road.recorder.record([did("Form Submitted")])
    enrollment = trigger.entered[0]
    order = waits_for(enrollment, trigger.contact_id, on("Demo Attended"), entry_seq=trigger.seq)
    await road.waits.listen(order)
    await _end(road, enrollment, wall=order.wall)

    await road.waits.listen(order)

    assert [row.state for row in await road.rows(Enrollment)] == ["completed"]
    assert await road.count(Listener) == 0
    assert (await road.recorder.record([did("Form Submitted")]))[0].entered


async def test_a_reset_opens_the_enrollment_again_with_its_goals(sqlite: Database) -> None:
    """What a workflow says after its end, by its own clock, is the run that a reset began."""
    road = Road(sqlite)
    [trigger] = await road.recorder.record([did("Form Submitted")])
    enrollment = trigger.entered[0]
    await _end(road, enrollment)

    await road.waits.listen(waits_for(enrollment, trigger.contact_id, on("Demo Attended"), entry_seq=trigger.seq))

    assert [(row.state, row.reason) for row in await road.rows(Enrollment)] == [("running", None)]
    assert sorted(row.step for row in await road.rows(Listener)) == [GOAL_STEP, "wait"]


async def test_a_reset_does_not_put_somebody_twice_into_a_journey(sqlite: Database) -> None:
    road = Road(sqlite)
    [trigger] = await road.recorder.record([did("Form Submitted")])
    await _end(road, trigger.entered[0])
    [again] = (await road.recorder.record([did("Form Submitted")]))[0].entered

    await road.waits.listen(waits_for(trigger.entered[0], trigger.contact_id, on("X"), entry_seq=trigger.seq))

    states = {row.id: row.state for row in await road.rows(Enrollment)}
    assert states == {trigger.entered[0]: "completed", again: "running"}


async def test_running_twice_for_one_key_is_refused_by_the_database_itself(database: Database) -> None:
    road = Road(database)
    [trigger] = await road.recorder.record([did("Form Submitted")])
    [row] = await road.rows(Enrollment, id=trigger.entered[0])
    copy = {
        **{name: getattr(row, name) for name in [column.name for column in table(Enrollment).c]},
        "id": "nurture/copy/2",
        "n": 2,
    }

    async with database.write() as tx:
        with pytest.raises(IntegrityError):
            await tx.execute(insert(tx, Enrollment).values(**copy))
        await tx.rollback()
