"""People's answers: an event, a task with what they wrote, and no marketing until somebody has dealt with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from activities.notices import Notices
from activities.teams import Teams
from models.contact import Consent, Contact
from models.database import Database
from models.event import Event
from models.returns import Rules
from models.standing import standings
from models.tasks import finish_task
from tabiji.channels.carrier import TemporaryFailure
from tabiji.channels.email.compose import Mail, Mailbox
from tabiji.domain.sending.house import House as Ways
from tests.inbound.house import DOMAIN, NOW, OURS, House, open_house
from tests.inbound.mails import answer


async def test_an_answer_becomes_an_event_a_task_and_a_pause(house: House) -> None:
    public_id = await house.mailed("hanako@example.jp")

    await house.deliver(answer("Could you call me on Monday?"), OURS.reply(public_id), sender="hanako@example.jp")

    assert await house.events() == ["Email Replied"]
    assert (await house.message(public_id)).replied_at == NOW
    [task] = await house.tasks()
    assert (task.kind, task.who, task.text) == ("reply", "sales", "Could you call me on Monday?")
    assert task.pauses_until == NOW + timedelta(days=7)


@pytest.mark.parametrize("way", ["envelope", "in-reply-to", "references"])
async def test_an_answer_is_recognised_by_whatever_it_carries(house: House, way: str) -> None:
    public_id = await house.mailed("hanako@example.jp")
    to = OURS.bounce(public_id) if way == "envelope" else f"replies@{DOMAIN}"
    headers = {"in-reply-to": "In-Reply-To", "references": "References"}
    header = {headers[way]: f"<{public_id}@shop.example>"} if way in headers else {}

    await house.deliver(answer("Yes, please.", **header), to, sender="hanako@example.jp")

    assert await house.events() == ["Email Replied"]
    assert len(await house.tasks()) == 1


async def test_nothing_of_what_was_written_gets_into_the_event(house: House) -> None:
    public_id = await house.mailed("hanako@example.jp")
    await house.deliver(answer("my secret"), OURS.reply(public_id), sender="hanako@example.jp")

    [event] = await house.rows(Event)
    assert event.properties == {"message": public_id, "template": "demo/invitation"}
    assert [row.content for row in await house.kept()] == [None]


async def test_two_answers_are_two_tasks_and_the_same_one_twice_is_one(house: House) -> None:
    public_id = await house.mailed("hanako@example.jp")
    first, second = answer("one", id="1"), answer("two", id="2")

    for mail in (first, second, first):
        await house.deliver(mail, OURS.reply(public_id), sender="hanako@example.jp")

    assert sorted(task.text for task in await house.tasks()) == ["one", "two"]


@pytest.mark.parametrize(
    "text", ["unsubscribe", "Please unsubscribe me.", "STOP", "配信停止", "配信停止をお願いします。"]
)
async def test_who_writes_only_that_they_want_no_more_gets_no_more(house: House, text: str) -> None:
    public_id = await house.mailed("hanako@example.jp")

    await house.deliver(answer(text), OURS.reply(public_id), sender="hanako@example.jp")

    assert await house.events() == ["Unsubscribed"]
    [consent] = await house.rows(Consent)
    assert (consent.given, consent.topic, consent.source) == (False, "marketing", "reply")
    assert await house.tasks() == []
    assert (await house.message(public_id)).unsubscribed_at == NOW


async def test_who_writes_more_than_that_is_read_by_a_person(house: House) -> None:
    public_id = await house.mailed("hanako@example.jp")
    words = "Please do not unsubscribe me, I only want fewer mails."

    await house.deliver(answer(words), OURS.reply(public_id), sender="hanako@example.jp")

    assert [task.text for task in await house.tasks()] == [words]


async def test_marketing_pauses_until_the_task_is_done(house: House) -> None:
    contact = await house.contact("hanako@example.jp")
    public_id = await house.sent(contact, "hanako@example.jp")
    await house.deliver(answer("Hello?"), OURS.reply(public_id), sender="hanako@example.jp")

    assert await _paused_until(house) == NOW + timedelta(days=7)
    [task] = await house.tasks()
    await finish_task(house.database, house.recorder, task.id, by="sato")
    assert await _paused_until(house) is None


async def test_marketing_does_not_pause_where_the_house_does_not_want_it(house: House) -> None:
    house.rules = replace(Rules(), pause=None)
    public_id = await house.mailed("hanako@example.jp")

    await house.deliver(answer("Hello?"), OURS.reply(public_id), sender="hanako@example.jp")

    assert await _paused_until(house) is None


async def test_an_answer_in_a_rehearsal_is_told_to_nobody_and_pauses_nothing(house: House) -> None:
    public_id = await house.mailed("hanako@example.jp", test=True)

    await house.deliver(answer("Hello?"), OURS.reply(public_id), sender="hanako@example.jp")

    [task] = await house.tasks()
    assert (task.test, task.tell_at, task.pauses_until) == (True, None, None)
    assert await house.events() == ["Email Replied"]


async def test_who_answers_a_notice_to_the_team_is_no_contact_who_answered(house: House) -> None:
    contact = await house.contact("hanako@example.jp")
    public_id = await house.sent(contact, "sales@shop.example", audience="sales")

    await house.deliver(answer("I take this one"), OURS.reply(public_id), sender="sato@shop.example")

    assert await house.events() == []
    assert await house.tasks() == []


class Relay:
    """Takes mails, or does not."""

    def __init__(self, *fails: Exception) -> None:
        self.fails = list(fails)
        self.taken: list[Mail] = []

    async def send(self, mail: Mail, *, within: timedelta) -> str:
        assert within > timedelta(0)
        if self.fails:
            raise self.fails.pop(0)
        self.taken.append(mail)
        return "250 ok"


def _notices(house: House, relay: Relay) -> Notices:
    sender = Mailbox("Shop", "hello@shop.example")
    return Notices(house.database, relay, Teams({"sales": "sales@shop.example"}), sender, "https://shop.example")


async def test_the_team_is_told_once_what_was_written_and_answers_the_person(house: House) -> None:
    public_id = await house.mailed("hanako@example.jp")
    await house.deliver(answer("Could you call me?\n\n> old"), OURS.reply(public_id), sender="hanako@example.jp")
    relay = Relay()

    assert await _notices(house, relay).look() == 1
    assert await _notices(house, relay).look() == 0

    [mail] = relay.taken
    assert mail.recipient == "sales@shop.example"
    assert b"Could you call me?" in mail.content
    assert b"> old" not in mail.content
    assert b"Reply-To: hanako@example.jp" in mail.content
    assert b"Auto-Submitted: auto-generated" in mail.content


async def test_a_notice_the_relay_does_not_take_is_kept_for_later(house: House) -> None:
    public_id = await house.mailed("hanako@example.jp")
    await house.deliver(answer("Hello?"), OURS.reply(public_id), sender="hanako@example.jp")
    relay = Relay(TemporaryFailure("450"))

    await _notices(house, relay).look()

    [task] = await house.tasks()
    assert relay.taken == []
    assert task.tries == 1
    assert task.tell_at is not None


async def _paused_until(house: House) -> object:
    contacts = await house.rows(Contact)
    async with house.database.read() as tx:
        known = await standings(tx, contacts, Ways(zone=ZoneInfo("UTC")), topics=["marketing"])
    return known[contacts[0].id].replied


async def test_an_answer_and_its_notice_on_both_databases(database: Database) -> None:
    async with open_house(database) as house:
        public_id = await house.mailed("hanako@example.jp")
        mail = answer("Could you call me?")
        for _ in range(2):
            await house.deliver(mail, OURS.reply(public_id), sender="hanako@example.jp")
        relay = Relay()

        told = [await _notices(house, relay).look() for _ in range(2)]

        assert told == [1, 0]
        assert len(relay.taken) == 1
        assert await _paused_until(house) == NOW + timedelta(days=7)
        assert await house.events() == ["Email Replied"]
