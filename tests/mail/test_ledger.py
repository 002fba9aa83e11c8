from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from models.database import Database, table
from models.enroll import Pending
from models.ledger import Attempt, Claim, Ledger, Posting, public_id
from models.message import Message
from models.waits import Waits
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import Ended, Ending, Outcome, SendEmail, SendOutcome, StepOrder
from tabiji.domain.sending.house import House
from tabiji.errors import Busy, Superseded, UnknownContact
from tests.mail.people import ADDRESS, NOON, Person, message, person

FIRST = Attempt(run_id="run-1", activity_id="5", number=1, span=timedelta(minutes=1))
SECOND = replace(FIRST, number=2)
AFTER_RESET = replace(FIRST, run_id="run-2")
NIGHT = House(zone=ZoneInfo("UTC"), quiet=(time(21), time(8)))


class Nowhere:
    """No journey begins here."""

    def offer(self, pending: Sequence[Pending]) -> None:
        assert not pending


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database, House(zone=ZoneInfo("UTC")))


def posting(order: SendEmail, **more: Any) -> Posting:
    given: dict[str, Any] = {
        "template": order.template,
        "subject": "Hello",
        "address": ADDRESS,
        "topic": order.topic,
        "delivery": order.delivery,
    }
    return Posting.of(order, **(given | more))


async def claimed(ledger: Ledger, order: SendEmail, attempt: Attempt = FIRST) -> Claim:
    claim = await ledger.claim(posting(order), attempt)
    assert isinstance(claim, Claim)
    return claim


async def run_out(database: Database, key: str) -> None:
    messages = table(Message)
    async with database.write() as tx:
        past = datetime.now(UTC) - timedelta(seconds=1)
        await tx.execute(update(messages).where(messages.c.key == key).values(lease_until=past))


# Sent once


async def test_a_message_is_claimed_sent_and_never_sent_again(ledger: Ledger, database: Database) -> None:
    order = (await person(database)).mail()
    claim = await claimed(ledger, order)
    await ledger.sent(claim, "250 2.0.0 queued")

    row = await message(database, order.key)
    assert (row.state, row.reply, row.subject, row.at) == ("sent", "250 2.0.0 queued", "Hello", NOON)
    assert row.sent_at is not None
    assert row.public_id == public_id(order.key)
    for attempt in (SECOND, AFTER_RESET):
        assert await ledger.claim(posting(order), attempt) == SendOutcome(state="sent")
    async with database.read() as tx:
        assert await ledger.outcome(tx, order.key) == SendOutcome(state="sent")


async def test_of_many_who_claim_at_once_one_gets_it(ledger: Ledger, database: Database) -> None:
    order = (await person(database)).mail()
    rivals = [replace(FIRST, run_id=f"run-{n}") for n in range(8)]
    found = await asyncio.gather(*(ledger.claim(posting(order), one) for one in rivals), return_exceptions=True)
    assert sum(isinstance(one, Claim) for one in found) == 1
    assert sum(isinstance(one, Busy) for one in found) == 7


async def test_an_attempt_that_is_still_at_it_is_not_disturbed(ledger: Ledger, database: Database) -> None:
    order = (await person(database)).mail()
    await claimed(ledger, order, SECOND)
    for rival in (AFTER_RESET, FIRST, SECOND, replace(FIRST, activity_id="6", number=9)):
        with pytest.raises(Busy) as caught:
            await ledger.claim(posting(order), rival)
        assert caught.value.retry_after is not None
        assert timedelta(seconds=50) < caught.value.retry_after <= timedelta(minutes=1)
        assert ADDRESS not in str(caught.value)


async def test_the_next_attempt_takes_over_and_the_dead_one_can_write_nothing(
    ledger: Ledger, database: Database
) -> None:
    order = (await person(database)).mail()
    dead = await claimed(ledger, order)
    alive = await claimed(ledger, order, SECOND)
    for mark in (ledger.sent(dead, "250"), ledger.failed(dead, "550"), ledger.retry(dead, "451")):
        with pytest.raises(Superseded):
            await mark
    await ledger.sent(alive, "250 ok")
    row = await message(database, order.key)
    assert (row.state, row.attempt, row.maybe_twice) == ("sent", 2, 1)


async def test_marking_twice_is_no_harm(ledger: Ledger, database: Database) -> None:
    """The answer to the first commit may have been lost."""
    order = (await person(database)).mail()
    claim = await claimed(ledger, order)
    await ledger.sent(claim, "250 ok")
    await ledger.sent(claim, "250 ok")
    with pytest.raises(Superseded):
        await ledger.retry(claim, "late")


async def test_a_lease_that_ran_out_is_free_for_any_run(ledger: Ledger, database: Database) -> None:
    order = (await person(database)).mail()
    await claimed(ledger, order)
    await run_out(database, order.key)
    await claimed(ledger, order, AFTER_RESET)


@pytest.mark.parametrize("end", ["550 5.1.1", "451 4.7.1"])
async def test_a_failure_for_good_stays_and_a_temporary_one_is_tried_again(
    ledger: Ledger, database: Database, end: str
) -> None:
    order = (await person(database)).mail()
    claim = await claimed(ledger, order)
    if end.startswith("5"):
        await ledger.failed(claim, end)
        assert await ledger.claim(posting(order), SECOND) == SendOutcome(state="failed", reason=end)
    else:
        await ledger.retry(claim, end)
        await claimed(ledger, order, SECOND)
        assert (await message(database, order.key)).maybe_twice == 0, "it surely had not gone out"


# At most once


async def test_at_most_once_a_claim_that_died_before_data_is_sent_by_the_next(
    ledger: Ledger, database: Database
) -> None:
    order = (await person(database)).mail(delivery="at_most_once")
    await claimed(ledger, order)
    assert (await message(database, order.key)).state == "claimed"
    await claimed(ledger, order, SECOND)
    assert (await message(database, order.key)).maybe_twice == 0


async def test_at_most_once_a_claim_that_died_on_the_wire_is_unknown_for_ever(
    ledger: Ledger, database: Database
) -> None:
    order = (await person(database)).mail(delivery="at_most_once")
    dead = await claimed(ledger, order)
    await ledger.on_wire(dead)
    assert (await message(database, order.key)).state == "on_wire"
    for attempt in (SECOND, replace(FIRST, number=3)):
        outcome = await ledger.claim(posting(order), attempt)
        assert isinstance(outcome, SendOutcome)
        assert outcome.state == "unknown"
    with pytest.raises(Superseded):
        await ledger.sent(dead, "250 too late")


async def test_at_most_once_one_who_was_taken_over_may_not_go_on_the_wire(ledger: Ledger, database: Database) -> None:
    order = (await person(database)).mail(delivery="at_most_once")
    dead = await claimed(ledger, order)
    await claimed(ledger, order, SECOND)
    with pytest.raises(Superseded):
        await ledger.on_wire(dead)


async def test_who_takes_back_consent_between_two_attempts_is_not_mailed_again(
    ledger: Ledger, database: Database
) -> None:
    somebody = await person(database)
    order = somebody.mail()
    await claimed(ledger, order)
    await somebody.consent(False)
    outcome = await ledger.claim(posting(order), SECOND)
    assert isinstance(outcome, SendOutcome)
    assert outcome.state == "unknown"
    assert outcome.reason is not None
    assert "no_consent" in outcome.reason


# Whether at all


async def refusal(ledger: Ledger, order: SendEmail, **more: Any) -> str | None:
    outcome = await ledger.claim(posting(order, **more), FIRST)
    assert isinstance(outcome, SendOutcome)
    assert outcome.state == "refused"
    assert await ledger.claim(posting(order, **more), AFTER_RESET) == outcome, "a refusal stands"
    return outcome.reason


async def test_nobody_is_mailed_who_is_not_there(ledger: Ledger, database: Database) -> None:
    somebody = await person(database)
    order = replace(somebody, id=uuid4()).mail()
    with pytest.raises(UnknownContact):
        await ledger.claim(posting(order), FIRST)


async def test_without_an_address_there_is_no_mail(ledger: Ledger, database: Database) -> None:
    order = (await person(database, email=None)).mail()
    assert await refusal(ledger, order, address=None, subject=None) == "no_address"


async def test_an_address_no_relay_takes_is_refused(ledger: Ledger, database: Database) -> None:
    order = (await person(database, email="花子@example.jp")).mail()
    assert await refusal(ledger, order, address="花子@example.jp", subject=None) == "invalid_address"


@pytest.mark.parametrize("consent", [None, False])
async def test_without_consent_there_is_no_mail(ledger: Ledger, database: Database, consent: bool | None) -> None:
    assert await refusal(ledger, (await person(database, consent=consent)).mail()) == "no_consent"


async def test_the_latest_decision_on_the_topic_is_in_force(ledger: Ledger, database: Database) -> None:
    somebody = await person(database)
    await somebody.consent(False)
    await somebody.consent(True, topic="events")
    assert await refusal(ledger, somebody.mail()) == "no_consent"
    await claimed(ledger, somebody.mail(topic="events", step="again"))


async def test_a_transactional_mail_needs_no_consent_and_no_daylight(database: Database) -> None:
    order = (await person(database, consent=False)).mail(topic="transactional", at=NOON.replace(hour=3))
    await claimed(Ledger(database, NIGHT), order)


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_rehearsal_mails_only_where_rehearsals_may(database: Database, allowed: bool) -> None:
    ledger = Ledger(database, House(zone=ZoneInfo("UTC"), mails_tests=allowed))
    order = (await person(database)).mail(test=True)
    if allowed:
        await claimed(ledger, order)
        assert (await message(database, order.key)).test
    else:
        assert await refusal(ledger, order) == "test_recipient_not_allowed"


async def test_sales_hears_of_everybody_at_any_hour(database: Database) -> None:
    somebody = await person(database, consent=False, email=None)
    order = somebody.notice(at=NOON.replace(hour=3))
    notice = Posting.of(
        order,
        template="sales/notice",
        subject="Hot",
        address="sales@example.com",
        audience="sales",
        summary="Hot",
    )
    assert isinstance(await Ledger(database, NIGHT).claim(notice, FIRST), Claim)
    row = await message(database, order.key)
    assert (row.audience, row.summary, row.topic) == ("sales", "Hot", None)


async def test_an_address_that_changed_since_rendering_asks_for_a_new_rendering(
    ledger: Ledger, database: Database
) -> None:
    somebody = await person(database)
    await somebody.change(email="new@example.jp")
    with pytest.raises(Busy, match="rendered again") as caught:
        await ledger.claim(posting(somebody.mail()), FIRST)
    assert caught.value.retry_after is not None


# When


async def deferred_to(database: Database, somebody: Person, at: datetime, zone: str = "UTC") -> datetime | None:
    ledger = Ledger(database, replace(NIGHT, zone=ZoneInfo(zone)))
    outcome = await ledger.claim(posting(somebody.mail(at=at), delay=timedelta(days=30)), FIRST)
    if isinstance(outcome, Claim):
        return None
    assert (outcome.state, outcome.reason) == ("deferred", "quiet hours")
    return outcome.until


async def test_quiet_hours_are_the_persons_own(database: Database) -> None:
    tokyo = await person(database, timezone="Asia/Tokyo")
    assert await deferred_to(database, tokyo, NOON) == datetime(2026, 3, 1, 23, tzinfo=UTC), "21:00 there: until 8:00"


async def test_an_unknown_zone_is_the_houses(database: Database) -> None:
    assert await deferred_to(database, await person(database), NOON, "Asia/Tokyo") == datetime(
        2026, 3, 1, 23, tzinfo=UTC
    )


async def test_a_deferred_mail_goes_out_when_its_time_has_come(database: Database) -> None:
    somebody = await person(database)
    night, morning = NOON.replace(hour=3), NOON.replace(hour=8)
    assert await deferred_to(database, somebody, night) == morning
    assert await deferred_to(database, somebody, night) == morning, "asking again changes nothing"
    assert (await message(database, somebody.mail().key)).deferrals == 1
    assert await deferred_to(database, somebody, morning) is None


async def test_who_is_deferred_for_ever_is_dropped_with_a_reason(database: Database) -> None:
    somebody = await person(database)
    ledger = Ledger(database, NIGHT)
    for day in range(5):
        assert await deferred_to(database, somebody, NOON.replace(hour=3) + timedelta(days=day))
    sixth = somebody.mail(at=NOON.replace(hour=3) + timedelta(days=5))
    outcome = await ledger.claim(posting(sixth, delay=timedelta(days=30)), FIRST)
    assert outcome == SendOutcome(state="refused", reason="deferred_too_often")


async def test_a_journey_that_ends_settles_what_it_leaves_open(ledger: Ledger, database: Database) -> None:
    """What was never on the wire is dropped; what was may have gone out, until its sender says more."""
    somebody = await person(database)
    waiting, sending = somebody.mail(step="waiting", delivery="at_most_once"), somebody.mail(step="sending")
    await claimed(ledger, waiting)
    claim = await claimed(ledger, sending)
    ending = Ended(
        **sending.model_dump(include=set(StepOrder.model_fields)),
        outcome=Outcome(ending=Ending.GOAL, reason="Order Completed"),
        wall=NOON,
    )
    await Waits(database, Catalog(), Nowhere()).ended(ending)

    assert (await message(database, waiting.key)).state == "dropped"
    left = await message(database, sending.key)
    assert (left.state, left.reason) == ("unknown", "journey ended: Order Completed")
    await ledger.sent(claim, "250 taken")
    assert (await message(database, sending.key)).state == "sent"


async def test_what_an_ended_journey_left_is_not_sent_unless_it_is_reset(ledger: Ledger, database: Database) -> None:
    order = (await person(database)).mail()
    await ledger.retry(await claimed(ledger, order), "451")
    messages = table(Message)
    async with database.write() as tx:
        dropped = update(messages).where(messages.c.key == order.key).values(state="dropped", reason="journey ended")
        await tx.execute(dropped)
    assert await ledger.claim(posting(order), SECOND) == SendOutcome(state="refused", reason="journey ended")
    await claimed(ledger, order, AFTER_RESET)
