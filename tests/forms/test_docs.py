"""The page about forms does what it says: its form, its landing page, its scripts' tags and its command."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from pathlib import Path

import httpx2

from models.contact import Consent
from models.database import Database, table
from models.event import Event
from models.keys import create_key
from tabiji.domain.form_fields import Field
from tabiji.forms import Form
from tests.docs.pages import ROOT, Block, blocks
from tests.forms.site import forms_site

PAGE = "docs/forms.md"


def block(path: str) -> Block:
    (found,) = [one for one in (*blocks(PAGE, "python"), *blocks(PAGE, "html")) if one.path == path]
    return found


def declared() -> Form:
    space: dict[str, object] = {}
    exec(block("forms/buyers_guide.py").text, space)  # noqa: S102 # the page's own code
    (found,) = [value for value in space.values() if isinstance(value, Form)]
    return found


def test_every_kind_of_field_is_on_the_page() -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    kinds, todo = set[str](), list[type[Field]](Field.__subclasses__())
    while todo:
        one = todo.pop()
        todo += one.__subclasses__()
        kinds.add(one.__name__)
    assert {kind for kind in kinds if f"`{kind}`" not in text} == set()


async def test_the_form_the_landing_page_and_the_command_work_as_written(sqlite: Database, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    (tmp_path / "templates/landing/guide.html").write_text(block("templates/landing/guide.html").text, encoding="utf-8")
    (command,) = blocks(PAGE, "sh")
    key = await create_key(sqlite, "site", "write")
    async with (
        forms_site(sqlite, tmp_path, declared(), templates=tmp_path / "templates", assets=ROOT / "assets") as site,
        httpx2.AsyncClient(base_url=site.url) as http,
    ):
        assert "Get it now" in (await http.get("/p/guide")).text
        environment = {**os.environ, "KEY": key, "API": site.url}
        said = await asyncio.create_subprocess_shell(command.text, env=environment, stdout=asyncio.subprocess.PIPE)
        await said.communicate()
        for source in re.findall(r'(?:src|href)="https://go\.example\.com(/[^"]+)"', (ROOT / PAGE).read_text()):
            assert (await http.get(source)).status_code == 200, source
        inside = await http.get("/f/buyers-guide/embed")
        assert "frame-ancestors 'self' https://www.example.com;" in inside.headers["content-security-policy"] + ";"
    assert said.returncode == 0
    async with sqlite.read() as tx:
        names = [row.name for row in await tx.execute(table(Event).select().order_by(table(Event).c.seq))]
        (consent,) = (await tx.execute(table(Consent).select())).all()
    assert names == ["Identified", "Consent Given", "Form Submitted"]
    assert (consent.topic, consent.version, consent.source) == ("marketing", "2026-11", "form:buyers-guide")
