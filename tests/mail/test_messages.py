from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import SecretStr
from sqlalchemy import delete
from structlog.testing import capture_logs
from temporalio.testing import ActivityEnvironment

from activities.messages import Messages
from models.contact import Consent, Contact
from models.database import Database, insert, table
from models.enrollment import Enrollment
from models.event import Event
from models.ledger import public_id
from tabiji.channels.email.links import Links
from tabiji.channels.email.smtp import SmtpRelay
from tabiji.domain.orders import SendEmail, SendOutcome
from tabiji.errors import ChannelDown, ConfigurationError, TemplateError, UnknownContact
from tabiji.settings import Settings
from tests.mail.people import ADDRESS, NOON, message, person
from tests.mail.relays import DROP, HANG, Relay, relay

SECRET = "s" * 32
LINKS = Links(SECRET, "http://127.0.0.1:8000")
T = TypeVar("T")


@dataclass
class House:
    """The activities, put together as a worker does it, with a real relay and a real database."""

    database: Database
    relay: Relay
    messages: Messages

    async def send(self, order: SendEmail, *, attempt: int = 1, span: float = 60) -> SendOutcome:
        return await _attempt(attempt, span).run(self.messages.send_email, order)


def _attempt(attempt: int = 1, span: float = 60) -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.info = replace(
        environment.info, attempt=attempt, activity_id="7", start_to_close_timeout=timedelta(seconds=span)
    )
    return environment


def _outcome(order: SendEmail, **fields: Any) -> SendOutcome:
    """It names the message, whatever became of it: conditions ask for its opens and clicks."""
    return SendOutcome(message=public_id(order.key), **fields)


def settings(**more: Any) -> Settings:
    return Settings(_env_file=None, secret=SecretStr(SECRET), **more)  # type: ignore[call-arg, unused-ignore] # pydantic-settings' own


@pytest.fixture
async def house(database: Database) -> AsyncGenerator[House]:
    async with relay() as server:
        carrier = SmtpRelay("127.0.0.1", server.port)
        yield House(database, server, Messages.of(settings(), database, carrier, secret=SECRET))
        await carrier.close()


async def test_a_mail_goes_out_complete_and_once(house: House) -> None:
    somebody = await person(house.database, attributes={"firstName": "花子"})
    order = somebody.mail()
    with capture_logs() as logs:
        assert await house.send(order)
    assert await house.send(order, attempt=2)

    [mail] = house.relay.mails
    assert house.relay.recipients == [ADDRESS]
    assert mail["Subject"] == "Your whitepaper is here"
    assert mail["From"] == "tabiji <hello@example.com>"
    name = public_id(order.key)
    assert mail["Message-ID"] == f"<{name}@example.com>"
    html = mail.get_body(("html",))
    text = mail.get_body(("plain",))
    assert html is not None
    assert text is not None
    assert "Hi 花子," in html.get_content()
    assert "Hi 花子," in text.get_content()
    assert LINKS.open(name) in html.get_content()
    assert LINKS.click(name, "https://www.example.com/pricing", 2) in html.get_content()
    way_out = LINKS.unsubscribe(somebody.id, "marketing", name)
    assert mail["List-Unsubscribe"] == f"<{way_out}>"
    assert way_out in html.get_content()
    assert way_out in text.get_content()
    assert "Example Inc., 1 Example Street" in text.get_content()

    row = await message(house.database, order.key)
    assert (row.state, row.reply, row.subject) == ("sent", "250 2.0.0 queued as 1", "Your whitepaper is here")
    assert [(entry["event"], entry["message"], entry["contact_id"]) for entry in logs] == [
        ("message.sent", name, str(somebody.id))
    ]
    assert ADDRESS not in repr(logs)
    assert "花子" not in repr(logs)


async def test_a_mail_that_waited_for_the_relay_until_night_waits_for_the_morning(house: House) -> None:
    """An order keeps the time it was given at; its retries decide by the journey time of their own moment."""
    somebody = await person(house.database)
    carrier = SmtpRelay("127.0.0.1", house.relay.port)
    night = Messages.of(settings(quiet_hours="21:00-08:00"), house.database, carrier, secret=SECRET)
    environment = _attempt(2)
    given = environment.info.scheduled_time
    environment.info = replace(environment.info, started_time=given + timedelta(hours=11))
    order = somebody.mail(tempo=1)

    sent = await environment.run(night.send_email, order)
    assert (sent.state, sent.until) == ("deferred", NOON + timedelta(hours=20))
    assert house.relay.received == []

    faster = somebody.mail(tempo=2, step="faster")
    environment.info = replace(environment.info, started_time=given + timedelta(hours=11))
    assert await environment.run(night.send_email, faster)
    await carrier.close()


async def test_what_was_sent_stays_sent_when_the_template_is_gone(house: House) -> None:
    """A reset in the Temporal UI runs old steps again, perhaps long after a template was renamed."""
    somebody = await person(house.database)
    assert await house.send(somebody.mail())
    assert await house.send(somebody.mail("no/longer/there"))
    assert len(house.relay.received) == 1


async def test_a_transactional_mail_has_no_way_out(house: House) -> None:
    somebody = await person(house.database, consent=None)
    assert await house.send(somebody.mail(topic="transactional"))
    assert house.relay.mails[0]["List-Unsubscribe"] is None
    assert b"/u/" not in house.relay.received[0]


async def test_a_missing_template_or_variable_is_an_error_before_anything_is_sent(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "trial.html").write_text("<title>x</title>{{ contact.plan }}")
    async with relay() as server:
        carrier = SmtpRelay("127.0.0.1", server.port)
        messages = Messages.of(settings(templates=tmp_path), database, carrier, secret=SECRET)
        somebody = await person(database)
        for template, problem in (("nothing", "nothing.html"), ("trial", "contact.plan is not set")):
            with pytest.raises(TemplateError, match=problem):
                await _attempt().run(messages.send_email, somebody.mail(template))
        assert server.connections == []
        await somebody.change(attributes={"plan": "pro"})
        assert await _attempt().run(messages.send_email, somebody.mail("trial"))
        await carrier.close()


async def test_a_contact_without_an_address_is_refused_not_an_error(house: House) -> None:
    somebody = await person(house.database, email=None)
    assert await house.send(somebody.mail()) == _outcome(somebody.mail(), state="refused", reason="no_address")
    other = await person(house.database, email="花子@example.jp")
    assert await house.send(other.mail()) == _outcome(other.mail(), state="refused", reason="invalid_address")


async def test_a_contact_who_was_erased_is_unknown(house: House) -> None:
    somebody = await person(house.database)
    async with house.database.write() as tx:
        for model in (Consent, Enrollment):
            await tx.execute(delete(table(model)).where(table(model).c.contact_id == somebody.id))
        await tx.execute(delete(table(Contact)).where(table(Contact).c.id == somebody.id))
    with pytest.raises(UnknownContact):
        await house.send(somebody.mail())


async def test_a_contact_who_was_merged_is_written_to_as_who_they_are_now(house: House) -> None:
    before = await person(house.database, email=None, consent=None)
    now = await person(house.database, email="now@example.jp")
    await before.change(merged_into=now.id)
    assert await house.send(before.mail())
    assert house.relay.recipients == ["now@example.jp"]


async def test_a_permanent_refusal_is_a_result(house: House) -> None:
    somebody = await person(house.database)
    house.relay.answers["rcpt"].append(f"550 5.1.1 <{ADDRESS}> is unknown")
    failed = _outcome(somebody.mail(), state="failed", reason="550 5.1.1")
    assert await house.send(somebody.mail()) == failed
    assert await house.send(somebody.mail(), attempt=2) == failed
    assert house.relay.commands == ["mail", "rcpt"]


@pytest.mark.parametrize("stage", ["rcpt", "data"])
async def test_a_relay_that_asks_for_patience_gets_it(house: House, stage: str) -> None:
    order = (await person(house.database)).mail()
    house.relay.answers[stage].append(f"451 4.7.1 {ADDRESS} greylisted")
    with pytest.raises(ChannelDown, match=r"451 4\.7\.1") as caught:
        await house.send(order)
    assert ADDRESS not in str(caught.value)
    row = await message(house.database, order.key)
    assert (row.state, row.reason) == ("retry", "451 4.7.1")

    assert await house.send(order, attempt=2)
    row = await message(house.database, order.key)
    assert (row.state, row.reason, row.maybe_twice) == ("sent", None, 0)
    assert len(house.relay.received) == 1


async def test_a_line_that_breaks_before_the_message_repeats_nothing(house: House) -> None:
    order = (await person(house.database)).mail()
    house.relay.answers["rcpt"].append(DROP)
    with pytest.raises(ChannelDown):
        await house.send(order)
    assert await house.send(order, attempt=2)
    assert len(house.relay.received) == 1
    assert (await message(house.database, order.key)).maybe_twice == 0


async def test_a_line_that_breaks_after_the_message_repeats_it_under_the_same_id(house: House) -> None:
    order = (await person(house.database)).mail()
    house.relay.answers["data"].append(DROP)
    with pytest.raises(ChannelDown, match="may or may not"):
        await house.send(order)
    assert await house.send(order, attempt=2)
    first, second = house.relay.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert (await message(house.database, order.key)).maybe_twice == 1


async def test_at_most_once_it_is_not_repeated_and_said_to_be_unknown(house: House) -> None:
    order = (await person(house.database)).mail(delivery="at_most_once")
    house.relay.answers["data"].append(DROP)
    with pytest.raises(ChannelDown):
        await house.send(order)
    outcome = await house.send(order, attempt=2)
    assert outcome.state == "unknown"
    assert len(house.relay.received) == 1


async def test_the_sending_ends_before_temporal_gives_the_attempt_up(house: House) -> None:
    """Five seconds are kept, so that nobody sends while the next attempt already does."""
    order = (await person(house.database)).mail()
    house.relay.answers["rcpt"].append(HANG)
    with pytest.raises(ChannelDown, match="too long"):
        await house.send(order, span=5.4)
    assert (await message(house.database, order.key)).state == "retry"
    house.relay.answers.clear()  # on a slow machine the time was up before the relay was asked
    assert await house.send(order, attempt=2)


async def test_sales_learns_who_why_what_and_where(house: House) -> None:
    somebody = await person(
        house.database, consent=False, attributes={"company": "旅路 <KK>", "first_name": "花子"}, score=20
    )
    async with house.database.write() as tx:
        for n in range(12):
            await tx.execute(
                insert(tx, Event).values(
                    contact_id=somebody.id,
                    kind="page",
                    name="Page Viewed",
                    properties={"path": f"/page-{n}"},
                    context={},
                    message_id=f"e{n}",
                    at=NOON,
                    recorded_at=NOON,
                )
            )
    order = somebody.notice("Looked at pricing")
    assert await _attempt().run(house.messages.notify_sales, order)
    assert await _attempt(2).run(house.messages.notify_sales, order)

    [mail] = house.relay.mails
    assert house.relay.recipients == ["sales@example.com"]
    assert mail["Subject"] == "Looked at pricing: 花子"
    assert mail["List-Unsubscribe"] is None
    html = mail.get_body(("html",))
    assert html is not None
    content = html.get_content()
    for expected in ("旅路 &lt;KK&gt;", ADDRESS, "score 20", "/page-11", "/page-2", "Looked at pricing"):
        assert expected in content
    assert "/page-1<" not in content, "the last ten are enough"
    assert f"/namespaces/default/workflows/whitepaper-nurture%2F{somebody.id}%2F1" in content
    assert "/o/" not in content
    row = await message(house.database, order.key)
    assert (row.audience, row.summary) == ("sales", "Looked at pricing")


@pytest.mark.parametrize(("name", "value"), [("sales_email", "sales"), ("mail_from", "tabiji")])
async def test_an_address_in_the_settings_that_is_none_is_named(sqlite: Database, name: str, value: str) -> None:
    carrier = SmtpRelay("127.0.0.1", 1)
    with pytest.raises(ConfigurationError, match=f"TABIJI_{name.upper()}"):
        Messages.of(settings(**{name: value}), sqlite, carrier, secret=SECRET)
