"""What ops type about webhooks and what docs/webhooks.md shows, against an API on a real port."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import os
import subprocess
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from rich.console import Console
from sqlalchemy import select
from standardwebhooks import Webhook as Verifier
from typer.testing import CliRunner

from activities.webhook_delivery import Deliverer
from api.app import compose
from api.parts import Parts
from models.database import Database, table
from models.event import Event
from models.keys import create_key
from models.webhook_outbox import KNOWN_FOR
from tabiji.channels.webhook import WebhookPost
from tabiji.cli.webhooks import app as commands
from tabiji.desk import webhooks as terminal
from tabiji.desk.look import Api, show_stuck
from tabiji.domain.hooks import Source, Sources
from tabiji.errors import Refused
from tabiji.settings import Settings
from tests.api.conftest import SECRET, free_port, parts_on, settings_for
from tests.databases import create_schema
from tests.docs.pages import blocks
from tests.hooks.receivers import Receiver, receiver
from tests.serving import serving

PAGE = "docs/webhooks.md"
CRM_SECRET = "sixteen characters and more"


@dataclass
class Desk:
    """Where the API is, and a key."""

    url: str
    settings: Settings

    def types(self, do: Any, *words: Any, **more: Any) -> str:
        """Run a command; what it prints."""
        out = io.StringIO()
        with Api(self.settings) as api:
            do(api, *words, **more, console=Console(file=out, width=200))
        return out.getvalue()

    async def has_typed(self, do: Any, *words: Any, **more: Any) -> str:
        """The same, beside a receiver of this loop."""
        return await asyncio.to_thread(self.types, do, *words, **more)

    async def tell(self) -> None:
        database, post = Database(self.url), WebhookPost(hosts=["localhost"])
        deliverer = Deliverer(database, post, root=SECRET)
        while await deliverer.round():
            await deliverer.settle()
        await post.close()
        await database.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Generator[Desk]:
    folder, port = tmp_path_factory.mktemp("desk"), free_port()
    url = f"sqlite:///{folder / 'desk.sqlite3'}"
    key = asyncio.run(_prepare(url))
    app = compose(lambda: _parts(url, folder))
    with serving(app, port):
        settings = Settings(_env_file=None, api_port=port, api_key=SecretStr(key))  # type: ignore[call-arg] # pydantic-settings takes it
        yield Desk(url, settings)


async def _prepare(url: str) -> str:
    database = Database(url)
    try:
        await create_schema(database)
        return await create_key(database, "ops", "admin")
    finally:
        await database.close()


def shown_source() -> Source:
    """The one the page has its reader write."""
    (block,) = [block for block in blocks(PAGE, "python") if block.path == "hooks/crm.py"]
    space: dict[str, Any] = {}
    exec(compile(block.text, str(block), "exec"), space)  # noqa: S102 # our own page
    source = space["crm"]
    assert isinstance(source, Source)
    return source


@asynccontextmanager
async def _parts(url: str, folder: Path) -> AsyncGenerator[Parts]:
    database = Database(url)
    settings = settings_for(database, folder, webhook_hosts=("localhost",), hook_secrets={"crm": [CRM_SECRET]})
    async with parts_on(database, settings) as parts:
        yield dataclasses.replace(parts, sources=Sources([*parts.sources, shown_source()]))
    await database.close()


async def events(desk: Desk) -> list[Any]:
    database = Database(desk.url)
    async with database.read() as tx:
        rows = (await tx.execute(select(table(Event)).where(table(Event).c.kind == "webhook"))).all()
    await database.close()
    return list(rows)


async def test_the_pages_request_is_taken_once(desk: Desk) -> None:
    (script,) = [block.text for block in blocks(PAGE, "sh") if "openssl" in block.text]
    api = f"http://127.0.0.1:{desk.settings.api_port}"
    env = {"PATH": os.environ["PATH"], "API": api, "SECRET": CRM_SECRET}
    for said in ('"recorded":1,"repeated":0', '"recorded":0,"repeated":1'):
        ran = await asyncio.to_thread(
            subprocess.run, ["bash", "-euc", script], env=env, capture_output=True, text=True, check=True
        )
        assert said in ran.stdout
    (won,) = await events(desk)
    assert (won.name, won.properties) == ("Order Completed", {"order_id": "d-7", "total": 4900})


async def test_a_system_is_subscribed_tried_and_told_from_the_terminal(desk: Desk) -> None:
    async with receiver() as to:
        made = await desk.has_typed(
            terminal.add_webhook, to.url, ["Order Completed", "Tag Added"], name="crm", properties=["tag"], email=True
        )
        secret = made.strip().splitlines()[-1]
        assert "properties.tag, contact.id, contact.user_ids, contact.email" in made
        assert "taken, with 200" in await desk.has_typed(terminal.try_webhook, "crm")
        await asyncio.sleep(KNOWN_FOR)  # until then the API may go by the subscriptions there were before
        await _tags(desk, to)
        listed = await desk.has_typed(terminal.show_webhooks)
        assert to.url in listed
        assert secret not in listed
        # What the page has receivers do.
        (snippet,) = blocks(PAGE, "py")
        space: dict[str, Any] = {}
        exec(compile(snippet.text, str(snippet), "exec"), space)  # noqa: S102 # our own page
        for headers, body in to.got:
            if Verifier(secret).verify(body, headers)["data"]:
                space["receive"](body.encode(), headers, secret)

        rotated = await desk.has_typed(terminal.rotate_webhook, "crm")
        assert secret not in rotated
        to.answers += ["410 Gone"]
        await _tags(desk, to, "vip")
        stuck = await desk.has_typed(show_stuck)
        assert "Receivers of webhooks that take nothing" in stuck
        dead = await desk.has_typed(terminal.show_dead, None)
        assert "Tag Added" in dead
        id = next(word for word in dead.replace("│", " ").split() if len(word) == 36)
        assert '"tag": "vip"' in await desk.has_typed(terminal.show_delivery, id)
        assert "There is nothing" in await desk.has_typed(terminal.resend, None, "crm")
        assert "crm is enabled" in await desk.has_typed(terminal.turn_webhook, "crm", "enable")
        assert "1 on their way again" in await desk.has_typed(terminal.resend, id, None)
        await desk.tell()
        assert to.bodies[-1]["data"]["properties"] == {"tag": "vip"}
        assert "Everything has arrived" in await desk.has_typed(terminal.show_dead, "crm")
        with pytest.raises(Refused):
            await desk.has_typed(terminal.show_dead, "nobody")


async def _tags(desk: Desk, to: Receiver, tag: str = "hot") -> None:
    """Somebody is tagged, and who wants to hear of it does."""
    before = len(to.got)

    def act() -> None:
        with Api(desk.settings) as api:
            api.post("/v1/identify", {"userId": "u-1", "traits": {"email": "hanako@example.com"}})
            person = api.get("/v1/contacts", user_id="u-1")["id"]
            api.put(f"/v1/contacts/{person}/tags/{tag}", {})

    await asyncio.to_thread(act)
    await desk.tell()
    assert len(to.got) == before + 1


def test_what_cannot_be_meant_is_said_before_anybody_is_asked() -> None:
    for words in (
        ["resend"],
        ["resend", "an-id", "--all"],
        ["resend", "--all", "--webhook", "crm"],
        ["add", "https://crm.example.com/", "--events", "Order Completed", "--include", "phone"],
        ["add", "https://crm.example.com/"],
    ):
        assert CliRunner().invoke(commands, words).exit_code == 2, words
