"""What a broadcast does with each person, turn by turn, against a real relay."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from models.contact import Contact
from models.database import Database, table
from models.merge import everything_to
from models.message import Message
from models.pause import Scope
from models.pauses import Pauses
from models.roster import ListMember
from tabiji.domain.broadcasts import Place, State
from tests.broadcasts.hall import NOON, Hall, addresses, crowd, hall


async def test_everybody_on_the_list_gets_one_mail_and_a_second_look_sends_nothing(on_either: Hall) -> None:
    house, to = on_either, addresses(250)
    await crowd(house.database, to)
    id = await house.create()
    await house.finish(id)

    assert house.got() == dict.fromkeys(to, 1)
    shown = await house.show(id)
    assert (shown.state, shown.total) == ("done", 250)
    assert (shown.progress.sent, shown.progress.left, shown.progress.refused) == (250, 0, {})
    [row, *_] = await house.messages(id)
    assert row.key == f"broadcast/{id}/{row.contact_id}"
    assert (row.enrollment_id, row.relay) != (None, None)
    assert len({mail["Message-ID"] for mail in house.relay.mails}) == 250
    house.orders.clear()
    assert (await house.turn(id)).over
    assert len(house.relay.received) == 250


async def test_who_may_not_be_written_to_is_refused_with_the_reason_and_stops_nobody(house: Hall) -> None:
    await crowd(house.database, addresses(3))
    await crowd(house.database, ["no@example.jp"], consent=False)
    await crowd(house.database, [None, "花子@example.jp"])
    id = await house.create()
    found = await house.desk.row(id)
    assert found is not None
    await house.finish(id)

    progress = (await house.show(id)).progress
    assert progress.sent == 3
    assert progress.refused == {"no_consent": 1, "no_address": 1, "invalid_address": 1}
    assert progress.left == 0


async def test_one_address_the_relay_refuses_is_that_persons_end_and_is_suppressed(house: Hall) -> None:
    await crowd(house.database, addresses(1))
    await house.finish(await house.create())
    await crowd(house.database, ["gone@example.jp"])
    house.relay.answers["rcpt"].append("550 5.1.1 no such user")
    id = await house.create(name="first")
    await house.finish(id)
    assert (await house.show(id)).progress.failed == 1
    second = await house.create(name="second")
    await house.finish(second)
    assert (await house.show(second)).progress.refused == {"suppressed: hard_bounce": 1}


async def test_who_is_asked_to_come_back_later_is_tried_again_and_the_others_are_not(house: Hall) -> None:
    to = addresses(8)
    await crowd(house.database, to)
    house.relay.answers["rcpt"].extend(["451 4.7.1 later"] * 2)
    id = await house.create()
    turn = await house.run(id)
    assert timedelta(0) < turn.wait <= timedelta(minutes=1)
    assert (await house.show(id)).progress.retry == 2
    await house.finish(id)
    assert house.got() == dict.fromkeys(to, 1)


async def test_a_relay_that_is_away_stops_the_turn_and_not_the_broadcast(house: Hall) -> None:
    to = addresses(250)
    await crowd(house.database, to)
    house.relay.answers["mail"].extend(["451 4.3.0 not now"] * 250)
    id = await house.create()
    turn = await house.run(id)
    assert turn.says.startswith("the relay: ")
    assert 50 <= len(house.relay.answers["mail"]) < 250, "it has not gone through all of them"
    house.relay.answers.clear()
    await house.finish(id)
    assert house.got() == dict.fromkeys(to, 1)


async def test_a_connection_that_breaks_after_data_is_repeated_under_the_same_message_id(house: Hall) -> None:
    to = addresses(1)
    await crowd(house.database, to)
    house.relay.answers["data"].append("drop")
    id = await house.create()
    turn = await house.run(id)
    assert turn.wait >= timedelta(minutes=2), "after the lease"
    messages = table(Message)
    async with house.database.write() as tx:
        past = datetime.now(NOON.tzinfo) - timedelta(seconds=1)
        await tx.execute(update(messages).values(lease_until=past))
    await house.finish(id)
    assert house.got() == {to[0]: 2}
    assert len({mail["Message-ID"] for mail in house.relay.mails}) == 1
    [row] = await house.messages(id)
    assert (row.state, row.maybe_twice) == ("sent", 1)


# Letters that cannot be written


def _templates(folder: Path, body: str) -> Path:
    (folder / "email" / "sale").mkdir(parents=True, exist_ok=True)
    (folder / "email" / "sale" / "spring.html").write_text(
        f"<html><head><title>Sale</title></head><body><p>{body}</p>"
        '<a href="{{ unsubscribe_url }}">Unsubscribe</a></body></html>'
    )
    return folder


async def test_a_letter_that_cannot_be_written_to_one_is_that_persons_refusal(sqlite: Database, tmp_path: Path) -> None:
    templates = _templates(tmp_path, "{{ contact.plan }}")
    async with hall(sqlite, templates) as house:
        await crowd(sqlite, ["bad@example.jp"])
        await crowd(sqlite, addresses(5), plan="pro")
        id = await house.create(template="sale/spring", rate=1)
        for _ in range(10):
            if (await house.run(id)).over:
                break
        progress = (await house.show(id)).progress
        assert progress.sent == 5
        [reason] = progress.refused
        assert reason.startswith("template: ")
        assert "contact.plan" in reason


async def test_a_template_broken_for_everybody_pauses_the_broadcast_and_refuses_nobody(
    sqlite: Database, tmp_path: Path
) -> None:
    templates = _templates(tmp_path, "{{ broken }}")
    async with hall(sqlite, templates) as house:
        to = addresses(30)
        await crowd(sqlite, to)
        id = await house.create(template="sale/spring")
        await house.run(id)
        shown = await house.show(id)
        assert shown.paused
        assert "broken is not set" in (shown.paused_because or "")
        assert await house.messages(id) == []
    _templates(tmp_path, "mended")
    async with hall(sqlite, templates) as house:
        await house.desk.resume(id, by="test")
        await house.finish(id)
        assert house.got() == dict.fromkeys(to, 1)


# Pauses and the end


@pytest.mark.parametrize("everything", [True, False])
async def test_a_pause_stops_it_and_when_it_is_over_it_goes_on_where_it_was(house: Hall, everything: bool) -> None:
    to = addresses(3)
    await crowd(house.database, to)
    id = await house.create()
    await house.turn(id)
    pauses = Pauses(house.database, house.clock)
    scope, target = (Scope.EVERYTHING, "") if everything else (Scope.BROADCAST, str(id))
    pause, _ = await pauses.pause(scope, target, by="ops", reason="wrong price")
    assert (await house.run(id)).says == "paused"
    shown = await house.show(id)
    assert (shown.paused, shown.paused_because) == (True, "wrong price")
    assert not house.relay.received
    await pauses.resume(pause, by="ops")
    await house.finish(id)
    assert house.got() == dict.fromkeys(to, 1)


async def test_who_is_paused_as_a_person_does_not_hold_the_others_up(house: Hall) -> None:
    to = addresses(3)
    paused, *_ = await crowd(house.database, to)
    pauses = Pauses(house.database, house.clock)
    pause, _ = await pauses.pause(Scope.CONTACT, str(paused), by="ops", reason=None)
    id = await house.create()
    assert (await house.run(id)).wait == timedelta(minutes=10)
    assert house.got() == dict.fromkeys(to[1:], 1)
    await pauses.resume(pause, by="ops")
    await house.finish(id)
    assert house.got() == dict.fromkeys(to, 1)


async def test_a_cancelled_broadcast_sends_no_more_and_what_waited_is_dropped(house: Hall) -> None:
    await crowd(house.database, addresses(2))
    house.relay.answers["rcpt"].append("451 4.7.1 later")
    id = await house.create()
    await house.run(id)
    await house.desk.cancel(id, by="ops")
    assert (await house.run(id)).over
    shown = await house.show(id)
    assert shown.state == State.CANCELLED
    assert (shown.progress.sent, shown.progress.refused) == (1, {"cancelled": 1})


# When


async def test_it_begins_at_its_time(house: Hall) -> None:
    await crowd(house.database, addresses(1))
    id = await house.create(at=NOON + timedelta(hours=5))
    assert (await house.run(id)).wait == timedelta(hours=5)
    assert not house.relay.received
    await house.finish(id)
    assert house.clock.at == NOON + timedelta(hours=5)


async def test_each_gets_it_on_their_own_morning(house: Hall) -> None:
    """Nine in Tokyo is midnight UTC, in New York two in the afternoon; who has no zone has the house's."""
    await crowd(house.database, ["tokyo@example.jp"], zone="Asia/Tokyo")
    await crowd(house.database, ["york@example.jp"], zone="America/New_York")
    await crowd(house.database, ["here@example.jp"])
    id = await house.create(local_at=datetime.fromisoformat("2026-03-03T09:00"))
    arrived: dict[str, datetime] = {}
    for _ in range(10):
        turn = await house.run(id)
        for address in house.got().keys() - arrived.keys():
            arrived[address] = house.clock.at
        if turn.over:
            break
        house.clock.at += turn.wait
    assert arrived == {
        "tokyo@example.jp": datetime(2026, 3, 3, 0, tzinfo=NOON.tzinfo),
        "here@example.jp": datetime(2026, 3, 3, 9, tzinfo=NOON.tzinfo),
        "york@example.jp": datetime(2026, 3, 3, 14, tzinfo=NOON.tzinfo),
    }


async def test_who_sleeps_is_taken_again_in_the_morning_and_dropped_where_that_is_too_late(sqlite: Database) -> None:
    async with hall(sqlite, quiet_hours="21:00-08:00") as house:
        await crowd(sqlite, addresses(2))
        await crowd(sqlite, ["tokyo@example.jp"], zone="Asia/Tokyo")  # nine in the evening there
        id = await house.create()
        turn = await house.run(id)
        assert turn.wait == timedelta(hours=11)
        progress = (await house.show(id)).progress
        assert (progress.sent, progress.deferred, progress.left) == (2, 1, 1)
        await house.finish(id)
        assert (await house.show(id)).progress.sent == 3

        hasty = await house.create(name="hasty", delay=timedelta(hours=1), at=NOON + timedelta(days=1))
        house.clock.at = NOON + timedelta(days=1)
        await house.finish(hasty)
        assert (await house.show(hasty)).progress.refused == {"too late: quiet hours": 1}


async def test_a_rate_is_kept(house: Hall) -> None:
    await crowd(house.database, addresses(21))
    id = await house.create(rate=40)
    begun = time.monotonic()
    await house.finish(id)
    assert time.monotonic() - begun >= 20 / 40


# Who


async def test_recipients_are_fixed_when_it_begins(house: Hall) -> None:
    """Who joins the list afterwards does not get it; who leaves it does, unless they take their consent back."""
    leaver, *_ = await crowd(house.database, addresses(2))
    id = await house.create()
    await house.turn(id)  # they are written down
    await crowd(house.database, ["late@example.jp"])
    members = table(ListMember)
    async with house.database.write() as tx:
        await tx.execute(delete(members).where(members.c.contact_id == leaver))
    await house.finish(id)
    assert house.got() == dict.fromkeys(addresses(2), 1)


async def _merge(database: Database, loser: UUID, winner: UUID) -> None:
    contacts = table(Contact)
    async with database.write() as tx:
        row = (await tx.execute(select(contacts).where(contacts.c.id == loser))).one()
        await everything_to(tx, row, winner, at=NOON, recorded_at=NOON)


@pytest.mark.parametrize("earlier_wins", [True, False])
@pytest.mark.parametrize("when", ["before", "between"])
async def test_who_turns_out_to_be_one_person_gets_one_mail(on_either: Hall, when: str, earlier_wins: bool) -> None:
    house = on_either
    people = await crowd(house.database, addresses(3))
    earlier, later = people[0], people[2]
    winner, loser = (earlier, later) if earlier_wins else (later, earlier)
    id = await house.create(rate=1)
    await house.turn(id)
    if when == "between":
        messages = table(Message)
        async with house.database.write() as tx:  # one has had it, and is merged into one who has not
            await tx.execute(messages.insert().values(**_had(id, loser)))
    await _merge(house.database, loser, winner)
    for _ in range(10):
        if (await house.run(id)).over:
            break
    kept = addresses(3)[0 if earlier_wins else 2]
    mails = {addresses(3)[1]: 1} | ({kept: 1} if when == "before" else {})
    assert house.got() == mails
    assert (await house.show(id)).state == "done"


def _had(id: UUID, contact: UUID) -> dict[str, object]:
    key = f"broadcast/{id}/{contact}"
    return {
        "key": key,
        "public_id": key[-32:],
        "broadcast_id": id,
        "contact_id": contact,
        "step": "broadcast",
        "visit": 1,
        "audience": "contact",
        "channel": "email",
        "template": "whitepaper/welcome",
        "state": "sent",
        "token": "t",
        "run_id": "r",
        "activity_id": "1",
        "attempt": 1,
        "lease_until": NOON,
        "priority": 0,
        "asked_at": NOON,
        "deferrals": 0,
        "maybe_twice": 0,
        "test": False,
        "at": NOON,
        "recorded_at": NOON,
    }


async def test_somebody_passed_over_is_found_at_the_end(house: Hall) -> None:
    """As when they stand, after a merge, where the broadcast has already been."""
    to = addresses(2)
    people = await crowd(house.database, to)
    id = await house.create()
    await house.turn(id)
    last = Place(due=NOON + timedelta(seconds=1), contact_id=str(people[-1]))
    house.orders[id] = house.orders[id].model_copy(update={"after": last})
    house.clock.at += timedelta(seconds=2)
    await house.finish(id)
    assert house.got() == dict.fromkeys(to, 1)
