"""The table of operators says what is true."""

from __future__ import annotations

import json
import re

import pytest

from tabiji import prop
from tabiji.domain.tests import Prop, Test
from tests.docs.pages import ROOT

TEXT = (ROOT / "docs" / "conditions.md").read_text(encoding="utf-8")
ROWS = [
    [cell.replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
    for row in TEXT.partition("<!-- operators -->")[2].partition("\n\n")[0].strip().splitlines()[2:]
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip())
def test_each_row_is_true(row: list[str]) -> None:
    [expression], yes, no = (re.findall(r"`([^`]+)`", cell) for cell in row)
    test: Test = eval(expression, {"prop": prop})  # noqa: S307 # our own page

    assert yes
    assert no
    assert all(test.holds({"x": json.loads(value)}) for value in yes)
    assert not any(test.holds({"x": json.loads(value)}) for value in no)


def test_every_operator_has_a_row() -> None:
    shown = " ".join(row[0] for row in ROWS)
    methods = [f".{name}(" for name in vars(Prop) if not name.startswith("_") and name != "path"]
    for operator in ("==", "!=", ">=", "<", ">", "&", "|", "~", *methods):
        assert operator in shown
