"""What the command line shows of consent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path

import pytest
from pydantic import SecretStr
from rich.console import Console

from api.app import compose
from api.parts import Parts
from models.database import Database
from models.keys import create_key
from tabiji.desk.look import Api, show_contact
from tabiji.desk.topics import show_topics
from tabiji.settings import Settings
from tests.api.conftest import free_port, parts_on, settings_for
from tests.consent.people import ADDRESS
from tests.databases import create_schema
from tests.serving import serving


@pytest.fixture
def api(tmp_path: Path) -> Generator[Api]:
    url, port = f"sqlite:///{tmp_path / 'consent.sqlite3'}", free_port()

    async def prepare() -> str:
        database = Database(url, pool=1)
        try:
            await create_schema(database)
            return await create_key(database, "console", "admin")
        finally:
            await database.close()

    @asynccontextmanager
    async def parts() -> AsyncGenerator[Parts]:
        database = Database(url)
        async with parts_on(database, settings_for(database, tmp_path)) as made:
            yield made
        await database.close()

    key = asyncio.run(prepare())
    with serving(compose(parts), port):
        settings = Settings(_env_file=None, api_port=port, api_key=SecretStr(key))  # type: ignore[call-arg] # pydantic-settings takes it
        with Api(settings) as api:
            yield api


def test_topics_and_a_persons_decisions_are_shown_with_their_proof(api: Api) -> None:
    who = {"userId": "u1", "context": {"traits": {"email": ADDRESS}}}
    for event, said in (
        ("Consent Given", {"topic": "marketing", "source": "fair", "wording": "Write to me.", "version": "3"}),
        ("Consent Requested", {"topic": "newsletter", "source": "kiosk"}),
        ("Consent Withdrawn", {"topic": "visit", "source": "phone"}),
        ("Consent Given", {"topic": "old-list", "source": "paper"}),
    ):
        api.post("/v1/track", {**who, "event": event, "properties": said})

    topics, person = _screen(), _screen()
    show_topics(api, topics)
    show_contact(api, ADDRESS, person)

    rows = _rows(topics)
    assert rows["newsletter"][1:] == ["consent, double opt-in", rows["newsletter"][2], "0", "1", "0"]
    assert rows["newsletter"][2].startswith("One good idea a month")
    assert rows["marketing"][-3:] == ["1", "0", "0"]
    assert rows["visit"][-3:] == ["0", "0", "1"]
    assert rows["confirmation"][1] == "legal obligation"
    assert rows["old-list"][1] == "consent, not declared"
    rows = _rows(person)
    assert (rows["marketing"][1], rows["marketing"][3:5]) == ("yes", ["fair", "Write to me. (3)"])
    assert (rows["newsletter"][1], rows["visit"][1]) == ("asked, not confirmed", "no")


def _screen() -> Console:
    return Console(file=StringIO(), width=400)


def _rows(screen: Console) -> dict[str, list[str]]:
    assert isinstance(screen.file, StringIO)
    lines = [line.strip("│ ") for line in screen.file.getvalue().splitlines() if "│" in line]
    cells = [[cell.strip() for cell in line.split("│")] for line in lines]
    return {row[0]: row for row in cells}
