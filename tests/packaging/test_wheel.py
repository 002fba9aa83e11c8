"""What a stranger installs."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_only_the_one_unique_name_is_installed(wheel: Path) -> None:
    """`models` or `api` in site-packages would overwrite other people's."""
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"tabiji"}


def test_types_licence_and_command_come_along(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    names = archive.namelist()
    assert "tabiji/py.typed" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    entry_points = next(name for name in names if name.endswith("/entry_points.txt"))
    assert b"tabiji = tabiji.cli:main" in archive.read(entry_points)


def test_no_test_cache_or_secret_comes_along(wheel: Path) -> None:
    for name in zipfile.ZipFile(wheel).namelist():
        parts = name.split("/")
        assert "__pycache__" not in parts
        assert ".tabiji" not in parts
        assert parts[-1] not in {".env", "tabiji.env"}
        assert "tests" not in parts or parts[:2] == ["tabiji", "_project"], name


def test_the_scaffold_is_the_whole_application(wheel: Path) -> None:
    """Every tracked file of the application's folders, and the templates of what differs."""
    names = set(zipfile.ZipFile(wheel).namelist())
    folders = [
        "activities",
        "api",
        "assets",
        "deploy",
        "forms",
        "hooks",
        "migrations",
        "models",
        "templates",
        "workflows",
    ]
    tracked = subprocess.run(
        ["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    there = [file for file in tracked if (ROOT / file).exists()]
    assert there
    assert {f"tabiji/_scaffold/{file}" for file in there} <= names
    assert {"tabiji/_scaffold/worker.py", "tabiji/_scaffold/.env.example", "tabiji/_scaffold/alembic.ini"} <= names
    assert {"tabiji/_project/pyproject.toml.tmpl", "tabiji/_project/README.md.tmpl"} <= names
