"""The page's file, mapping and commands, as a reader has them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks

PAGE = "docs/import.md"


@pytest.mark.slow
def test_the_pages_commands_do_what_it_says(tmp_path: Path) -> None:
    (table,), (mapping,) = blocks(PAGE, "csv"), blocks(PAGE, "toml")
    (tmp_path / "people.csv").write_text(table.text, encoding="cp932")
    (tmp_path / "map.toml").write_text(mapping.text, encoding="utf-8")
    for part in ("activities", "api", "hooks", "forms", "migrations", "models", "workflows", "worker.py", "templates"):
        if (ROOT / part).exists():
            (tmp_path / part).symlink_to(ROOT / part)
    commands = next(block.text for block in blocks(PAGE, "sh") if "import" in block.text)

    said = shell(f"tabiji migrate\n{commands}", tmp_path)

    assert "3 lines: 3 would be imported (3 new, 0 known already, 0 again in this file), 0 left out" in said
    assert "3 lines: 3 imported (0 new, 3 known already" in said
    assert "1 pairs may be one person each" in said
    assert "3 contacts in fair.csv" in said
    errors = (tmp_path / "people.errors.csv").read_text(encoding="cp932")
    assert "yamada@example.com" in errors
    assert "no calendar has" in errors


def shell(script: str, folder: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TABIJI_")}
    env = {**clean, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "200"}
    ran = subprocess.run(
        ["bash", "-euc", script], cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
    return ran.stdout
