"""Who enters on a date of theirs, when, and how often."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from models.database import Database, table
from models.launch import EntryRefused
from tabiji import after, anniversary, contact_date, never
from tests.occasions.house import DAY, House, tokyo

BIRTHDAY = anniversary("birthday", at=time(9))
NINE = tokyo(2027, 3, 1, 9)
HOUR = timedelta(hours=1)


async def test_on_the_birthday_at_nine_on_the_contacts_clock_once(database: Database) -> None:
    house = House(database, BIRTHDAY, now=NINE - HOUR)
    there = await house.contact(birthday="1990-03-01")
    abroad = await house.contact(birthday="1990-03-01", timezone="America/New_York")
    await house.contact(birthday="1990-03-02")
    await house.contact(birthday="soon")
    await house.contact()

    assert await house.sweep(NINE - timedelta(seconds=1)) == 0
    assert await house.sweep(NINE) == 1
    assert await house.sweep(NINE + HOUR) == 0
    assert await house.sweep(datetime(2027, 3, 1, 9, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)) == 1

    first, second = await house.enrollments()
    assert (first.contact_id, second.contact_id) == (there, abroad)
    assert first.entered_at == NINE
    assert first.trigger["event"] == "Date Reached"
    assert first.trigger["properties"] == {"date": "birthday", "occurrence": "2027"}
    assert [pending.enrollment_id for pending in house.outbox.pending] == [first.id, second.id]


async def test_an_outage_over_the_moment_is_made_up_for_within_the_window_and_not_after_it(sqlite: Database) -> None:
    house = House(sqlite, BIRTHDAY, now=NINE - HOUR)
    await house.contact(birthday="1990-03-01")
    await house.contact(birthday="1990-03-02")
    assert await house.sweep(NINE + 2 * DAY - timedelta(minutes=1)) == 1
    assert await house.sweep(NINE + 10 * DAY) == 0
    assert [row.trigger["at"] for row in await house.enrollments()] == ["2027-03-02T00:00:00Z"]


async def test_a_contact_made_after_the_moment_of_the_day_enters_late_and_the_next_day_not(sqlite: Database) -> None:
    house = House(sqlite, BIRTHDAY, now=NINE)
    assert await house.sweep(NINE) == 0
    await house.contact(birthday="1990-03-01")
    assert await house.sweep(NINE + 5 * HOUR) == 1
    await house.contact(birthday="1990-03-01")
    assert await house.sweep(NINE + DAY) == 0


async def test_a_new_journey_does_not_begin_with_yesterdays_birthdays(sqlite: Database) -> None:
    house = House(sqlite, BIRTHDAY, now=NINE)
    await house.contact(birthday="1990-03-01")
    house.begins = NINE + HOUR
    assert await house.sweep(NINE + 2 * HOUR) == 0
    assert await house.sweep(tokyo(2028, 3, 1, 9)) == 1


async def test_every_year_again_unless_the_author_says_never(sqlite: Database) -> None:
    house = House(sqlite, BIRTHDAY, now=NINE)
    await house.contact(birthday="1990-03-01")
    for year in (2027, 2028, 2029):
        assert await house.sweep(tokyo(year, 3, 1, 9)) == 1
        await house.end_all()
    assert [row.trigger["properties"]["occurrence"] for row in await house.enrollments()] == ["2027", "2028", "2029"]


@pytest.mark.parametrize(("reentry", "second"), [(never, 0), (after(days=300), 1), (after(days=400), 0)], ids=str)
async def test_a_rule_of_reentry_the_author_has_written_counts(sqlite: Database, reentry: object, second: int) -> None:
    house = House(sqlite, BIRTHDAY, now=NINE, reentry=reentry)  # type: ignore[arg-type] # parametrize knows no types
    await house.contact(birthday="1990-03-01")
    assert await house.sweep(NINE) == 1
    await house.end_all()
    assert await house.sweep(tokyo(2028, 3, 1, 9)) == second


async def test_who_moves_their_birthday_has_no_second_one_that_year(sqlite: Database) -> None:
    house = House(sqlite, BIRTHDAY, now=NINE)
    contact = await house.contact(birthday="1990-03-01")
    assert await house.sweep(NINE) == 1
    await house.end_all()
    await house.change(contact, attributes={"birthday": "1990-06-01"})
    assert await house.sweep(tokyo(2027, 6, 1, 9)) == 0
    assert await house.sweep(tokyo(2028, 6, 1, 9)) == 1


async def test_who_moves_to_another_zone_on_the_day_has_no_second_birthday(sqlite: Database) -> None:
    house = House(sqlite, BIRTHDAY, now=NINE)
    contact = await house.contact(birthday="1990-03-01")
    assert await house.sweep(NINE) == 1
    await house.end_all()
    await house.change(contact, timezone="America/Los_Angeles")
    assert await house.sweep(NINE + timedelta(hours=17)) == 0


async def test_29_february_is_celebrated_on_the_28th_of_common_years(sqlite: Database) -> None:
    house = House(sqlite, anniversary("birthday", days=-1, at=time(9)), now=NINE)
    await house.contact(birthday="2000-02-29")
    assert await house.sweep(tokyo(2027, 2, 27, 8, 59)) == 0
    assert await house.sweep(tokyo(2027, 2, 27, 9)) == 1
    await house.end_all()
    assert await house.sweep(tokyo(2028, 2, 27, 9)) == 0
    assert await house.sweep(tokyo(2028, 2, 28, 9)) == 1


async def test_a_date_that_is_moved_starts_again_when_it_comes_but_not_beside_itself(sqlite: Database) -> None:
    """While the first is under way it waits for the moved date itself."""
    house = House(sqlite, contact_date("visit", days=-2, at=time(9)), now=NINE)
    contact = await house.contact(visit="2027-03-03T15:00")
    assert await house.sweep(NINE) == 1
    await house.change(contact, attributes={"visit": "2027-03-20T15:00"})
    assert await house.sweep(tokyo(2027, 3, 18, 9)) == 0
    await house.end_all()
    await house.change(contact, attributes={"visit": "2027-04-20T15:00"})
    assert await house.sweep(tokyo(2027, 4, 18, 9)) == 1
    await house.end_all()
    await house.change(contact, attributes={"visit": "2027-03-03T15:00"})
    assert await house.sweep(tokyo(2027, 3, 1, 9)) == 0, "this very date has had its journey"


async def test_a_date_that_is_moved_between_the_look_and_the_entry_enters_nobody(sqlite: Database) -> None:
    house = House(sqlite, BIRTHDAY, now=NINE)
    moved, stays = await house.contact(birthday="1990-03-01"), await house.contact(birthday="1990-03-01")
    page = await house.occasions.page(house.order(), after=None, limit=10)
    await house.change(moved, attributes={"birthday": "1990-06-01"})
    assert await house.enter(*page.occasions) == 1
    assert [row.contact_id for row in await house.enrollments()] == [stays]


async def test_a_contact_who_is_gone_keeps_nobody_else_out(sqlite: Database) -> None:
    house = House(sqlite, BIRTHDAY, now=NINE)
    contacts = [await house.contact(birthday="1990-03-01") for _ in range(3)]
    page = await house.occasions.page(house.order(), after=None, limit=10)
    await house.forget(contacts[1])
    assert await house.enter(*page.occasions) == 2


async def test_a_contact_who_was_merged_meanwhile_enters_as_the_one_they_are_now(sqlite: Database) -> None:
    house = House(sqlite, BIRTHDAY, now=NINE)
    old, kept = await house.contact(birthday="1990-03-01"), await house.contact(birthday="1990-03-01")
    page = await house.occasions.page(house.order(), after=None, limit=10)
    await house.change(old, merged_into=kept)
    assert await house.enter(*page.occasions) == 1
    assert [row.contact_id for row in await house.enrollments()] == [kept]


async def test_pages_go_through_everybody_once(sqlite: Database) -> None:
    house = House(sqlite, BIRTHDAY, now=NINE)
    for _ in range(7):
        await house.contact(birthday="1990-03-01")
    assert await house.sweep(limit=3) == 7


async def test_two_sweeps_at_once_enter_nobody_twice(database: Database) -> None:
    house = House(database, BIRTHDAY, now=NINE)
    for _ in range(6):
        await house.contact(birthday="1990-03-01")
    assert sum(await asyncio.gather(*(house.sweep() for _ in range(4)))) == 6
    assert len(await house.enrollments()) == 6


@pytest.mark.parametrize("name", ["誕生日", "birth day", 'a"b', "a.b", "50%"])
async def test_an_attribute_may_have_any_name(database: Database, name: str) -> None:
    house = House(database, anniversary(name, at=time(9)), now=NINE)
    for birthday in ("1990-03-01", "1990-04-01"):
        attributes: dict[str, Any] = {name: birthday}
        await house.contact(**attributes)
    assert await house.sweep() == 1


async def test_dates_go_by_journey_time(sqlite: Database) -> None:
    house = House(sqlite, BIRTHDAY, now=NINE - 100 * DAY)
    await house.contact(birthday="1990-03-01")
    assert await house.sweep() == 0
    house.clock.shift = 100 * DAY
    assert await house.sweep() == 1


async def test_a_zone_that_is_none_falls_back_to_the_houses(sqlite: Database) -> None:
    house = House(sqlite, BIRTHDAY, now=NINE)
    await house.contact(birthday="1990-03-01", timezone="Mars/Olympus")
    assert await house.sweep() == 1


async def test_a_draft_takes_test_contacts_and_going_live_does_not_make_up_for_the_morning(sqlite: Database) -> None:
    house = House(sqlite, BIRTHDAY, now=NINE - DAY)
    await house.launch("draft")
    await house.contact(birthday="1990-03-01")
    tester = await house.contact(birthday="1990-03-01")
    await house.change(tester, tempo=1.0)
    assert await house.sweep(NINE) == 1
    assert [row.contact_id for row in await house.enrollments()] == [tester]
    await house.end_all()

    house.clock.at = NINE + HOUR
    await house.launch("live")
    assert await house.sweep(NINE + 2 * HOUR) == 0
    assert await house.sweep(tokyo(2028, 3, 1, 9)) == 2
    await house.launch("closing")
    assert await house.sweep(tokyo(2029, 3, 1, 9)) == 0


async def test_whom_a_journey_did_not_take_is_asked_for_once(sqlite: Database) -> None:
    """Or what the pilot refused would grow with every sweep of the day."""
    house = House(sqlite, BIRTHDAY, now=NINE - DAY)
    await house.launch("pilot", pilot={"number": 1})
    for _ in range(3):
        await house.contact(birthday="1990-03-01")
    for sweep in range(4):
        await house.sweep(NINE + sweep * HOUR)
    async with sqlite.read() as tx:
        assert await tx.scalar(select(func.sum(table(EntryRefused).c.times))) == 2
