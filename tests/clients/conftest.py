"""A desk with a relay before its API, and people whose days pass in a second."""

from __future__ import annotations

import asyncio
import hmac
import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from tabiji.scaffold import create
from tests.browser.conftest import browser as browser  # noqa: PLC0414 # a fixture
from tests.browser.conftest import free_ports
from tests.clients.relay import Relay, relay
from tests.desk.desks import PORTS, Desk
from tests.docs.pages import blocks

PAGE = "docs/send-events.md"
HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
TEMPO = 86_400
"""A day in a second."""
TOLD = "Looked at pricing after the whitepaper"


@dataclass
class House:
    """The desk, and the relay its clients talk to."""

    desk: Desk
    relay: Relay
    names: dict[str, str] = field(default_factory=dict[str, str])
    """Of the keys that were made."""

    @property
    def url(self) -> str:
        """Where clients send to."""
        return f"http://127.0.0.1:{self.relay.port}"

    async def key(self, scope: str) -> str:
        """A new key."""
        name = f"{scope} {uuid.uuid4()}"
        code, out, err = await self.desk.tabiji("key", "create", name, "--scope", scope)
        assert code == 0, err
        key = next(word for word in out.split() if word.startswith("tbj_"))
        self.names[key] = name
        return key

    async def user_hash(self, key: str, user_id: str) -> str:
        """What the site's server says of a user who is signed in."""
        code, out, err = await self.desk.tabiji("key", "secret", self.names[key])
        assert code == 0, err
        return hmac.new(out.split()[-1].encode(), user_id.encode(), "sha256").hexdigest()

    async def snippet(self, language: str, number: int, person: Person, scope: str = "write") -> str:
        """What the page says, with our own address, key and person in it."""
        text = blocks(PAGE, language)[number].text
        for shown, own in (
            ("https://t.example.com", self.url),
            ("tbj_…", await self.key(scope)),
            ("u-1001", person.user_id),
            ("hanako@example.com", person.email),
        ):
            text = text.replace(shown, own)
        return text

    async def expect(self, **identity: str) -> None:
        """Make somebody a test contact who has agreed to mails: the rest is up to the client."""
        await self.desk.ask("POST", "/v1/identify", {**identity, "context": {"tabiji": {"tempo": TEMPO}}})
        (kind, value), *_ = identity.items()
        query = {"userId": "user_id", "anonymousId": "anonymous_id"}[kind]
        contact = await self.desk.ask("GET", f"/v1/contacts?{query}={value}")
        agreed = {"topic": "marketing", "given": True, "source": "test"}
        await self.desk.ask("POST", f"/v1/contacts/{contact['id']}/consents", agreed)

    async def contact(self, email: str) -> dict[str, Any]:
        """Somebody, with what they did."""
        return await self.desk.ask("GET", f"/v1/contacts?email={email}")

    async def has_told_sales(self, person: Person) -> None:
        """Wait for the welcome mail, and for the mail that tells sales of this person."""
        async with asyncio.timeout(90):
            while not await self._all_came(person):  # noqa: ASYNC110 # other processes set no event here
                await asyncio.sleep(0.2)

    async def _all_came(self, person: Person) -> bool:
        try:
            told = (await self.contact(person.email))["timeline"]
        except httpx2.HTTPStatusError:
            return False
        sent = [one for one in told if one["kind"] == "message" and one["state"] == "sent"]
        mails = await self.desk.mails()
        return (
            {"whitepaper/welcome"} <= {one["template"] for one in sent if one["audience"] == "contact"}
            and any(one["audience"] != "contact" for one in sent)
            and person.email in str(mails)
        )


@dataclass(frozen=True)
class Person:
    """Somebody new."""

    user_id: str
    email: str


@pytest.fixture
def person() -> Person:
    name = uuid.uuid4().hex[:10]
    return Person(f"u-{name}", f"{name}@example.com")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[House]:
    folder = tmp_path_factory.mktemp("clients")
    create(folder / "shop")
    *own, front = free_ports(len(PORTS) + 1)
    ports = iter(own)
    desk = Desk(folder / "shop", folder / "data", lambda: next(ports))
    desk.env["TABIJI_PUBLIC_URL"] = f"http://127.0.0.1:{front}"
    async with relay(desk.port("API"), front) as before, desk.up():
        yield House(desk, before)
