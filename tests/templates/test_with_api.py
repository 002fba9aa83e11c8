"""What needs the application: landing pages in the brand, and a contact looked up for a preview."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from pydantic import SecretStr
from starlette.concurrency import run_in_threadpool

from models.database import Database
from models.keys import create_key
from tabiji.desk.mails.check import Checker
from tabiji.desk.mails.send import as_test
from tabiji.desk.mails.whom import somebody
from tabiji.domain.topics import Topics
from tabiji.errors import Refused
from tabiji.settings import Settings
from tests.databases import create_schema
from tests.forms.site import Site, forms_site

ROOT = Path(__file__).resolve().parents[2]


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'db.sqlite3'}")
    await create_schema(database)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def site(database: Database, tmp_path: Path) -> AsyncGenerator[Site]:
    templates = tmp_path / "templates"
    (templates / "landing").mkdir(parents=True)
    for name in ("_layout.html", "whitepaper.html"):
        (templates / "landing" / name).write_text((ROOT / "templates/landing" / name).read_text("utf-8"), "utf-8")
    (templates / "brand.toml").write_text('name = "旅路 Travel"\n[light]\naccent = "#7a1fa2"\n', "utf-8")
    async with forms_site(database, tmp_path / "data", templates=templates) as site:
        yield site


async def test_a_landing_page_wears_the_brand(site: Site) -> None:
    async with httpx2.AsyncClient(base_url=site.url, trust_env=False) as client:
        page = (await client.get("/p/whitepaper")).text
    assert "--accent: #7a1fa2" in page
    assert "旅路 Travel" in page
    assert "{{" not in page


async def test_a_contact_is_found_by_their_address(site: Site, database: Database) -> None:
    key = await create_key(database, "console", "admin")
    event = {"userId": "7", "traits": {"email": "keiko@example.jp", "firstName": "恵子", "locale": "ja-JP"}}
    async with httpx2.AsyncClient(base_url=site.url, trust_env=False) as client:
        answer = await client.post("/v1/identify", json=event, headers={"Authorization": f"Bearer {key}"})
    assert answer.is_success
    host, _, port = site.url.rpartition("//")[2].partition(":")
    settings = Settings(templates=ROOT / "templates", api_host=host, api_port=int(port), api_key=SecretStr(key))
    keiko = await run_in_threadpool(somebody, settings, [], "keiko@example.jp")
    assert keiko.facts["first_name"] == "恵子"
    mail = as_test(Checker(settings, Topics(), {}), "consent/confirm", keiko, to="me@example.com")
    assert mail.recipient == "me@example.com"
    with pytest.raises(Refused, match="no contact"):
        await run_in_threadpool(somebody, settings, [], "nobody@example.jp")
