"""docs/templates.md: what it shows passes the check and looks as it says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tabiji.channels.email.facts import Facts
from tabiji.channels.email.render import Renderer
from tabiji.desk.mails.check import Checker
from tabiji.domain.topics import Topics
from tabiji.settings import Settings
from tests.docs.pages import ROOT, blocks, prose

PAGE = "docs/templates.md"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "templates" / "email" / "shop").mkdir(parents=True)
    shutil.copy(ROOT / "templates" / "email" / "_layout.html", tmp_path / "templates" / "email" / "_layout.html")
    for block in (*blocks(PAGE, "html"), *blocks(PAGE, "toml")):
        assert block.path is not None
        (tmp_path / block.path).write_text(block.text, encoding="utf-8")
    return tmp_path


def test_what_it_shows_passes_the_check(project: Path) -> None:
    assert Checker(Settings(templates=project / "templates"), Topics(), {}).check() == []


def test_without_people_the_check_says_what_the_page_says(project: Path) -> None:
    (project / "templates" / "people.toml").unlink()
    found = Checker(Settings(templates=project / "templates"), Topics(), {}).check()
    shown = blocks(PAGE, "text")[0].text
    said = str(next(problem for problem in found if "plan_ends" in problem.message)).replace(f"{project}/", "")
    assert said.partition(" [for")[0] == shown.partition(" [for")[0]
    assert said.rpartition("] ")[2] == shown.rpartition("] ")[2].strip()


def test_variants_tags_and_brand_do_what_it_says(project: Path) -> None:
    renderer = Renderer(project / "templates" / "email")
    told = {"sender": Facts("sender", {"name": "Example"}), "postal_address": "1 Example Street"}
    contact = Facts("contact", {"plan_ends": "2026-12-31", "price": 120, "tags": ["vip"], "locale": "de"})
    mail = renderer.render("shop/renewal", {**told, "contact": contact})
    assert mail.subject == "Hello, your plan ends on 31. Dezember 2026"
    assert "120,00 €" in mail.text.replace("\xa0", " ")
    assert "20 %" in mail.text.replace("\xa0", " ")
    assert "#7a1fa2" in mail.html
    assert "Example Inc." in mail.html
    assert renderer.render("shop/renewal", {**told, "contact": contact}, "warm").subject == "Stay with us?"


def test_the_table_of_formats_is_true(tmp_path: Path) -> None:
    (tmp_path / "email").mkdir()
    rows = [line for line in prose(PAGE).splitlines() if line.startswith("| `") and r"\|" in line]
    assert len(rows) == 6
    for row in rows:
        written, english, japanese = (cell.strip() for cell in row.replace(r"\|", "\x00").strip("|").split("|"))
        filled = written.strip("`").replace("\x00", "|")
        (tmp_path / "email" / "x.html").write_text(f"<title>{{{{ {filled} }}}}</title>", encoding="utf-8")
        for locale, zone, shown in (("en-GB", "Europe/London", english), ("ja-JP", "Asia/Tokyo", japanese)):
            contact = Facts("contact", {"locale": locale, "timezone": zone})
            assert Renderer(tmp_path / "email").render("x", {"contact": contact}).subject == shown
