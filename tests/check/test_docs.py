"""The page names every rule there is."""

from __future__ import annotations

import re
from pathlib import Path

from tests.check.test_rules import WRONG

ROOT = Path(__file__).parent.parent.parent


def test_every_code_is_on_the_page_and_in_a_test() -> None:
    sources = "".join(file.read_text("utf-8") for file in (ROOT / "tabiji/journey/check").glob("*.py"))
    codes = set(re.findall(r'"([a-z]+(?:-[a-z]+)+|template|topic|clock|chance|circle|syntax)"', sources))
    page = (ROOT / "docs/map-and-check.md").read_text("utf-8")
    named = {
        code for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for code in re.findall(r"`([\w-]+)`", row)
    }
    assert set(WRONG) <= named
    assert codes <= named, codes - named
