"""Records of a table with the lines they stand on. What is wrong with one does not spoil the next."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LONGEST_CELL = 131_072
"""Characters. Python's own limit, and far beyond what a contact can keep."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record. `line` is where it begins, counted from 1; `problem` says why it could not be read."""

    line: int
    cells: tuple[str, ...]
    problem: str | None = None

    @property
    def empty(self) -> bool:
        """Nothing but blanks."""
        return self.problem is None and not any(cell.strip() for cell in self.cells)


def read_rows(lines: Iterable[str], delimiter: str) -> Iterator[Row]:
    """Records of a table; a cell may go over several lines. One that cannot be read is one cell with all its text.

    Args:
        lines: With their ends, as a file opened with ``newline=""`` gives them.
        delimiter: Of columns.
    """
    taken: list[str] = []
    reader = csv.reader(_noted(lines, taken), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(line, ("".join(taken),), _in_words(str(error), line, reader.line_num))
            continue
        yield Row(line, tuple(cells))


def _noted(lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


def _in_words(error: str, line: int, last: int) -> str:
    if "field limit" in error:
        over = f" up to line {last}" if last > line else ""
        return (
            f"a cell{over} has more than {LONGEST_CELL} characters; if it should not, a quotation mark is opened "
            "and never closed"
        )
    if "unexpected end" in error:
        return f"a quotation mark is opened and never closed up to the last line ({last})"
    if "expected after" in error:
        return "text stands right after a closing quotation mark; a quotation mark inside a cell is written twice"
    return f"cannot be read: {error}"
