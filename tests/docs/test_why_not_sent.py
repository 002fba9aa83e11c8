"""The page that explains reasons explains all of them, in the words commands use."""

from __future__ import annotations

from pathlib import Path

from tools.reasons_table import reasons, states

PAGE = Path(__file__).parents[2] / "docs" / "why-not-sent.md"


def test_every_reason_and_state_stands_on_the_page_in_the_words_of_the_command() -> None:
    """Where not: `python tools/reasons_table.py`."""
    page = PAGE.read_text(encoding="utf-8")
    assert states() in page
    assert reasons() in page
