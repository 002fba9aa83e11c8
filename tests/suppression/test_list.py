"""The list: who gets on it, who gets off it, and whom it keeps from being written to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, update

from models.contact import Contact
from models.database import Database, table
from models.returns import Failed, failed
from models.standing import standings
from models.suppression import Suppression
from models.suppressions import Entry, history, in_force, lift, normalized, suppress
from tabiji.domain.bounces import Kind
from tabiji.domain.sending.house import House as Ways
from tabiji.errors import InvalidChange
from tests.inbound.house import NOW, House

ADDRESS = "hanako@example.jp"
MANUAL = Entry(value=ADDRESS, reason="manual", source="test")
WAYS = Ways(zone=ZoneInfo("UTC"))


async def reasons(house: House, address: str = ADDRESS) -> list[str]:
    async with house.database.read() as tx:
        return sorted(one.reason for one in (await in_force(tx, [address])).get(address, ()))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" Hanako@Example.JP ", "hanako@example.jp"),
        ("hanako@xn--r8jz45g.jp", "hanako@例え.jp"),
        ("Example.com.", "example.com"),
        ("@example.com", "example.com"),
        ("*.example.com", "example.com"),
    ],
)
def test_one_address_has_one_form(written: str, kept: str) -> None:
    assert normalized(written) == kept


@pytest.mark.parametrize("text", ["", "com", "hanako@", "hana ko@example.jp", "example..com", "@"])
def test_what_is_neither_address_nor_domain_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(InvalidChange) as refused:
        normalized(text)
    assert text == "" or len(text) < 4 or text not in str(refused.value)


async def test_a_domain_covers_who_is_in_it_and_below_it(house: House) -> None:
    entry = Entry(value="example.jp", reason="domain", source="test")
    await house.database.transact(lambda tx: suppress(tx, [entry], at=NOW))

    assert await reasons(house, "hanako@example.jp") == ["domain"]
    assert await reasons(house, "hanako@mail.example.jp") == ["domain"]
    assert await reasons(house, "hanako@notexample.jp") == []
    assert await reasons(house, "example.jp@example.com") == []


async def test_twice_for_the_same_reason_is_once_and_for_another_is_another(house: House) -> None:
    other = Entry(value=ADDRESS, reason="complaint", source="test")
    counts = [await house.database.transact(lambda tx: suppress(tx, [MANUAL, MANUAL, other], at=NOW)) for _ in "12"]

    assert counts == [2, 0]
    assert await reasons(house) == ["complaint", "manual"]


async def test_what_is_lifted_stays_in_the_history_and_may_come_again(house: House) -> None:
    await house.database.transact(lambda tx: suppress(tx, [MANUAL], at=NOW))
    assert await house.database.transact(lambda tx: lift(tx, ADDRESS, by="sato")) == 1
    assert await reasons(house) == []
    await house.database.transact(lambda tx: suppress(tx, [MANUAL], at=NOW))

    async with house.database.read() as tx:
        entries = await history(tx, ADDRESS)
    assert [one.lifted_by for one in entries] == [None, "sato"]


async def test_what_has_ended_by_itself_can_begin_again(house: House) -> None:
    entry = replace(MANUAL, until=NOW + timedelta(days=1))
    await house.database.transact(lambda tx: suppress(tx, [entry], at=NOW))
    later = NOW + timedelta(days=2)

    assert await house.database.transact(lambda tx: suppress(tx, [MANUAL], at=later)) == 1
    assert [row.lifted_by for row in await house.rows(Suppression)] == ["time", None]


async def test_a_contact_with_another_address_is_judged_by_that(house: House) -> None:
    contact = await house.contact(ADDRESS)
    await house.database.transact(lambda tx: suppress(tx, [MANUAL], at=NOW))
    assert await _standing(house) == ["manual"]

    contacts = table(Contact)
    async with house.database.write() as tx:
        await tx.execute(update(contacts).where(contacts.c.id == contact).values(email="hanako@example.com"))
    assert await _standing(house) == []


async def test_however_many_contacts_the_list_is_asked_once(database: Database) -> None:
    house = House(database)
    for n in range(30):
        await house.contact(f"user{n}@example{n % 3}.jp")
    await house.database.transact(
        lambda tx: suppress(tx, [Entry(value="example1.jp", reason="domain", source="t")], at=NOW)
    )
    contacts = await house.rows(Contact)
    asked: list[str] = []

    async with database.read() as tx:
        event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
        known = await standings(tx, contacts, WAYS, topics=["marketing"])

    assert sum("FROM suppression" in statement for statement in asked) == 1
    assert sum(bool(one.suppressed) for one in known.values()) == 10


async def test_an_address_that_does_not_exist_is_given_up_with_its_evidence(house: House) -> None:
    public_id = await house.mailed(ADDRESS)

    said = "550 5.1.1 <hanako@example.jp> unknown"
    assert await house.returns.bounced(public_id, Kind.HARD_BOUNCE, evidence=said, source="smtp", at=NOW)

    [entry] = await house.rows(Suppression)
    assert (entry.reason, entry.evidence, entry.source, entry.message) == (
        "hard_bounce",
        "550 5.1.1",
        "smtp",
        public_id,
    )
    assert entry.transactional
    assert (await house.message(public_id)).bounce == "hard"


@pytest.mark.parametrize("kind", [Kind.POLICY, Kind.CONTENT, Kind.OTHER, Kind.MAILBOX_FULL])
async def test_everything_else_is_told_and_suppresses_nobody(house: House, kind: Kind) -> None:
    public_id = await house.mailed(ADDRESS)

    await house.returns.bounced(public_id, kind, source="smtp", at=NOW)

    assert await reasons(house) == []
    assert await house.events() == ["Email Bounced"]


async def test_soft_bounces_in_a_row_suppress_for_a_while(house: House) -> None:
    contact = await house.contact(ADDRESS)
    for day in (20, 15, 10, 5, 1):
        sent = await house.sent(contact, ADDRESS, at=NOW - timedelta(days=day))
        assert await reasons(house) == []
        await house.returns.bounced(sent, Kind.MAILBOX_FULL, permanent=False, source="inbound", at=NOW)

    [entry] = await house.rows(Suppression)
    assert (entry.reason, entry.until) == ("soft_bounces", NOW + timedelta(days=30))


async def test_the_same_soft_bounce_heard_five_times_is_one(house: House) -> None:
    public_id = await house.mailed(ADDRESS)
    for _ in range(6):
        await house.returns.bounced(public_id, Kind.MAILBOX_FULL, source="inbound", at=NOW)

    assert await reasons(house) == []
    assert await house.events() == ["Email Bounced"]


async def test_a_delivery_between_soft_bounces_begins_the_count_anew(house: House) -> None:
    contact = await house.contact(ADDRESS)
    await house.sent(contact, ADDRESS, at=NOW - timedelta(days=7), opened_at=NOW - timedelta(days=6))
    for day in (20, 15, 10, 5, 1):
        sent = await house.sent(contact, ADDRESS, at=NOW - timedelta(days=day))
        await house.returns.bounced(sent, Kind.MAILBOX_FULL, source="inbound", at=NOW)

    assert await reasons(house) == []


async def test_rehearsals_suppress_nobody(house: House) -> None:
    rehearsed = await house.mailed(ADDRESS, test=True)
    tester = await house.contact("test@example.jp", tempo=60.0)
    sent = await house.sent(tester, "test@example.jp")

    for public_id in (rehearsed, sent):
        await house.returns.bounced(public_id, Kind.HARD_BOUNCE, source="smtp", at=NOW)
        await house.returns.complained(public_id, source="ses", at=NOW)

    assert await house.suppressed() == {}
    assert len(await house.events()) == 4


async def test_a_notice_to_the_team_that_comes_back_is_no_contact_s_bounce(house: House) -> None:
    contact = await house.contact(ADDRESS)
    notice = await house.sent(contact, "sales@shop.example", audience="sales")

    assert not await house.returns.bounced(notice, Kind.HARD_BOUNCE, source="smtp", at=NOW)

    assert await house.suppressed() == {}
    assert await house.events() == []


async def test_a_provider_s_word_about_an_address_counts_without_a_message(house: House) -> None:
    await house.returns.bounced("Gone@Example.JP", Kind.HARD_BOUNCE, evidence="5.1.1", source="ses", at=NOW)
    await house.returns.bounced("full@example.jp", Kind.MAILBOX_FULL, source="ses", at=NOW)
    await house.returns.complained("angry@example.jp", source="ses", at=NOW)

    assert await house.suppressed() == {"gone@example.jp": "hard_bounce", "angry@example.jp": "complaint"}


async def test_a_page_of_failures_is_written_down_in_as_many_statements_as_one(database: Database) -> None:
    house = House(database)
    sent = [await house.mailed(f"user{n}@example.jp") for n in range(20)]
    kinds = [Kind.HARD_BOUNCE, Kind.MAILBOX_FULL, Kind.POLICY, Kind.OTHER]
    failures = [Failed(public_id, kinds[n % 4], "550 5.1.1") for n, public_id in enumerate(sent)]
    asked: list[str] = []
    counts: list[int] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *args: asked.append(args[2]))

    for page in (failures[:4], failures[4:]):
        asked.clear()
        async with database.write() as tx:
            await failed(tx, page, at=NOW)
        counts.append(len(asked))

    assert counts[0] == counts[1]
    assert len(await house.suppressed()) == 5


async def _standing(house: House) -> list[str]:
    contacts = await house.rows(Contact)
    async with house.database.read() as tx:
        known = await standings(tx, contacts, WAYS, topics=["marketing"])
    return [one.reason for one in known[contacts[0].id].suppressed]
