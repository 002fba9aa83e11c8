"""`tabiji new`: a whole project or nothing."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from tabiji.errors import ConfigurationError
from tabiji.scaffold import create


def test_a_project_is_complete(tmp_path: Path) -> None:
    written = create(tmp_path / "Web Shop")
    expected = {"worker.py", "alembic.ini", "pyproject.toml", "README.md", "Dockerfile", ".env.example", ".gitignore"}
    assert expected <= {str(path) for path in written}
    tops = {path.parts[0] for path in written}
    assert {
        "workflows",
        "activities",
        "api",
        "models",
        "migrations",
        "templates",
        "tests",
        "deploy",
        "forms",
        "hooks",
        "assets",
    } <= tops
    assert all((tmp_path / "Web Shop" / path).is_file() for path in written)
    assert not [path for path in written if "__pycache__" in path.parts]


def test_it_carries_the_name_of_its_folder_and_the_version_it_was_written_by(tmp_path: Path) -> None:
    create(tmp_path / "Web Shop")
    project = tomllib.loads((tmp_path / "Web Shop" / "pyproject.toml").read_text())["project"]
    assert project["name"] == "web-shop"
    assert project["dependencies"][0].startswith("tabiji[desk]~=")
    assert "$" not in (tmp_path / "Web Shop" / "README.md").read_text()
    assert "PATH=/opt/tabiji/bin:$PATH" in (tmp_path / "Web Shop" / "Dockerfile").read_text()


def test_folders_above_it_are_made(tmp_path: Path) -> None:
    create(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "worker.py").exists()


def test_an_empty_folder_is_filled_and_stays_the_same_folder(tmp_path: Path) -> None:
    """The caller's shell may stand in it."""
    target = tmp_path / "shop"
    target.mkdir()
    before = target.stat().st_ino
    create(target)
    assert (target / "worker.py").exists()
    assert target.stat().st_ino == before


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for target in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(ConfigurationError, match=r"is not empty\. Name a folder that does not exist yet"):
            create(target)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_failure_on_the_way_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("tabiji.scaffold.Template.substitute", full)
    with pytest.raises(ConfigurationError, match=r"cannot write .*: No space left on device"):
        create(tmp_path / "shop")
    assert list(tmp_path.iterdir()) == []
