"""What journeys change about a contact: once per step, within bounds, and told as an event in the same transaction."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from models.approvals import answer, ask
from models.change import Change
from models.contact import ContactTag
from models.database import Database
from models.enrollment import Dispatch, Enrollment
from models.event import Event
from models.roster import ContactList, ListMember, StageEntry
from tabiji.domain.attributes import MOST
from tabiji.domain.changes import (
    AddToAttribute,
    AskApproval,
    Changed,
    ClearAttribute,
    Expose,
    Exposed,
    JoinList,
    LeaveList,
    LookedUp,
    LookUp,
    SetAttribute,
    SetStage,
    Untag,
)
from tabiji.domain.journeys import always
from tabiji.domain.orders import AdjustScore, Done, Score, StepOrder, TagContact
from tabiji.domain.triggers import attribute_changed, score_reached, tag_added
from tabiji.errors import InvalidChange, InvalidEvent, UnknownContact, UnknownSegment
from tests.actions.doing import doing
from tests.mail.people import NOON
from tests.road.parts import Road, did, spec, waits_for


async def test_every_change_is_made_once_answers_the_same_again_and_is_told_once(database: Database) -> None:
    """Each of these would be wrong the second time: the attempt before was cut off after its commit."""
    it = await doing(database, attributes={"visits": 2, "old": "x"})
    answers: list[tuple[StepOrder, Any]] = [
        (it.order(TagContact, tag="vip"), Done()),
        (it.order(Untag, tag="vip"), Changed(changed=True)),
        (it.order(JoinList, list="news"), Changed(changed=True)),
        (it.order(LeaveList, list="news"), Changed(changed=True)),
        (it.order(SetAttribute, name="plan", value="pro"), Changed(changed=True, value="pro")),
        (it.order(AddToAttribute, name="visits", amount=0.5), Changed(changed=True, value=2.5)),
        (it.order(ClearAttribute, name="old"), Changed(changed=True)),
        (it.order(SetStage, stage="mql"), Changed(changed=True, value="mql")),
        (it.order(AdjustScore, points=20, reason="looked at pricing"), Score(total=20)),
    ]

    for attempt in (1, 2):
        for order, expected in answers:
            assert await it.carry_out(order, attempt=attempt) == expected

    assert [(row.name, row.properties) for row in await it.changes()] == [
        ("Tag Added", {"tag": "vip"}),
        ("Tag Removed", {"tag": "vip"}),
        ("List Joined", {"list": "news"}),
        ("List Left", {"list": "news"}),
        ("Attribute Changed", {"name": "plan", "before": None, "after": "pro"}),
        ("Attribute Changed", {"name": "visits", "before": 2, "after": 2.5}),
        ("Attribute Changed", {"name": "old", "before": "x", "after": None}),
        ("Stage Changed", {"before": None, "after": "mql"}),
        ("Score Changed", {"before": 0, "after": 20, "points": 20, "reason": "looked at pricing"}),
    ]
    contact = await it.contact()
    assert (contact.attributes, contact.stage, contact.score) == ({"visits": 2.5, "plan": "pro"}, "mql", 20)
    assert await it.road.count(ContactTag) == await it.road.count(ListMember) == 0
    assert [row.name for row in await it.road.rows(ContactList)] == ["news"]
    assert [(row.before, row.stage, row.at) for row in await it.road.rows(StageEntry)] == [(None, "mql", NOON)]


async def test_what_is_so_already_is_no_change_and_is_not_told(sqlite: Database) -> None:
    it = await doing(sqlite, attributes={"plan": "pro", "yes": True}, timezone="Asia/Tokyo")
    await it.carry_out(it.order(TagContact, tag="vip"))
    told = len(await it.changes())

    again = [
        it.order(SetAttribute, name="plan", value="pro"),
        it.order(SetAttribute, step="zone", name="timezone", value="Asia/Tokyo"),
        it.order(ClearAttribute, name="never there"),
        it.order(Untag, tag="never there"),
        it.order(LeaveList, list="never there"),
    ]
    assert [(await it.carry_out(order)).changed for order in again] == [False] * len(again)
    await it.carry_out(it.order(TagContact, step="again", tag="vip"))
    assert len(await it.changes()) == told
    # A yes is no 1.
    assert (await it.carry_out(it.order(SetAttribute, step="one", name="yes", value=1))).changed


async def test_timezone_and_locale_are_checked_and_have_columns_of_their_own(sqlite: Database) -> None:
    it = await doing(sqlite)
    await it.carry_out(it.order(SetAttribute, step="zone", name="timezone", value="Asia/Tokyo"))
    await it.carry_out(it.order(SetAttribute, step="locale", name="locale", value="ja-JP"))

    contact = await it.contact()
    assert (contact.timezone, contact.locale, contact.attributes) == ("Asia/Tokyo", "ja-JP", {})
    look = it.order(LookUp, what="attribute", name="timezone")
    assert await it.carry_out(look) == LookedUp(value="Asia/Tokyo")


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"name": "timezone", "value": "Moon/Base"}, "is not an IANA time zone"),
        ({"name": "locale", "value": "日本語"}, "is not a language tag"),
        ({"name": "email", "value": "a@example.com"}, "says who somebody is"),
        ({"name": "x" * 101, "value": "花子"}, "at most 100 characters"),
        ({"name": " ", "value": "花子"}, "must not be empty"),
        ({"name": "bio", "value": "x" * 40_000}, "32768 characters"),
        ({"name": "nul", "value": {"deep": ["\x00"]}}, "no character a database can keep"),
        ({"name": "big", "value": 2**70}, "number a database cannot keep"),
    ],
    ids=["zone", "locale", "identity", "long", "empty", "large", "no text", "no number"],
)
async def test_what_cannot_be_kept_is_refused_for_good_and_says_why(
    sqlite: Database, fields: dict[str, Any], what: str
) -> None:
    it = await doing(sqlite)
    with pytest.raises(InvalidChange, match=what) as refused:
        await it.carry_out(it.order(SetAttribute, **fields))
    assert not refused.value.retryable
    assert str(fields["value"])[:20] not in str(refused.value)
    assert await it.changes() == []


async def test_a_contact_has_so_many_attributes_and_no_more_whoever_writes_them(sqlite: Database) -> None:
    it = await doing(sqlite, attributes={f"a{place}": place for place in range(MOST)})
    with pytest.raises(InvalidChange, match="at most 200"):
        await it.carry_out(it.order(SetAttribute, name="one more", value=1))
    with pytest.raises(InvalidEvent, match="at most 200"):
        await it.road.recorder.record([did("Identified", contact_id=it.who.id, traits={"one more": 1})])

    await it.carry_out(it.order(SetAttribute, step="one of them", name="a1", value="new"))
    await it.carry_out(it.order(ClearAttribute, name="a2"))
    await it.carry_out(it.order(SetAttribute, step="now", name="one more", value=1))


async def test_nothing_is_added_to_what_is_no_number(sqlite: Database) -> None:
    it = await doing(sqlite, attributes={"name": "花子", "yes": True, "tenth": 0.1})
    for name in ("name", "yes"):
        with pytest.raises(InvalidChange, match="is no number"):
            await it.carry_out(it.order(AddToAttribute, step=name, name=name, amount=1))
    assert (await it.carry_out(it.order(AddToAttribute, step="none", name="none", amount=3))).value == 3
    assert (await it.carry_out(it.order(AddToAttribute, step="tenth", name="tenth", amount=0.2))).value == 0.3


async def test_a_change_starts_journeys_and_ends_waits_in_the_transaction_that_makes_it(database: Database) -> None:
    vip = spec("vip-welcome", trigger=None, goals=())
    it = await doing(database, vip.model_copy(update={"triggers": (tag_added("vip"),)}))
    await it.road.waits.listen(waits_for(it.who.enrollment, it.who.id, tag_added("vip")))

    await it.carry_out(it.order(TagContact, tag="vip"), waited=timedelta(minutes=3))
    await it.carry_out(it.order(TagContact, tag="vip"), attempt=2)

    (begun,) = [row for row in await it.road.rows(Enrollment) if row.journey == "vip-welcome"]
    assert begun.entered_at == NOON + timedelta(minutes=3)
    assert {(row.enrollment_id, row.kind) for row in await it.road.rows(Dispatch)} == {
        (it.who.enrollment, "signal"),
        (begun.id, "start"),
    }
    assert len(it.road.outbox.pending) == 2


async def test_a_rehearsal_starts_rehearsals(sqlite: Database) -> None:
    it = await doing(sqlite, spec("vip-welcome", trigger="Tag Added", goals=()))
    await it.carry_out(it.order(TagContact, tag="vip", test=True, tempo=500.0))

    (begun,) = [row for row in await it.road.rows(Enrollment) if row.journey == "vip-welcome"]
    assert (begun.test, begun.tempo) == (True, 500.0)


async def test_an_identify_tells_of_what_it_changes_and_of_nothing_else(database: Database) -> None:
    upgrade = spec("upgrade", trigger=None, goals=(), reentry=always)
    road = Road(database, upgrade.model_copy(update={"triggers": (attribute_changed("plan", to="pro"),)}))
    first = did("Identified", message_id="m1", traits={"plan": "free", "city": "大阪", "timezone": "Asia/Tokyo"})
    later = did("Identified", message_id="m2", traits={"plan": "pro", "city": "大阪", "timezone": "Asia/Tokyo"})

    await road.recorder.record([first])
    assert await road.count(Enrollment) == 0
    await road.recorder.record([later])
    await road.recorder.record([later])
    await road.recorder.record([first])

    told = [(row.message_id, row.properties) for row in await road.rows(Event, kind="change")]
    assert told == [
        ("change:m1:Attribute Changed:plan", {"name": "plan", "before": None, "after": "free"}),
        ("change:m1:Attribute Changed:city", {"name": "city", "before": None, "after": "大阪"}),
        ("change:m1:Attribute Changed:timezone", {"name": "timezone", "before": None, "after": "Asia/Tokyo"}),
        ("change:m2:Attribute Changed:plan", {"name": "plan", "before": "free", "after": "pro"}),
    ]
    assert await road.count(Enrollment) == 1


async def test_a_long_key_makes_an_id_a_database_keeps(database: Database) -> None:
    it = await doing(database)
    await it.carry_out(it.order(TagContact, step="x" * 190, tag="花" * 100))
    await it.carry_out(it.order(SetAttribute, step="y" * 190, name="花" * 100, value="long" * 500))

    tagged, changed = await it.changes()
    assert max(len(tagged.message_id), len(changed.message_id)) <= 256
    assert changed.properties == {"name": "花" * 100, "before": None}


async def test_points_from_many_steps_at_once_add_up_and_a_threshold_is_crossed_once(database: Database) -> None:
    it = await doing(
        database, spec("hot", trigger=None, goals=()).model_copy(update={"triggers": (score_reached(50),)})
    )
    orders = [it.order(AdjustScore, step=f"s{place}", points=10, reason="x") for place in range(8)]
    totals = await asyncio.gather(*(it.carry_out(order) for order in orders))

    assert sorted(total.total for total in totals) == [10, 20, 30, 40, 50, 60, 70, 80]
    assert len([row for row in await it.road.rows(Enrollment) if row.journey == "hot"]) == 1


async def test_of_many_answers_at_once_one_counts_and_all_others_hear_whose(database: Database) -> None:
    it = await doing(database)
    question = it.order(AskApproval, question="Sure?", who="sales", until=NOON + timedelta(days=36500))

    async def asking(change: Change) -> UUID:
        return await ask(change, question)

    asked = await it.road.recorder.change(it.who.id, asking, source=question.key)
    given = await asyncio.gather(
        *(
            answer(database, it.road.recorder, asked, approved=place % 2 == 0, by=f"p{place}", wall=datetime.now(UTC))
            for place in range(6)
        )
    )

    (first,) = [one.approval for one in given if one.counted]
    assert {(one.approval.state, one.approval.answered_by) for one in given} == {(first.state, first.answered_by)}
    (told,) = await it.changes()
    assert (told.name, told.properties["by"]) == ("Approval Answered", first.answered_by)


async def test_what_is_known_can_be_read_and_what_is_not_says_so(sqlite: Database) -> None:
    it = await doing(sqlite, attributes={"plan": "pro"}, score=12)
    await it.carry_out(it.order(TagContact, tag="vip"))
    await it.carry_out(it.order(JoinList, list="news"))
    await it.carry_out(it.order(SetStage, stage="mql"))

    async def read(what: str, name: str = "") -> Any:
        return (await it.carry_out(it.order(LookUp, what=what, name=name))).value

    assert [await read("attribute", "plan"), await read("attribute", "none")] == ["pro", None]
    assert [await read("tag", "vip"), await read("tag", "no")] == [True, False]
    assert [await read("list", "news"), await read("list", "no")] == [True, False]
    assert [await read("score"), await read("stage")] == [12, "mql"]
    with pytest.raises(UnknownSegment, match="no segments yet"):
        await read("segment", "hot")
    with pytest.raises(InvalidChange, match="histories"):
        await read("attribute", "email")


async def test_an_arm_is_for_good_whatever_the_weights_become(database: Database) -> None:
    it = await doing(database)
    asked = it.order(Expose, experiment="nudge", arms=("email", "sms"), weights=(1.0, 0.0))
    assert await it.carry_out(asked) == Exposed(arm="email")
    turned = it.order(Expose, step="other", experiment="nudge", arms=("email", "sms"), weights=(0.0, 1.0))
    assert await it.carry_out(turned) == Exposed(arm="email")
    with pytest.raises(InvalidChange, match="above 0"):
        await it.carry_out(it.order(Expose, experiment="other", arms=("a",), weights=(0.0,)))


async def test_nothing_can_be_done_about_somebody_who_is_gone(sqlite: Database) -> None:
    it = await doing(sqlite)
    order = it.order(TagContact, tag="vip").model_copy(update={"contact_id": "00000000-0000-0000-0000-000000000001"})
    with pytest.raises(UnknownContact):
        await it.carry_out(order)
