"""The local inbox: a real SMTP conversation in, a page and JSON out."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import update

from models.database import Database, table
from models.keys import create_key
from models.message import Message
from tabiji.desk import ready
from tabiji.desk.decisions import Decisions
from tabiji.desk.inbox import create_app
from tabiji.desk.mailstore import MailStore
from tabiji.settings import Settings
from tests.api.conftest import Door, opened, settings_for, with_a_mail

EVIL = "<html><head><title>x</title></head><body><script>alert(1)</script><a href='https://example.com/'>here</a></body></html>"


def mail(subject: str = "こんにちは、旅の方", html: str = "<p>Hello</p>") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "tabiji <hello@example.com>"
    message["To"] = "Ana <ana@example.com>"
    message["Subject"] = subject
    message.set_content("See https://example.com/pricing")
    message.add_alternative(html, subtype="html")
    return message


class Inbox:
    """A running inbox process."""

    def __init__(self, smtp: int, page: int) -> None:
        self.smtp = smtp
        self.base = f"http://127.0.0.1:{page}"

    async def send(self, message: EmailMessage) -> None:
        await aiosmtplib.send(
            message.as_bytes(),
            sender="hello@example.com",
            recipients=["ana@example.com"],
            hostname="127.0.0.1",
            port=self.smtp,
            start_tls=False,
        )

    async def get(self, path: str) -> httpx2.Response:
        async with httpx2.AsyncClient(base_url=self.base, trust_env=False) as client:
            return await client.get(path)

    async def messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get("/api/messages")).raise_for_status().json()
        return found


@asynccontextmanager
async def running(data: Path, free_port: Callable[[], int]) -> AsyncGenerator[Inbox]:
    smtp, page = free_port(), free_port()
    told = {"TABIJI_DATA": str(data), "TABIJI_SMTP_PORT": str(smtp), "TABIJI_INBOX_PORT": str(page)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tabiji.desk.inbox", env={**os.environ, **told}
    )
    try:
        probe = ready.every(ready.smtp(smtp), ready.http(page, "/healthz"))
        async with asyncio.timeout(30):
            while True:
                try:
                    if await probe(process.pid):
                        break
                except OSError:
                    await asyncio.sleep(0.05)
        yield Inbox(smtp, page)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def test_a_mail_survives_a_restart_of_the_inbox(tmp_path: Path, free_port: Callable[[], int]) -> None:
    async with running(tmp_path, free_port) as inbox:
        assert await inbox.messages() == []
        await inbox.send(mail("first"))
        await inbox.send(mail())
    async with running(tmp_path, free_port) as inbox:
        listed = await inbox.messages()
        assert [each["subject"] for each in listed] == ["こんにちは、旅の方", "first"]
        assert listed[0]["from"] == "tabiji <hello@example.com>"
        assert listed[0]["to"] == "ana@example.com"
        whole = (await inbox.get(f"/api/messages/{listed[0]['id']}")).json()
    assert whole["headers"]["From"] == "tabiji <hello@example.com>"
    assert whole["text"].strip() == "See https://example.com/pricing"
    assert whole["html"].strip() == "<p>Hello</p>"
    assert whole["raw"].startswith("Return-Path: <hello@example.com>\r\nDelivered-To: ana@example.com\r\n")


@pytest.fixture
async def page(tmp_path: Path) -> AsyncGenerator[tuple[MailStore, httpx2.AsyncClient]]:
    """The page over an empty store, without sockets."""
    store = MailStore(tmp_path / "mail")
    transport = httpx2.ASGITransport(app=create_app(store))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield store, client


def keep(store: MailStore, message: EmailMessage, *recipients: str) -> str:
    return store.add(message.as_bytes(), sender="hello@example.com", recipients=list(recipients or ("a@example.com",)))


Page = tuple[MailStore, httpx2.AsyncClient]


async def test_an_empty_inbox_says_so(page: Page) -> None:
    _, client = page
    assert "No mail yet" in (await client.get("/")).text


async def test_mail_html_runs_no_script_and_its_links_open_outside(page: Page) -> None:
    """The frame is sandboxed twice: by its attribute and by the document's own policy."""
    store, client = page
    key = keep(store, mail(html=EVIL))
    reading = await client.get(f"/messages/{key}")
    assert f'<iframe src="/messages/{key}/html" sandbox="allow-popups allow-popups-to-escape-sandbox"' in reading.text
    assert "alert(1)" not in reading.text
    body = await client.get(f"/messages/{key}/html")
    policy = body.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-popups ")
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert '<head><base target="_blank">' in body.text
    assert body.headers["referrer-policy"] == "no-referrer"


async def test_subjects_are_escaped(page: Page) -> None:
    store, client = page
    key = keep(store, mail(subject="<b>5 < 6</b> & 旅路"))
    for path in ("/", f"/messages/{key}"):
        assert "&lt;b&gt;5 &lt; 6&lt;/b&gt; &amp; 旅路" in (await client.get(path)).text


async def test_every_view_of_a_mail_is_there(page: Page) -> None:
    store, client = page
    key = keep(store, mail())
    assert 'href="https://example.com/pricing"' in (await client.get(f"/messages/{key}?view=text")).text
    assert "Delivered-To" in (await client.get(f"/messages/{key}?view=headers")).text
    assert "MIME-Version: 1.0" in (await client.get(f"/messages/{key}?view=source")).text


async def test_programs_can_ask_for_one_recipient_and_for_a_few(page: Page) -> None:
    store, client = page
    keep(store, mail("one"), "a@example.com")
    keep(store, mail("two"), "b@example.com", "c@example.com")
    keep(store, mail("three"), "a@example.com")

    async def subjects(query: str) -> list[str]:
        return [each["subject"] for each in (await client.get(f"/api/messages?{query}")).json()]

    assert await subjects("to=a@example.com") == ["three", "one"]
    assert await subjects("to=C@example.com") == ["two"]
    assert await subjects("limit=1") == ["three"]
    assert (await client.get("/api/messages?limit=x")).status_code == 422


@pytest.mark.parametrize("path", ["/messages/nothing", "/messages/nothing/html", "/api/messages/..%2Fsecret"])
async def test_a_mail_that_is_not_there_is_a_404(page: Page, path: str) -> None:
    _, client = page
    assert (await client.get(path)).status_code == 404


async def test_another_sites_name_does_not_lead_here(page: Page) -> None:
    """A page elsewhere whose name is pointed at 127.0.0.1 must not read the mails."""
    _, client = page
    assert (await client.get("/api/messages", headers={"Host": "attacker.example"})).status_code == 400


async def test_a_mail_nobody_can_decode_is_still_shown(page: Page) -> None:
    store, client = page
    broken = b"Subject: =?no-such?Q?x?=\r\nContent-Type: text/plain; charset=no-such\r\n\r\n\xff\xfe hello"
    key = store.add(broken, sender="", recipients=["a@example.com"])
    assert (await client.get("/")).status_code == 200
    assert "hello" in (await client.get(f"/api/messages/{key}")).json()["text"]


# What was decided

OURS = "0" * 31 + "1"


@pytest.fixture
async def door(sqlite: Database, tmp_path: Path) -> AsyncGenerator[Door]:
    async with opened(sqlite, settings_for(sqlite, tmp_path)) as door:
        yield door


@pytest.fixture
async def desk(door: Door, tmp_path: Path) -> AsyncGenerator[Page]:
    """The page of a desk whose API is there."""
    key = SecretStr(await create_key(door.parts.database, "desk", "admin"))
    settings = door.parts.settings.model_copy(update={"api_key": key})
    decisions = Decisions(settings, httpx2.ASGITransport(app=door.app))
    store = MailStore(tmp_path / "mail")
    transport = httpx2.ASGITransport(app=create_app(store, decisions))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield store, client
    await decisions.close()


async def written(door: Door, **values: Any) -> None:
    await with_a_mail(door, {"email": "hanako@example.jp"}, template="demo/invitation")
    async with door.parts.database.write() as tx:
        await tx.execute(update(table(Message)).values(public_id=OURS, **values))


async def test_a_mail_is_shown_with_the_decision_about_it_and_what_happened_since(door: Door, desk: Page) -> None:
    await written(door, topic="marketing", variant="warm")
    await door.nobody.get(door.parts.links.click(OURS, "https://example.com/旅").partition("8000")[2])
    store, client = desk
    message = mail()
    message["Message-ID"] = f"<{OURS}@example.com>"
    shown = (await client.get(f"/messages/{keep(store, message)}")).text
    assert "<strong>sent</strong>" in shown
    assert "of whitepaper-nurture, topic marketing, variant warm" in shown
    assert "Email Link Clicked" in shown


async def test_what_was_not_sent_stands_below_the_mails_with_its_reason(door: Door, desk: Page) -> None:
    await written(door, state="refused", reason="no_consent")
    _, client = desk
    shown = (await client.get("/")).text
    assert "refused: no_consent" in shown
    assert "They have not agreed to this topic" in shown


async def test_a_mail_of_somebody_else_and_an_api_that_is_away_cost_only_the_decision(tmp_path: Path) -> None:
    store = MailStore(tmp_path / "mail")
    settings = Settings(_env_file=None, data=tmp_path, api_port=1)  # type: ignore[call-arg] # pydantic takes it
    decisions = Decisions(settings)
    message = mail()
    message["Message-ID"] = f"<{OURS}@example.com>"
    keys = keep(store, message), keep(store, mail("no id"))
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=create_app(store, decisions)), base_url="http://127.0.0.1"
    ) as client:
        assert (await client.get("/")).status_code == 200
        for key in keys:
            shown = await client.get(f"/messages/{key}")
            assert shown.status_code == 200
            assert "Decision" not in shown.text
    await decisions.close()
