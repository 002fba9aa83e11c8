"""The preview's pages, and test mails as a real SMTP server receives them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from httpx2 import ASGITransport, AsyncClient

from tabiji.desk.mails.check import Checker
from tabiji.desk.mails.people import PEOPLE
from tabiji.desk.mails.preview import create_app
from tabiji.desk.mails.send import MARK, as_test, send
from tabiji.domain.topics import Topics
from tabiji.errors import ChannelDown, Refused
from tabiji.settings import Settings
from tests.mail.relays import relay

ROOT = Path(__file__).resolve().parents[2]
HANAKO = next(person for person in PEOPLE if person.name == "hanako")


def settings(**said: object) -> Settings:
    told = {"templates": ROOT / "templates", "mail_from": "旅路 <hello@example.com>", **said}
    return Settings.model_validate(told)


@pytest_asyncio.fixture
async def client() -> AsyncGenerator[AsyncClient]:
    app = create_app(settings(), Topics(), {})
    async with AsyncClient(transport=ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


async def test_every_template_is_listed(client: AsyncClient) -> None:
    page = (await client.get("/")).text
    assert "/mail/whitepaper/welcome" in page
    assert "_layout" not in page


async def test_a_mail_is_shown_wide_and_narrow_as_somebody(client: AsyncClient) -> None:
    page = (await client.get("/mail/consent/confirm?as=hanako")).text
    assert "ご確認ください" in page
    assert page.count("<iframe") == 2
    assert "allow-scripts" not in page
    mail = await client.get("/html/consent/confirm?as=hanako")
    assert 'lang="ja-JP"' in mail.text
    assert "sandbox" in mail.headers["content-security-policy"]


async def test_text_headers_and_findings_have_their_views(client: AsyncClient) -> None:
    assert "[Read the whitepaper]" in (await client.get("/mail/whitepaper/welcome?view=text")).text
    headers = (await client.get("/mail/whitepaper/welcome?view=headers")).text
    assert "List-Unsubscribe-Post" in headers
    assert "旅路" in headers
    assert "Nothing found." in (await client.get("/mail/whitepaper/welcome?view=check")).text


@pytest.mark.parametrize("path", ["/mail/no/such", "/mail/whitepaper/welcome?as=nobody-here", "/html/../secret"])
async def test_what_cannot_be_shown_says_why(client: AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code in (200, 404)
    assert "Traceback" not in answer.text
    assert "no person" in answer.text or "no file" in answer.text or answer.status_code == 404


async def test_a_name_of_another_site_leads_nowhere(client: AsyncClient) -> None:
    assert (await client.get("/", headers={"Host": "evil.example"})).status_code == 400


async def test_a_save_is_told(tmp_path: Path) -> None:
    """By the pages' own stream: server-sent events."""
    from tabiji.desk.mails.preview import Preview

    ends = asyncio.Event()
    saves = Preview(settings(templates=tmp_path), Topics(), {}, ends).saves()
    assert (await anext(saves)).startswith(":")

    async def save_until_told() -> None:
        while True:
            (tmp_path / "x.html").write_text("x")
            await asyncio.sleep(0.05)

    saving = asyncio.create_task(save_until_told())
    try:
        async with asyncio.timeout(20):
            assert await anext(saves) == "data: saved\n\n"
    finally:
        saving.cancel()
    ends.set()
    async with asyncio.timeout(20):
        assert [one async for one in saves if one.startswith("event")] == []


def checker(**said: object) -> Checker:
    return Checker(settings(**said), Topics(), {})


async def test_a_test_mail_goes_to_its_recipient_alone_marked_and_untracked() -> None:
    async with relay() as server:
        there = checker(smtp_port=server.port)
        await send(there.settings, as_test(there, "consent/confirm", HANAKO, to="me@example.com"))
        (mail,) = server.mails
    assert server.recipients == ["me@example.com"]
    assert str(mail["Subject"]).startswith(f"{MARK}ご確認ください")
    assert mail["X-Tabiji-Test"] == "consent/confirm"
    assert mail["To"] == "me@example.com"
    assert mail["List-Unsubscribe"] is None
    content = server.received[0].decode()
    assert HANAKO.email not in content
    html = mail.get_body(("html",))
    assert html is not None
    assert "/c/" not in html.get_content()
    assert "/o/" not in html.get_content()


async def test_who_cannot_be_written_to_is_told() -> None:
    with pytest.raises(Refused, match="not an address"):
        as_test(checker(), "consent/confirm", HANAKO, to="me")


async def test_a_relay_that_does_not_take_it_is_told() -> None:
    async with relay() as server:
        port = server.port
    there = checker(smtp_port=port)
    with pytest.raises(ChannelDown, match="was not taken"):
        await send(there.settings, as_test(there, "consent/confirm", HANAKO, to="me@example.com"))
