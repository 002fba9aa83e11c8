"""What the pages name is there."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from typer.main import get_command

from tabiji.cli import app
from tabiji.settings import Settings
from tests.docs.pages import NAMES, ROOT, blocks, prose

LINK = re.compile(r"\]\(([^)\s]+)\)")
ENGLISH, JAPANESE = "README.md", "README.ja.md"


@pytest.mark.parametrize("page", NAMES)
def test_links_lead_somewhere(page: str) -> None:
    for target in LINK.findall(prose(page)):
        if re.match(r"https?:|mailto:", target):
            continue
        path, _, heading = target.partition("#")
        file = (ROOT / page).parent / unquote(path) if path else ROOT / page
        assert file.exists(), f"{page}: {target}"
        assert not heading or heading in anchors(file), f"{page}: {target}"


@pytest.mark.parametrize("page", NAMES)
def test_commands_are_there(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    tabiji = get_command(app)
    commands = set(getattr(tabiji, "commands", {}))
    shown = "\n".join([block.text for block in blocks(page, "sh")] + re.findall(r"`[^`\n]+`", prose(page)))

    assert set(re.findall(r"(?:^|`|&& )make ([a-z][a-z-]*)", shown, re.MULTILINE)) <= targets
    assert set(re.findall(r"(?:^|`|&& |bin/)tabiji ([a-z]+)", shown, re.MULTILINE)) <= commands


@pytest.mark.parametrize("page", NAMES)
def test_settings_are_there(page: str) -> None:
    known = {f"TABIJI_{name.upper()}" for name in Settings.model_fields} | {"TABIJI_ENV_FILE", "TABIJI_IMAGE"}
    named = set(re.findall(r"TABIJI_[A-Z_]*[A-Z]", (ROOT / page).read_text(encoding="utf-8")))
    assert named <= known


@pytest.mark.parametrize("page", [ENGLISH, JAPANESE])
def test_the_journey_in_the_readme_is_the_journey_in_the_code(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    shown = re.search(r"<!-- same as (\S+) -->\n```python\n(.*?)```", text, re.DOTALL)
    assert shown is not None
    assert shown[2] == (ROOT / shown[1]).read_text(encoding="utf-8")


def test_both_readmes_show_the_same_code() -> None:
    """But for comments and the words of mails."""
    for language in ("python", "sh", "mermaid", "html"):
        english, japanese = (blocks(page, language) for page in (ENGLISH, JAPANESE))
        assert [block.path for block in english] == [block.path for block in japanese]
        if language in ("python", "sh"):
            assert [bare(block.text) for block in english] == [bare(block.text) for block in japanese]


def test_pictures_are_small_and_say_what_they_show() -> None:
    for page in NAMES:
        for words, path in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", prose(page)):
            assert words, f"{page}: {path}"
            assert ((ROOT / page).parent / path).stat().st_size < 300_000
    shown = {Path(path).name for page in NAMES for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", prose(page))}
    assert {file.name for file in (ROOT / "docs" / "images").iterdir()} == shown


def test_every_decision_is_listed_and_says_context_choice_and_price() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(LINK.findall((folder / "README.md").read_text()))
    pages = {file.name for file in folder.glob("*.md")} - {"README.md"}
    assert listed == pages
    for page in pages:
        headings = re.findall(r"^## (\w+)", (folder / page).read_text(), re.MULTILINE)
        assert headings[:3] == ["Context", "Choice", "Price"], page


def anchors(file: Path) -> set[str]:
    """The anchors GitHub gives to headings."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def bare(code: str) -> list[str]:
    lines = (re.sub(r"(^|\s)# .*", "", line).rstrip() for line in code.splitlines())
    return [line for line in lines if line]
