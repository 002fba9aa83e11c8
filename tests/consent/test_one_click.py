"""From the form to the last mail: over SMTP to a relay, over HTTP to a server, as mail programs do it."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import select
from temporalio.testing import ActivityEnvironment

from activities.messages import Messages
from api.app import compose
from api.parts import Parts
from models.database import Database, table
from models.keys import create_key
from models.message import Message
from tabiji.channels.email.smtp import SmtpRelay
from tabiji.domain.orders import SendEmail, SendOutcome
from tabiji.journey.discovery import discover_topics
from tabiji.settings import Settings
from tests.api.conftest import SECRET, free_port, parts_on, settings_for
from tests.consent.people import ADDRESS, path_of
from tests.mail.relays import Relay, relay
from tests.serving import serving

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@dataclass
class Desk:
    """A server, a relay, a worker's activities, and a mail program without cookies."""

    database: Database
    web: httpx2.AsyncClient
    key: dict[str, str]
    relay: Relay
    messages: Messages
    enrollment: str = ""
    contact: str = ""

    async def enrolls(self) -> None:
        found = await self.web.get("/v1/contacts", params={"email": ADDRESS}, headers=self.key)
        self.contact = found.json()["id"]
        made = await self.web.post("/v1/journeys/onboarding/enrollments", json={"email": ADDRESS}, headers=self.key)
        assert made.is_success, made.text
        self.enrollment = made.json()["id"]

    async def sends(self, step: str, template: str, topic: str, **more: str) -> SendOutcome:
        order = SendEmail(
            enrollment_id=self.enrollment,
            contact_id=self.contact,
            step=step,
            visit=1,
            at=datetime.now(UTC),
            template=template,
            topic=topic,
            **more,  # type: ignore[arg-type] # texts of the order
        )
        worker = ActivityEnvironment()
        worker.info = replace(worker.info, attempt=1, activity_id=step, start_to_close_timeout=timedelta(seconds=60))
        return await worker.run(self.messages.send_email, order)

    async def agreed(self) -> dict[str, tuple[bool, bool]]:
        shown = await self.web.get(f"/v1/contacts/{self.contact}/consents", headers=self.key)
        return {one["topic"]: (one["given"], one["confirmed"]) for one in shown.json()["in_force"]}

    @property
    def mail(self) -> EmailMessage:
        return self.relay.mails[-1]


@asynccontextmanager
async def _parts(settings: Settings) -> AsyncGenerator[Parts]:
    served = Database(settings.database)  # of its own: it lives in the server's thread
    try:
        async with parts_on(served, settings) as parts:
            yield parts
    finally:
        await served.close()


@pytest.fixture
async def desk(sqlite: Database, tmp_path: Path) -> AsyncGenerator[Desk]:
    port = free_port()
    settings = settings_for(sqlite, tmp_path, public_url=f"http://127.0.0.1:{port}")
    settings = settings.model_copy(update={"secret": SecretStr(SECRET)})
    key = {"Authorization": f"Bearer {await create_key(sqlite, 'ops', 'admin')}"}
    with serving(compose(lambda: _parts(settings)), port):
        async with (
            relay() as server,
            httpx2.AsyncClient(base_url=settings.public_url, trust_env=False, timeout=30) as web,
        ):
            carrier = SmtpRelay("127.0.0.1", server.port)
            messages = Messages.of(settings, sqlite, carrier, secret=SECRET, topics=discover_topics())
            yield Desk(sqlite, web, key, server, messages)
            await carrier.close()


async def test_a_sign_up_is_confirmed_mailed_and_ended_with_one_click(desk: Desk) -> None:
    sent = await desk.web.post("/f/newsletter", data={"email": ADDRESS, "consent": "yes"})
    assert sent.status_code == 303
    await desk.enrolls()
    early = await desk.sends("early", "welcome/hello", "newsletter")
    assert (early.state, early.reason) == ("refused", "not_confirmed")

    # The mail that asks: no advertising, nothing to unsubscribe from, its link counted by nobody.
    assert await desk.sends("ask", "consent/confirm", "confirmation", confirms="newsletter")
    assert "List-Unsubscribe" not in desk.mail
    link = re.search(r"http://127\.0\.0\.1:\d+/confirm/[\w.-]+", _text(desk.mail))
    assert link is not None
    await desk.web.get(link[0])
    assert await desk.agreed() == {"newsletter": (True, False)}
    assert (await desk.web.post(link[0])).status_code == 200
    assert await desk.agreed() == {"newsletter": (True, True)}

    # Every mail on the topic shows mail programs the way out, and a look at it changes nothing.
    hello = await desk.sends("hello", "welcome/hello", "newsletter")
    assert hello
    assert desk.mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    way_out = desk.mail["List-Unsubscribe"].strip("<>")
    assert (await desk.web.get(way_out)).status_code == 200
    assert await desk.agreed() == {"newsletter": (True, True)}

    pressed = await desk.web.post(way_out, data=ONE_CLICK)
    assert (pressed.status_code, pressed.history) == (200, [])
    assert "set-cookie" not in pressed.headers
    assert await desk.agreed() == {"newsletter": (False, True)}
    late = await desk.sends("late", "welcome/guides", "newsletter")
    assert (late.state, late.reason) == ("refused", "no_consent")
    messages = table(Message)
    async with desk.database.read() as tx:
        left = await tx.scalar(select(messages.c.unsubscribed_at).where(messages.c.public_id == hello.message))
    assert left is not None


@pytest.mark.parametrize(
    "body",
    [
        {"files": {"List-Unsubscribe": (None, "One-Click")}},  # multipart, as RFC 8058 allows
        {"content": b"\xff\x00 nonsense", "headers": {"Content-Type": "application/octet-stream"}},
        {},
    ],
)
async def test_nobody_is_kept_because_their_mail_program_posts_otherwise(desk: Desk, body: dict[str, object]) -> None:
    given = {"email": ADDRESS, "consent": "yes"}
    await desk.web.post("/f/newsletter", data=given, headers=desk.key)
    await desk.enrolls()
    assert await desk.agreed() == {"newsletter": (True, True)}
    assert await desk.sends("hello", "welcome/hello", "newsletter")
    way_out = path_of(desk.mail["List-Unsubscribe"].strip("<>"))

    assert (await desk.web.post(way_out, **body)).status_code == 200  # type: ignore[arg-type] # as httpx takes it
    assert await desk.agreed() == {"newsletter": (False, True)}


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text
