"""The page that explains reasons explains all of them, in the words commands use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_reason_and_state_stands_on_the_page_in_the_words_of_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "tools/reasons_table.py", "--check"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
