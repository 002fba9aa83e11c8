"""Cells for others to open: no spreadsheet takes one for a formula, and what we wrote we read again as it was.

A text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return gets an apostrophe in front; so does one that
has such an apostrophe already. Reading takes one away. Plain numbers stay numbers.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable

_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
_GUARDED = re.compile(r"'+[=+\-@\t\r＝＋－＠]")
_NUMBER = re.compile(r"-\d{1,15}(\.\d{1,15})?")


def harmless(cell: str) -> str:
    """A cell no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def as_meant(cell: str) -> str:
    """What stood in a cell before `harmless`; other cells are as they are."""
    return cell[1:] if _GUARDED.match(cell) else cell


def written(cells: Iterable[str], delimiter: str = ",") -> str:
    """One record, with its line end. Cells are made harmless."""
    lines: list[str] = []
    csv.writer(_Into(lines), delimiter=delimiter, lineterminator="\r\n").writerow([harmless(cell) for cell in cells])
    return "".join(lines)


class _Into:
    """What `csv` calls a file."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def write(self, text: str, /) -> int:
        self._lines.append(text)
        return len(text)
