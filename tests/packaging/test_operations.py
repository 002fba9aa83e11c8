"""What the operations manual says is so."""

from __future__ import annotations

import subprocess
import sys

from tests.packaging.composed import ROOT


def test_the_table_of_settings_is_that_of_the_code() -> None:
    checked = subprocess.run(
        [sys.executable, "tools/settings_table.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_every_setting_that_the_manual_speaks_of_exists() -> None:
    import re

    from tabiji.settings import Settings

    images = {"TABIJI_IMAGE", "TABIJI_PREVIOUS_IMAGE"}
    known = {f"TABIJI_{name.upper()}" for name in Settings.model_fields} | {"TABIJI_ENV_FILE"} | images
    for file in ("docs/operations.md", ".env.example", "docker-compose.yml"):
        spoken_of = set(re.findall(r"TABIJI_[A-Z_]*[A-Z]", (ROOT / file).read_text()))
        assert spoken_of <= known, file
