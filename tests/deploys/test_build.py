"""A build id changes when what decides a journey's way has changed, and only then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tabiji.deploys.build import build_here, build_of, promotes_itself
from tabiji.settings import Settings

JOURNEY = '''
from datetime import timedelta
from shared import helper

class Welcome:
    """Hello."""
    pause = timedelta(days=2)
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {
        "workflows/__init__.py": "",
        "workflows/welcome.py": JOURNEY,
        "shared/__init__.py": "",
        "shared/helper.py": "from . import deeper",
        "shared/deeper.py": "PAUSE = 2",
        "shared/unused.py": "PAUSE = 2",
        "activities/messages.py": "PAUSE = 2",
        "templates/email/welcome.html": "Hello",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def edited(file: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(project: Path) -> None:
        text = (project / file).read_text()
        assert old in text
        (project / file).write_text(text.replace(old, new))

    return edit


def added(file: str) -> Callable[[Path], None]:
    def add(project: Path) -> None:
        (project / file).write_text("A = 1")

    return add


@pytest.mark.parametrize(
    "edit",
    [
        edited("workflows/welcome.py", "days=2", "days=3"),
        edited("shared/helper.py", "deeper", "deeper as d"),
        edited("shared/deeper.py", "2", "3"),
        added("workflows/new.py"),
    ],
    ids=["a journey", "what it imports", "what that imports", "a new journey"],
)
def test_a_change_of_what_journeys_do_makes_a_new_version(project: Path, edit: Callable[[Path], None]) -> None:
    before = build_of(project)
    edit(project)
    assert build_of(project) != before


@pytest.mark.parametrize(
    "edit",
    [
        edited("workflows/welcome.py", "days=2)", "days=2)  # two days"),
        edited("shared/unused.py", "2", "3"),
        edited("activities/messages.py", "2", "3"),
        edited("templates/email/welcome.html", "Hello", "Good morning"),
    ],
    ids=["a comment", "what no journey imports", "an activity", "a template"],
)
def test_nobody_has_to_be_moved_for_anything_else(project: Path, edit: Callable[[Path], None]) -> None:
    before = build_of(project)
    edit(project)
    assert build_of(project) == before


def test_the_same_code_in_another_place_is_the_same_version(project: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    for file in list(project.rglob("*.py")):
        (copied / file.relative_to(project)).parent.mkdir(parents=True, exist_ok=True)
        (copied / file.relative_to(project)).write_bytes(file.read_bytes())
    assert build_of(copied) == build_of(project)


def test_a_desk_has_one_version_that_is_current_by_itself(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    desk, named = Settings(), Settings(build_id="mine")
    production = Settings.model_construct(environment="production", build_id=None)
    assert [build_here(each) for each in (desk, named, production)] == ["desk", "mine", build_of(project)]
    assert [promotes_itself(each) for each in (desk, named, production)] == [True, False, False]
