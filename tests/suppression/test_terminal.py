"""What ops type about the list and about what came in, against the API on a real port."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from rich.console import Console

from api.app import compose
from api.parts import Parts
from models.database import Database
from models.keys import create_key
from models.replies import Answer, note_answer
from tabiji.desk import answers, suppressions
from tabiji.desk.look import Api
from tabiji.errors import Refused
from tests.api.conftest import free_port, parts_on, settings_for
from tests.databases import create_schema
from tests.inbound.house import NOW, House
from tests.serving import serving


@pytest.fixture
def served(tmp_path: Path) -> Generator[Api]:
    """An API with an answer that waits, and a mail that belongs to nobody."""
    url, port = f"sqlite:///{tmp_path / 'list.sqlite3'}", free_port()

    async def prepare() -> str:
        database = Database(url, pool=1)
        try:
            await create_schema(database)
            house = House(database)
            contact = await house.contact("hanako@example.jp")
            await house.reception.take(
                b"From: a@example.org\r\nSubject: who is this\r\n\r\nhello", sender="a", recipients=[]
            )
            answer = Answer(
                key="reply/1", contact_id=contact, message="m1", enrollment_id=None, title="Answer to demo/invitation",
                who="sales", text="Could you call me?", until=NOW + timedelta(days=7), tell=True, test=False, at=NOW,
            )  # fmt: skip # one answer
            await database.transact(lambda tx: note_answer(tx, answer))
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
        settings = settings_for(Database(url), tmp_path, api_host="127.0.0.1", api_port=port, api_key=SecretStr(key))
        with Api(settings) as api:
            yield api


def says(do: Any, *words: Any, **more: Any) -> str:
    """What a command prints."""
    out = io.StringIO()
    do(*words, **more, console=Console(file=out, width=500))
    return " ".join(out.getvalue().split())


def test_the_list_and_what_came_in_are_seen_to_at_a_terminal(served: Api, tmp_path: Path) -> None:
    add = {"note": None, "transactional": True, "until": None}
    everything: dict[str, Any] = {"reason": None, "over": False, "limit": 50}
    assert "is not written to from now on" in says(suppressions.add_suppression, served, "Hanako@example.jp", **add)
    assert "was on the list already" in says(suppressions.add_suppression, served, "hanako@example.jp", **add)

    file = tmp_path / "list.csv"
    file.write_text("Email,Reason\n+tag@example.jp,hard_bounce\nexample.com,\n", encoding="utf-8")
    assert "2 lines: 2 are new" in says(suppressions.import_suppressions, served, file, reason=None)
    shown = says(suppressions.show_suppressions, served, None, **everything)
    assert all(
        word in shown for word in ("+tag@example.jp", "hard_bounce", "example.com", "domain", "hanako@example.jp")
    )

    copy = tmp_path / "copy.csv"
    suppressions.export_suppressions(served, copy, over=False)
    assert "'+tag@example.jp" in copy.read_text(encoding="utf-8")  # no formula in a spreadsheet
    assert "3 lines: 0 are new, 3 were" in says(suppressions.import_suppressions, served, copy, reason=None)

    assert "may be written to again" in says(suppressions.lift_suppression, served, "hanako@example.jp", reason=None)
    assert "is not on the list" in says(suppressions.lift_suppression, served, "hanako@example.jp", reason=None)
    file.write_text("email\nnobody\n", encoding="utf-8")
    with pytest.raises(Refused, match="lines 2 to 2 none was taken"):
        suppressions.import_suppressions(served, file, reason=None)

    assert "reply" in says(answers.show_returned, served, unmatched=True, limit=10)
    mail = served.get("/v1/inbound")["mails"][0]["id"]
    assert "who is this" in says(answers.show_content, served, mail)
    tasks = says(answers.show_tasks, served, who=None, done=False, limit=10)
    assert "Could you call me?" in tasks
    task = served.get("/v1/tasks")["tasks"][0]["id"]
    assert "done" in says(answers.finish, served, task, by="sato", note=None)
    assert "nothing to do" in says(answers.show_tasks, served, who=None, done=False, limit=10)
