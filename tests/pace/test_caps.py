"""Caps in the ledger, on both databases, with many who claim at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, func, select, update

from models.database import Database, insert, table
from models.enrollment import Enrollment
from models.ledger import Answer, Attempt, Claim, Ledger, Posting
from models.message import Message
from tabiji.domain.caps import Caps
from tabiji.domain.orders import SendEmail, SendOutcome
from tabiji.domain.sending.house import House
from tabiji.domain.sending.pace import PATIENCE
from tests.mail.people import ADDRESS, NOON, Person, person

DAY = timedelta(days=1)
WRITERS = 12


def ledger(database: Database, caps: str, **more: Any) -> Ledger:
    return Ledger(database, House(zone=ZoneInfo("UTC"), caps=Caps.parse(caps), **more))


def attempt() -> Attempt:
    return Attempt(run_id=uuid4().hex, activity_id="1", number=1, span=timedelta(minutes=1))


def mail(who: Person, step: str, *, address: str = ADDRESS, **more: Any) -> Posting:
    order = SendEmail.model_validate(who.mail().model_dump() | {"step": step} | more)
    return Posting.of(
        order,
        template=order.template,
        subject="Hello",
        address=address,
        topic=order.topic,
        delay=order.delay,
        priority=order.priority,
    )


async def sent(rules: Ledger, posting: Posting) -> bool:
    found = await rules.claim(posting, attempt())
    if isinstance(found, SendOutcome):
        assert found.reason is not None
        return False
    await rules.sent(found, "250 ok")
    return True


async def put_off(rules: Ledger, posting: Posting) -> SendOutcome:
    found = await rules.claim(posting, attempt())
    assert isinstance(found, SendOutcome), found
    return found


async def in_state(database: Database, state: str, posting: Posting) -> None:
    messages = table(Message)
    async with database.write() as tx:
        await tx.execute(update(messages).where(messages.c.key == posting.key).values(state=state))


# What counts


@pytest.mark.parametrize("state", ["claimed", "on_wire", "unknown", "sent"])
async def test_what_has_reached_them_or_may_have_counts(sqlite: Database, state: str) -> None:
    rules, hanako = ledger(sqlite, "1 per 1d"), await person(sqlite)
    assert await sent(rules, mail(hanako, "one"))
    await in_state(sqlite, state, mail(hanako, "one"))
    found = await put_off(rules, mail(hanako, "two", at=NOON + DAY / 2))
    assert (found.state, found.until, found.reason) == ("deferred", NOON + DAY, "cap: 1 per 1 day")
    assert await sent(rules, mail(hanako, "two", at=NOON + DAY))


@pytest.mark.parametrize("state", ["refused", "deferred", "failed", "retry", "dropped"])
async def test_what_has_not_reached_them_does_not_count(sqlite: Database, state: str) -> None:
    rules, hanako = ledger(sqlite, "1 per 1d"), await person(sqlite)
    assert await sent(rules, mail(hanako, "one"))
    await in_state(sqlite, state, mail(hanako, "one"))
    assert await sent(rules, mail(hanako, "two"))


async def test_receipts_and_rehearsals_are_apart(sqlite: Database) -> None:
    rules, hanako = ledger(sqlite, "1 per 1d", mails_tests=True), await person(sqlite)
    for step in ("a", "b"):
        assert await sent(rules, mail(hanako, f"receipt {step}", topic="transactional"))
    assert await sent(rules, mail(hanako, "test", test=True))
    assert await sent(rules, mail(hanako, "real"))
    assert await sent(rules, mail(hanako, "another receipt", topic="transactional"))
    for test in (True, False):
        assert not await sent(rules, mail(hanako, f"one more {test}", test=test))


async def test_the_attempt_after_a_crash_is_not_in_its_own_way(database: Database) -> None:
    """A message found on the wire goes out again under the same Message-ID, although it has used the cap up itself."""
    rules, hanako = ledger(database, "1 per 1d"), await person(database)
    dead = attempt()
    assert isinstance(await rules.claim(mail(hanako, "one"), dead), Claim)
    assert not await sent(rules, mail(hanako, "two"))
    assert isinstance(await rules.claim(mail(hanako, "one"), replace(dead, number=2)), Claim)


# Many at once


@pytest.mark.parametrize("room", [1, 3])
async def test_many_journeys_at_the_same_moment_never_break_a_cap(database: Database, room: int) -> None:
    hanako = await person(database)
    workers = [Database(str(database.url.render_as_string(hide_password=False)), pool=3) for _ in range(3)]
    try:
        asked = [sent(ledger(workers[n % 3], f"{room} per 1d"), mail(hanako, f"step {n}")) for n in range(WRITERS)]
        assert sum(await asyncio.gather(*asked)) == room
    finally:
        for worker in workers:
            await worker.close()


async def test_pages_and_journeys_at_the_same_moment_never_break_a_cap(database: Database) -> None:
    """Two broadcasts' pages in opposite order, and a journey of each person."""
    people = [await person(database, email=f"p{n}@example.com") for n in range(8)]

    def page(name: str, whom: Sequence[Person]) -> list[Posting]:
        return [
            replace(mail(who, name, address=f"p{people.index(who)}@example.com"), key=f"{name}/{who.id}")
            for who in whom
        ]

    rules = ledger(database, "1 per 1d")
    pages = [page("spring", people), page("sale", people[::-1]), page("spring", people[::-1])]
    singles = [[one] for one in page("journey", people)]
    found: list[list[Answer]] = await asyncio.gather(*(rules.claim_page(one, attempt()) for one in (*pages, *singles)))

    claims = [answer for answers in found for answer in answers if isinstance(answer, Claim)]
    assert len(claims) == len(people)
    messages = table(Message)
    async with database.read() as tx:
        each = select(func.count()).where(messages.c.state == "on_wire").group_by(messages.c.contact_id)
        assert list((await tx.execute(each)).scalars()) == [1] * len(people)


async def test_two_mails_to_one_person_in_one_page_count_for_each_other(sqlite: Database) -> None:
    hanako = await person(sqlite)
    found = await ledger(sqlite, "2 per 1d").claim_page([mail(hanako, f"step {n}") for n in range(4)], attempt())
    assert [isinstance(one, Claim) for one in found] == [True, True, False, False]


# Priority


async def in_high_journey(database: Database, who: Person) -> None:
    async with database.write() as tx:
        row: dict[str, Any] = {"id": f"high/{who.id}/1", "journey": "high", "contact_id": who.id, "n": 1}
        row |= {"entry_key": "", "entry_seq": 0, "state": "running", "path": [], "tempo": 1.0, "test": False}
        row |= {"start_confirmed": True, "entered_at": NOON, "entered_wall": NOON, "recorded_at": NOON}
        await tx.execute(insert(tx, Enrollment).values(**row))


@pytest.mark.parametrize("high_first", [True, False])
async def test_of_two_journeys_at_the_same_moment_the_higher_gets_the_room(
    database: Database, high_first: bool
) -> None:
    rules, hanako = ledger(database, "1 per 1d", priorities={"high": 5}), await person(database)
    await in_high_journey(database, hanako)
    low = mail(hanako, "low", delay=2 * DAY)
    high = replace(mail(hanako, "high", priority=5), enrollment_id=f"high/{hanako.id}/1", source="high")
    first, second = (high, low) if high_first else (low, high)
    outcomes = {one.key: await sent(rules, one) for one in (first, second)}
    assert outcomes == {high.key: True, low.key: False}
    again = await put_off(rules, replace(low, at=NOON + PATIENCE))
    assert again.until == NOON + DAY
    # A moment later: the other journey could be due again just then, too.
    assert await sent(rules, replace(low, at=NOON + DAY + PATIENCE))


async def test_where_nothing_higher_comes_the_lower_one_has_waited_for_a_moment(sqlite: Database) -> None:
    rules, hanako = ledger(sqlite, "1 per 1d", priorities={"high": 5}), await person(sqlite)
    await in_high_journey(sqlite, hanako)
    low = mail(hanako, "low")
    found = await put_off(rules, low)
    assert (found.until, found.reason) == (NOON + PATIENCE, "priority")
    assert await sent(rules, replace(low, at=NOON + PATIENCE))


async def test_one_that_is_put_off_to_the_morning_keeps_its_room_until_it_is_dropped(sqlite: Database) -> None:
    rules = ledger(sqlite, "1 per 1d", priorities={"high": 5}, quiet=(time(11), time(15)))
    hanako = await person(sqlite)
    high = mail(hanako, "high", priority=5)
    assert (await put_off(rules, high)).until == NOON + timedelta(hours=3)
    low = mail(hanako, "low")
    found = await put_off(rules, low)
    assert (found.until, found.reason) == (NOON + timedelta(hours=3) + PATIENCE, "quiet hours and priority")
    await in_state(sqlite, "dropped", high)
    assert await sent(rules, replace(low, at=NOON + timedelta(hours=3) + PATIENCE))


# What it costs


@pytest.mark.parametrize(("caps", "priorities", "more"), [("", {}, 0), ("2 per 1d", {}, 1), ("2 per 1d", {"x": 1}, 2)])
async def test_a_page_asks_what_people_have_got_in_one_statement(
    sqlite: Database, caps: str, priorities: dict[str, int], more: int
) -> None:
    people = [await person(sqlite, email=f"p{n}@example.com") for n in range(30)]
    page = [mail(who, "one", address=f"p{n}@example.com") for n, who in enumerate(people)]
    plain = await _statements(sqlite, ledger(sqlite, ""), [replace(one, key=f"{one.key}/plain") for one in page])
    assert await _statements(sqlite, ledger(sqlite, caps, priorities=priorities), page) == plain + more


async def _statements(database: Database, rules: Ledger, page: list[Posting]) -> int:
    seen: list[str] = []
    engine = database._at_once.sync_engine  # pyright: ignore[reportPrivateUsage] # what writes go through on SQLite

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        await rules.claim_page(page, attempt())
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(seen)
