"""Telling and asking the team: by mail, once, to an address from the settings."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from activities.approvals import Approvals
from activities.messages import Messages
from activities.post import Post
from activities.teams import Teams
from models.approval import Approval
from models.database import Database
from tabiji.channels.email.smtp import SmtpRelay
from tabiji.domain.changes import AskApproval, Asked, NotifyTeam
from tabiji.errors import ConfigurationError, UnknownTeam
from tests.actions.doing import Doing, doing, environment
from tests.mail.people import NOON, message
from tests.mail.relays import Relay, relay
from tests.mail.test_messages import LINKS, SECRET, settings

TEAMS = {"support": "support@example.com"}


@dataclass
class Office:
    """A post office with a real relay."""

    it: Doing
    relay: Relay
    post: Post
    teams: Teams

    async def ask(self, order: AskApproval, **attempt: Any) -> Asked:
        activity = Approvals(self.it.road.recorder, self.post, self.teams, ZoneInfo("Asia/Tokyo")).ask_approval
        asked: Asked = await environment(**attempt).run(activity, order)
        return asked


@pytest.fixture
async def office(sqlite: Database) -> AsyncGenerator[Office]:
    async with relay() as server:
        carrier = SmtpRelay("127.0.0.1", server.port)
        post = Post.of(settings(), sqlite, carrier, secret=SECRET)
        yield Office(await doing(sqlite, attributes={"name": "花子"}), server, post, Teams.of(settings(teams=TEAMS)))
        await carrier.close()


async def test_a_team_is_told_once_in_the_authors_words(office: Office) -> None:
    tell = Messages(office.post, office.teams).notify
    order = office.it.order(NotifyTeam, team="support", text="Waits for an answer since Monday")

    for attempt in (1, 2):
        sent = await environment(attempt=attempt).run(tell, order)
        assert (sent.state, bool(sent.message)) == ("sent", True)

    (mail,) = office.relay.mails
    assert office.relay.recipients == ["support@example.com"]
    assert mail["Subject"] == "Waits for an answer since Monday: 花子"
    assert (await message(office.it.road.database, order.key)).audience == "team"


async def test_a_team_nobody_has_an_address_of_waits_until_somebody_adds_it(office: Office) -> None:
    with pytest.raises(UnknownTeam, match=r"legal.*Known: sales, support") as unknown:
        await environment().run(
            Messages(office.post, office.teams).notify, office.it.order(NotifyTeam, team="legal", text="x")
        )
    assert unknown.value.retryable
    with pytest.raises(ConfigurationError, match="TABIJI_TEAMS"):
        Teams.of(settings(teams={"legal": "nobody"}))


async def test_a_question_is_written_down_and_mailed_once_with_a_link_to_its_page(office: Office) -> None:
    order = office.it.order(AskApproval, question="May we send the offer?", who="support", until=NOON)
    office.relay.answers["data"].append("451 4.3.0 later")

    with pytest.raises(Exception, match="not taken"):
        await office.ask(order)
    asked = await office.ask(order, attempt=2)
    assert await office.ask(order, attempt=3) == asked

    (row,) = await office.it.road.rows(Approval)
    assert (str(row.id), row.state, row.question, row.until) == (asked.approval, "open", order.question, NOON)
    (mail,) = office.relay.mails
    text = mail.get_body(("plain",))
    assert text is not None
    assert LINKS.approval(row.id) in text.get_content()
    assert "2026-03-01 21:00 JST" in text.get_content()


async def test_who_cannot_be_mailed_is_asked_all_the_same(office: Office) -> None:
    """The console shows the question; a mail that bounces must not hold the journey up."""
    office.relay.answers["rcpt"].append("550 5.1.1 unknown")
    order = office.it.order(AskApproval, question="Sure?", who="sales", until=NOON + timedelta(days=1))
    asked = await office.ask(order)
    assert [str(row.id) for row in await office.it.road.rows(Approval)] == [asked.approval]
