"""Writes the tables of states and reasons in docs/why-not-sent.md from what commands say. `--check` only compares."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tabiji.domain.sending.words import REASONS, STATES

DOCUMENT = Path(__file__).parent.parent / "docs" / "why-not-sent.md"


def main() -> None:
    """Compare or write."""
    text = DOCUMENT.read_text(encoding="utf-8")
    wanted = _filled(_filled(text, "states", states()), "reasons", reasons())
    if "--check" not in sys.argv:
        DOCUMENT.write_text(wanted, encoding="utf-8")
    elif text != wanted:
        sys.exit("docs/why-not-sent.md is behind sending/words.py: run `python tools/reasons_table.py`.")


def states() -> str:
    """What a message can be."""
    return "\n".join(
        ["| state | meaning |", "| --- | --- |", *(f"| `{name}` | {says} |" for name, says in STATES.items())]
    )


def reasons() -> str:
    """Why one was not sent, or not then."""
    rows = [f"| `{name}` | {meaning.says} | {meaning.remedy} |" for name, meaning in REASONS.items()]
    return "\n".join(["| reason | what it means | what can be done |", "| --- | --- | --- |", *rows])


def _filled(text: str, name: str, table: str) -> str:
    begin, end = f"<!-- {name}: written by tools/reasons_table.py -->", f"<!-- end of {name} -->"
    between = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    return between.sub(lambda _: f"{begin}\n{table}\n{end}", text)


if __name__ == "__main__":
    main()
