"""The page that explains reasons explains all of them, in the words commands use."""

from __future__ import annotations

from pathlib import Path

from tabiji.domain.sending.words import REASONS, STATES

PAGE = Path(__file__).parents[2] / "docs" / "why-not-sent.md"


def test_every_reason_and_state_stands_on_the_page_in_the_words_of_the_command() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [f"| `{reason}` | {meaning.says} | {meaning.remedy} |" for reason, meaning in REASONS.items()]
    rows += [f"| `{state}` | {words} |" for state, words in STATES.items()]
    assert [row for row in rows if row not in page] == []
