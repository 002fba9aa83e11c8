"""Two contacts turn out to be one: everything follows, and what either was in goes on as one person's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import JSON, Boolean, DateTime, Float, Integer, Table, Uuid, select
from sqlmodel.sql.sqltypes import UTCDateTime

from models.base import metadata, new_id
from models.contact import Consent, Contact, ContactTag, Identity
from models.database import Database, insert, lock_contacts, table
from models.enrollment import Dispatch, Enrollment, Listener
from models.event import Event
from models.exposure import Exposure
from models.incoming import ConsentGiven, Incoming
from models.look_up import look_up
from models.merge import DECIDED, every_table, followed, names_a_contact
from models.pause import Pause, Scope
from models.pauses import Pauses
from models.reads.contacts import show_contact
from models.standing import standings
from tabiji.domain.changes import LookUp
from tabiji.domain.conditions import on
from tabiji.domain.facts import KIND
from tabiji.domain.journeys import always
from tabiji.domain.sending.house import House
from tests.identity.world import NOON
from tests.road.parts import GOAL, Road, did, spec, waits_for

_numbers = count(1)


async def _two(road: Road, **more: Any) -> tuple[UUID, UUID]:
    """Somebody known, and a visitor who is not known yet."""
    [known] = await road.recorder.record([did("Page Viewed", user_id="u", **more)])
    [visitor] = await road.recorder.record([did("Page Viewed", who="v")])
    return known.contact_id, visitor.contact_id


async def _meet(road: Road) -> None:
    await road.recorder.record([did("Identify", user_id="u", anonymous_id="v")])


def _contacts_in(rows: Table) -> list[str]:
    return [column.name for column in rows.c if names_a_contact(column)]


async def test_no_table_with_a_contact_in_it_is_forgotten(database: Database) -> None:
    """Every table is filled for both, by what its columns are: one that is new is followed too, or this fails."""
    every_table()
    road = Road(database)
    winner, loser = await _two(road)
    async with database.write() as tx:
        for contact in (winner, loser):
            made: dict[str, dict[str, Any]] = {"contact": {"id": contact}}
            for rows in metadata.sorted_tables:
                if rows.name in ("contact", "identity", "duplicate"):
                    continue
                row = {column.name: _value(column, contact, made) for column in rows.c if not _numbered(rows, column)}
                await tx.execute(rows.insert().values(**row))
                made[rows.name] = row

    await _meet(road)

    left: list[str] = []
    async with database.read() as tx:
        for rows in metadata.sorted_tables:
            for name in _contacts_in(rows):
                here = {str(one) for one in (await tx.execute(select(rows.c[name]))).scalars()}
                left += [f"{rows.name}.{name}"] if str(loser) in here else []
                assert rows.name in DECIDED or here - {"None"}, f"{rows.name}.{name} was not filled"
        [merged] = (await tx.execute(select(table(Contact)).where(table(Contact).c.id == loser))).all()
    assert left == []
    assert merged.merged_into == winner
    assert {rows.name for rows, _ in followed()}.isdisjoint(DECIDED)


def _numbered(rows: Table, column: Any) -> bool:
    return column.primary_key and len(rows.primary_key.columns) == 1 and isinstance(column.type, Integer)


def _value(column: Any, contact: UUID, made: dict[str, dict[str, Any]]) -> Any:
    """Something that may stand there; of what another table has, what was put there."""
    for key in column.foreign_keys:
        of, name = key.target_fullname.split(".")
        if of in made and name in made[of]:
            return made[of][name]
    if names_a_contact(column):
        return contact if isinstance(column.type, Uuid) else str(contact)
    if column.nullable:
        return None
    return _something(column)


def _something(column: Any) -> Any:
    match column.type:
        case Uuid():
            return new_id()
        case JSON():
            return GOAL.model_dump(mode="json") if column.name == "condition" else {}
        case Boolean():
            return False
        case Float():
            return 1.0
        case Integer():
            return next(_numbers) + 1000
        case DateTime() | UTCDateTime():
            return datetime.now(UTC)
        case _:
            pass
    length: int | None = getattr(column.type, "length", None)
    return f"{column.name[:5]}{next(_numbers)}"[: length or 64]


async def test_the_visitors_past_comes_along_and_their_id_leads_to_the_contact(database: Database) -> None:
    road = Road(database)
    known, visitor = await _two(road, traits={"plan": "free"})
    async with database.write() as tx:
        for contact in (known, visitor):
            row = {"contact_id": contact, "tag": "vip", "at": NOON, "recorded_at": NOON}
            await tx.execute(insert(tx, ContactTag).values(**row))

    await _meet(road)

    assert {row.contact_id for row in await road.rows(Event, kind="track")} == {known}
    assert [(row.contact_id, row.tag) for row in await road.rows(ContactTag)] == [(known, "vip")]
    [fact] = await road.rows(Event, kind=KIND, name="Contact Merged")
    assert (fact.contact_id, fact.properties) == (known, {"contact": str(visitor)})
    async with database.read() as tx:
        shown = await show_contact(tx, visitor)
        order = LookUp(
            enrollment_id="x",
            contact_id=str(visitor),
            step="s",
            visit=1,
            at=NOON,
            what="attribute",
            name="plan",
        )
        assert await look_up(tx, order) == "free"
    assert shown is not None
    assert shown.id == known


async def test_a_contact_that_was_merged_into_one_that_is_merged_leads_to_the_last(database: Database) -> None:
    road = Road(database)
    known, visitor = await _two(road)
    await _meet(road)
    [other] = await road.recorder.record([did("Page Viewed", user_id="old")])

    await road.recorder.record([did("Alias", user_id="old", previous_id="u")])

    [last] = [row for row in await road.rows(Contact) if row.merged_into is None]
    assert last.id == min(known, other.contact_id)
    assert {row.merged_into for row in await road.rows(Contact) if row.id != last.id} == {last.id}
    assert visitor in {row.id for row in await road.rows(Contact)}


async def test_points_add_up_and_the_first_arm_counts_and_a_pause_holds(database: Database) -> None:
    road = Road(database)
    known, visitor = await _two(road)
    async with database.write() as tx:
        for place, contact in enumerate((visitor, known)):
            await tx.execute(table(Contact).update().where(table(Contact).c.id == contact).values(score=10 + place))
            row: dict[str, Any] = {"contact_id": contact, "experiment": "subject", "arm": f"arm {place}", "weights": {}}
            row |= {"enrollment_id": "e", "step": "s", "test": False, "at": NOON, "recorded_at": NOON}
            await tx.execute(insert(tx, Exposure).values(**row))
    await Pauses(database, road.clock).pause(Scope.CONTACT, str(visitor), by="ops", reason=None)

    await _meet(road)

    [now] = await road.rows(Contact, id=known)
    assert now.score == 21
    [told] = await road.rows(Event, name="Score Changed")
    assert (told.contact_id, told.properties["before"], told.properties["after"]) == (known, 11, 21)
    assert [(row.contact_id, row.arm) for row in await road.rows(Exposure)] == [(known, "arm 0")]
    assert [(row.target, row.resumed_at) for row in await road.rows(Pause)] == [(str(known), None)]


async def test_a_journey_of_the_visitor_goes_on_and_hears_of_the_contact(database: Database) -> None:
    """What the contact did since it began answers it at once; what they do now is heard; its goals too."""
    road = Road(database, spec("nurture", trigger="Form Submitted", reentry=always))
    known, visitor = await _two(road)
    [began] = await road.recorder.record([did("Form Submitted", who="v")])
    [enrollment] = began.entered
    await road.waits.listen(waits_for(enrollment, visitor, on("Demo Attended"), entry_seq=began.seq))
    await road.recorder.record([did("Demo Attended", user_id="u")])
    road.outbox.pending.clear()

    await _meet(road)

    [signal] = await road.rows(Dispatch, kind="signal")
    assert (signal.enrollment_id, signal.contact_id, signal.payload["event"]) == (enrollment, known, "Demo Attended")
    assert [one.id for one in road.outbox.pending] == [signal.id]
    assert {row.contact_id for row in await road.rows(Listener)} == {known}
    await road.recorder.record([did("Order Completed", user_id="u")])
    last = (await road.rows(Dispatch, kind="signal"))[-1]
    assert (last.enrollment_id, last.payload["step"]) == (enrollment, "goal")
    heard = await road.waits.listen(waits_for(enrollment, visitor, on("Demo Attended"), entry_seq=began.seq))
    assert heard.end is not None


async def test_of_the_same_journey_twice_the_later_ends_as_merged(database: Database) -> None:
    road = Road(database, spec("nurture", reentry=always))
    [first] = await road.recorder.record([did("Form Submitted", who="v")])
    [second] = await road.recorder.record([did("Form Submitted", user_id="u")])

    await _meet(road)

    states = {row.id: (row.state, row.reason, row.n) for row in await road.rows(Enrollment)}
    assert states[first.entered[0]][:2] == ("running", None)
    assert states[second.entered[0]][:2] == ("exited", "merged")
    assert sorted(n for *_, n in states.values()) == [1, 2]
    [told] = await road.rows(Dispatch, kind="signal")
    assert (told.enrollment_id, told.payload["step"], told.payload["event"]) == (second.entered[0], "exit", "merged")
    [again] = await road.recorder.record([did("Form Submitted", user_id="u")])
    assert again.entered == (), "one of them goes on"


async def test_what_belongs_to_somebody_else_leaves_with_all_that_came_under_it(database: Database) -> None:
    """Somebody is found to have used the device before: what was anonymous on it is theirs."""
    road = Road(database)
    said = ConsentGiven("news", True, "banner")
    await road.recorder.record([did("Agreed", who="v", consent=said, traits={"city": "Osaka"})])
    late = datetime.now(UTC)
    [second] = await road.recorder.record([did("Identify", user_id="u2", anonymous_id="v", traits={"plan": "pro"})])
    before = did("Identify", user_id="u1", anonymous_id="v")

    [first] = await road.recorder.record([_earlier(before, late)])

    [one] = await road.rows(Contact, id=first.contact_id)
    [other] = await road.rows(Contact, id=second.contact_id)
    assert (one.attributes, other.attributes) == ({"city": "Osaka"}, {"plan": "pro"})
    assert [row.contact_id for row in await road.rows(Consent)] == [one.id]
    assert [row.contact_id for row in await road.rows(Event, name="Agreed")] == [one.id]
    assert {row.value: row.contact_id for row in await road.rows(Identity)} == {
        "v": one.id,
        "u1": one.id,
        "u2": other.id,
    }


def _earlier(item: Incoming, than: datetime) -> Incoming:
    return replace(item, at=than - timedelta(days=1))


async def test_a_no_that_was_said_last_stands_whatever_comes_in_after_it(database: Database) -> None:
    road = Road(database)
    now = datetime.now(UTC)
    no, yes = ConsentGiven("news", False, "unsubscribe"), ConsentGiven("news", True, "form")
    [no_said] = await road.recorder.record([did("Unsubscribed", user_id="u", consent=no)])
    await road.recorder.record([_earlier(did("Form Submitted", user_id="u", consent=yes), now)])
    async with database.read() as tx:
        [contact] = (await lock_contacts(tx, [no_said.contact_id])).values()
        found = await standings(tx, [contact], House(zone=ZoneInfo("UTC")), topics=["news"])
        assert not found[contact.id].agreed["news"].given
        shown = await show_contact(tx, no_said.contact_id)
    assert shown is not None
    assert [one.given for one in shown.consents] == [False]


async def test_an_address_that_was_taken_for_a_users_is_its_own_again_when_they_have_another(
    database: Database,
) -> None:
    road = Road(database)
    await road.recorder.record([did("Form Submitted", email="guest@example.com", anonymous_id="v")])
    [user] = await road.recorder.record([did("Identify", user_id="u", anonymous_id="v")])
    [contact] = await road.rows(Contact, id=user.contact_id)
    assert contact.email == "guest@example.com"

    [again] = await road.recorder.record([did("Identify", user_id="u", email="own@example.com")])

    addresses = {row.email: row.id for row in await road.rows(Contact)}
    assert set(addresses) == {"guest@example.com", "own@example.com"}
    assert again.contact_id == addresses["own@example.com"]
    assert [row.contact_id for row in await road.rows(Event, name="Form Submitted")] == [addresses["guest@example.com"]]
