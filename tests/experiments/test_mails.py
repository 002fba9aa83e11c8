"""A mail's content under test: who is given which arm by it, once and for all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from models.database import AnyRow, Database, table
from models.experiments import drawn
from models.exposure import Exposure
from models.ledger import Attempt, Claim, Ledger, Posting
from models.message import Message
from models.posting import Variant
from tabiji.domain.conditions import on
from tabiji.domain.content import ContentTest, arm, content_test
from tabiji.domain.experiments import Drawn, assign
from tabiji.domain.orders import SendOutcome
from tabiji.domain.sending.held_out import HELD_OUT, OF_THE_HOUSE, TREATED, holdout
from tabiji.domain.sending.house import House
from tabiji.errors import Busy
from tests.mail.people import ADDRESS, NOON, Person, person

ATTEMPT = Attempt(run_id="run-1", activity_id="5", number=1, span=timedelta(minutes=1))
BOUGHT = on("Order Completed")
SUBJECT = content_test("subject", ("plain", "warm"), goal=BOUGHT)
TOKYO = "Asia/Tokyo"


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database, House(zone=ZoneInfo("UTC")))


async def variant(database: Database, test: ContentTest, contact: UUID, *, forced: str | None = None) -> Variant:
    """The arm drawn before a mail is written, as a worker does it."""
    draw = test.draw()
    async with database.read() as tx:
        found = await drawn(tx, draw, [contact])
    return Variant(test, draw, Drawn(arm=forced) if forced else found[contact])


def posting(who: Person, drawn_: Variant | None, *, at: datetime = NOON, **more: Any) -> Posting:
    order = who.mail(at=at, **{key: more.pop(key) for key in ("step", "topic") if key in more})
    given: dict[str, Any] = {
        "template": order.template,
        "subject": "Hello",
        "address": ADDRESS,
        "topic": order.topic,
        "variant": drawn_.drawn.arm if drawn_ else None,
        "tested": drawn_,
    }
    return Posting.of(order, **(given | more))


def address(n: int) -> str:
    return f"c{n}@example.com"


async def several(database: Database, count: int, **more: Any) -> list[Person]:
    return [await person(database, email=address(n), **more) for n in range(count)]


async def exposures(database: Database) -> list[AnyRow]:
    rows = table(Exposure)
    async with database.read() as tx:
        return list((await tx.execute(select(rows).order_by(rows.c.id))).all())


async def test_the_arm_is_given_with_the_mail_itself(ledger: Ledger, database: Database) -> None:
    who = await person(database)
    mine = await variant(database, SUBJECT, who.id)
    assert await exposures(database) == [], "drawing it gives it to nobody"
    assert isinstance(await ledger.claim(posting(who, mine), ATTEMPT), Claim)

    [given] = await exposures(database)
    assert (given.contact_id, given.experiment, given.arm) == (who.id, "subject", mine.drawn.arm)
    assert (given.enrollment_id, given.step, given.at, given.chosen) == (who.enrollment, "mail", NOON, "shares")
    messages = table(Message)
    async with database.read() as tx:
        row = (await tx.execute(select(messages.c.experiment, messages.c.variant))).one()
    assert tuple(row) == ("subject", mine.drawn.arm)


async def test_who_gets_no_mail_is_given_no_arm(ledger: Ledger, database: Database) -> None:
    who = await person(database, consent=False)
    refused = await ledger.claim(posting(who, await variant(database, SUBJECT, who.id)), ATTEMPT)
    assert refused == SendOutcome(state="refused", reason="no_consent")
    assert await exposures(database) == []


async def test_a_mail_that_waits_for_morning_gives_no_arm_until_it_goes(sqlite: Database) -> None:
    ledger = Ledger(sqlite, House(zone=ZoneInfo("UTC"), quiet=(time(11), time(14))))
    who = await person(sqlite)
    mine = await variant(sqlite, SUBJECT, who.id)
    assert isinstance(waits := await ledger.claim(posting(who, mine), ATTEMPT), SendOutcome)
    assert waits.state == "deferred"
    assert await exposures(sqlite) == []


async def test_an_arm_is_for_good_in_every_mail_and_whatever_the_weights_become(
    ledger: Ledger, database: Database
) -> None:
    who = await person(database)
    first = await variant(database, SUBJECT, who.id)
    await ledger.claim(posting(who, first), ATTEMPT)
    other = "warm" if first.drawn.arm == "plain" else "plain"
    turned = content_test("subject", {first.drawn.arm: arm(weight=0), other: arm()}, goal=BOUGHT)
    again = await variant(database, turned, who.id)
    assert again.drawn.arm == first.drawn.arm
    assert isinstance(await ledger.claim(posting(who, again, step="later"), ATTEMPT), Claim)
    assert len(await exposures(database)) == 1


async def test_a_mail_written_for_another_arm_than_they_have_by_now_is_written_anew(
    ledger: Ledger, database: Database
) -> None:
    who = await person(database)
    early = [await variant(database, SUBJECT, who.id, forced=one) for one in ("plain", "warm")]
    assert isinstance(await ledger.claim(posting(who, early[0]), ATTEMPT), Claim)
    late = await ledger.claim_page([posting(who, early[1], step="later")], ATTEMPT)
    assert isinstance(late[0], Busy)
    assert "another arm" in str(late[0])
    messages = table(Message)
    async with database.read() as tx:
        assert (await tx.execute(select(messages.c.step))).scalars().all() == ["mail"]


async def test_of_many_who_give_somebody_an_arm_at_once_one_decides(postgresql: Database) -> None:
    """With real locks: eight workers, each with a mail of its own written for either arm."""
    ledger = Ledger(postgresql, House(zone=ZoneInfo("UTC")))
    who = await person(postgresql)
    drawn_ = [await variant(postgresql, SUBJECT, who.id, forced=("plain", "warm")[n % 2]) for n in range(8)]
    claims = await asyncio.gather(
        *(
            ledger.claim_page([posting(who, mine, step=f"step {n}")], replace(ATTEMPT, run_id=f"run-{n}"))
            for n, mine in enumerate(drawn_)
        )
    )
    [given] = await exposures(postgresql)
    for mine, [claim] in zip(drawn_, claims, strict=True):
        assert isinstance(claim, Claim if mine.drawn.arm == given.arm else Busy)


async def test_a_page_of_people_takes_as_many_statements_as_one(ledger: Ledger, database: Database) -> None:
    people = await several(database, 30)
    async with database.read() as tx:
        found = await drawn(tx, SUBJECT.draw(), [one.id for one in people])
    page = [
        posting(one, Variant(SUBJECT, SUBJECT.draw(), found[one.id]), address=address(n))
        for n, one in enumerate(people)
    ]
    assert all(isinstance(one, Claim) for one in await ledger.claim_page(page, ATTEMPT))
    arms = {row.contact_id: row.arm for row in await exposures(database)}
    assert arms == {one.id: assign("subject", str(one.id), ("plain", "warm"), (1, 1)) for one in people}
    assert set(arms.values()) == {"plain", "warm"}


# Send time

MORNING = content_test("hour", {"now": arm(), "evening": arm(at=time(22))}, goal=BOUGHT)


async def test_an_arm_may_go_out_at_a_time_on_their_own_clock(ledger: Ledger, database: Database) -> None:
    """Noon in UTC is nine in the evening in Tokyo: ten o'clock is an hour away. Who waits is counted from now."""
    who = await person(database, timezone=TOKYO)
    mine = await variant(database, MORNING, who.id, forced="evening")
    waits = await ledger.claim(posting(who, mine), ATTEMPT)
    assert waits == SendOutcome(state="deferred", until=NOON + timedelta(hours=1), reason="send time")
    [given] = await exposures(database)
    assert (given.arm, given.at) == ("evening", NOON)
    assert isinstance(await ledger.claim(posting(who, mine, at=NOON + timedelta(hours=1)), ATTEMPT), Claim)
    assert len(await exposures(database)) == 1


async def test_the_other_arm_goes_at_once(ledger: Ledger, database: Database) -> None:
    who = await person(database, timezone=TOKYO)
    mine = await variant(database, MORNING, who.id, forced="now")
    assert isinstance(await ledger.claim(posting(who, mine), ATTEMPT), Claim)


async def test_a_send_time_is_no_delay(sqlite: Database) -> None:
    """Quiet hours may hold it back for a day from then on, not from when it was asked for."""
    ledger = Ledger(sqlite, House(zone=ZoneInfo("UTC"), quiet=(time(21), time(8))))
    who = await person(sqlite)
    mine = await variant(sqlite, MORNING, who.id, forced="evening")
    assert isinstance(await ledger.claim(posting(who, mine), ATTEMPT), SendOutcome)
    at = NOON + timedelta(hours=10)
    quiet = await ledger.claim(posting(who, mine, at=at, delay=timedelta(hours=12)), ATTEMPT)
    assert quiet == SendOutcome(state="deferred", until=NOON + timedelta(hours=20), reason="quiet hours")


# Holdouts

HALF = House(zone=ZoneInfo("UTC"), holdout=holdout(0.5, [BOUGHT]))


async def test_a_share_of_people_gets_no_marketing_and_stays_out(database: Database) -> None:
    ledger = Ledger(database, HALF)
    people = await several(database, 24)
    first = [await ledger.claim(posting(one, None, address=address(n)), ATTEMPT) for n, one in enumerate(people)]
    out = [isinstance(one, SendOutcome) and one.reason == "held_out" for one in first]
    assert 3 < sum(out) < 21

    ledger = Ledger(database, replace(HALF, holdout=holdout(0.001, [BOUGHT])))
    again = [
        await ledger.claim(posting(one, None, step="later", address=address(n)), ATTEMPT)
        for n, one in enumerate(people)
    ]
    assert [isinstance(one, SendOutcome) for one in again] == out, "whatever the share becomes"
    given = {row.contact_id: (row.experiment, row.arm) for row in await exposures(database)}
    assert given == {
        one.id: (OF_THE_HOUSE, HELD_OUT if held else TREATED) for one, held in zip(people, out, strict=True)
    }


async def test_who_may_not_be_written_to_is_in_neither_group(sqlite: Database) -> None:
    ledger = Ledger(sqlite, HALF)
    for n, one in enumerate(await several(sqlite, 4, consent=False)):
        refused = await ledger.claim(posting(one, None, address=address(n)), ATTEMPT)
        assert refused == SendOutcome(state="refused", reason="no_consent")
    assert await exposures(sqlite) == []


async def test_a_journey_may_hold_people_out_of_its_own_mails(sqlite: Database) -> None:
    ledger = Ledger(sqlite, House(zone=ZoneInfo("UTC")))
    people = await several(sqlite, 20)
    group = holdout(0.5, [BOUGHT], journey="whitepaper-nurture")
    mine = [
        await ledger.claim(posting(one, None, holdout=group, address=address(n)), ATTEMPT)
        for n, one in enumerate(people)
    ]
    out = [isinstance(one, SendOutcome) for one in mine]
    assert 2 < sum(out) < 18
    others = [
        await ledger.claim(posting(one, None, step="of another", address=address(n)), ATTEMPT)
        for n, one in enumerate(people)
    ]
    assert all(isinstance(one, Claim) for one in others)
    assert {row.experiment for row in await exposures(sqlite)} == {"holdout of whitepaper-nurture"}


async def test_what_people_have_asked_for_goes_to_who_is_held_out_too(sqlite: Database) -> None:
    ledger = Ledger(sqlite, replace(HALF, holdout=holdout(0.5, [BOUGHT])))
    for n, one in enumerate(await several(sqlite, 6)):
        receipt = posting(one, None, topic="transactional", address=address(n))
        assert isinstance(await ledger.claim(receipt, ATTEMPT), Claim)
    assert await exposures(sqlite) == []
