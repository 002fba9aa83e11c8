"""Code in the pages is code: it is put into a project that `tabiji new` wrote, loaded, type-checked and run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

from tabiji.channels.email.render import Renderer
from tabiji.draft import write_journey
from tabiji.scaffold import create
from tests.docs.pages import NAMES, ROOT, Block, blocks

FRAGMENT = '''
"""{place}"""

import asyncio
from datetime import time

from tabiji import Journey, contact_date, days, hours, journey, minutes, on, prop, weekday
from workflows.onboarding import Onboarding


@journey()
class Fragment{number}(Journey):
    """Steps that a page shows without their journey."""

    async def steps(self) -> None:
{steps}
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With everything in it that the pages tell a reader to save, and fragments as the steps of journeys."""
    folder = tmp_path_factory.mktemp("reader") / "shop"
    create(folder)
    write_journey("trial-rescue", folder)  # as the tutorial has its reader do
    fragments: list[Block] = []
    for page in NAMES:
        if page == "README.ja.md":
            continue  # its code is that of README.md: another test
        for block in (*blocks(page, "python"), *blocks(page, "html")):
            if block.path is not None:
                save(folder / block.path, block.text)
            elif block.language == "python" and "@journey" not in block.text:
                fragments.append(block)
    for number, block in enumerate(fragments):
        steps = indent(block.text, " " * 8)
        save(folder / f"workflows/fragment_{number}.py", FRAGMENT.format(place=block, number=number, steps=steps))
    for file in sorted((ROOT / "tests" / "histories").glob("*.json")):
        # As `temporal workflow show` writes them.
        save(folder / "tests" / "histories" / file.name, json.dumps(json.loads(file.read_text())["history"]))
    return folder


def test_the_journeys_are_found_and_their_steps_can_be_named(project: Path) -> None:
    listed = run(project, "-m", "tabiji.cli", "journeys").splitlines()
    names = {line.split()[0] for line in listed}
    assert {"trial-nurture", "cart-recovery", "win-back", "whitepaper-nurture"} <= names
    assert any(name.startswith("fragment") for name in names)


def test_the_activities_are_found(project: Path) -> None:
    find = "from activities.discovery import *; print(*map(name_of, own_activities()))"
    assert run(project, "-c", find).split() == ["book_room"]


@pytest.mark.slow
def test_they_are_typed(project: Path) -> None:
    checked = ["workflows", "hooks", "tests"]
    run(project, "-m", "mypy", "--strict", "--python-version", "3.11", "--cache-dir", ".mypy_cache", *checked)


@pytest.mark.slow
def test_the_tests_pass(project: Path) -> None:
    run(project, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "tests")


@pytest.mark.parametrize("page", ["README.md", "README.ja.md"])
def test_the_mails_render(page: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "templates" / "email" / "_layout.html", tmp_path / "_layout.html")
    renderer = Renderer(tmp_path)
    mails = [block for block in blocks(page, "html") if block.path]
    assert len(mails) == 2
    for mail in mails:
        name = str(mail.path).removeprefix("templates/email/")
        save(tmp_path / name, mail.text)
        sender = {"name": "Example", "address": "hello@example.com"}
        known = {"contact": {"first_name": "花子"}, "sender": sender, "postal_address": "1 Example Street"}
        rendered = renderer.render(name.removesuffix(".html"), known)
        assert rendered.subject
        assert "{" not in rendered.text


def save(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def run(project: Path, *arguments: str) -> str:
    ran = subprocess.run([sys.executable, *arguments], cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
