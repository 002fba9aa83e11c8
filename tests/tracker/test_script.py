from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

from api import tracker
from tests.api.conftest import Door

ROOT = Path(__file__).parent.parent.parent
SMALL = 3000
"""Bytes, compressed."""


def test_it_is_small() -> None:
    assert len(tracker.COMPRESSED) < SMALL


def test_what_is_served_was_made_from_what_is_edited() -> None:
    compared = subprocess.run(
        [sys.executable, ROOT / "tools" / "tracker.py", "--check"], check=False, capture_output=True
    )
    assert compared.returncode == 0, compared.stderr


def test_a_strict_policy_of_the_page_has_nothing_against_it() -> None:
    forbidden = r"\beval\b|new Function|innerHTML|outerHTML|insertAdjacent|document\.write|createElement|\.style\b"
    assert not re.findall(forbidden, tracker.SCRIPT.decode())


@pytest.mark.parametrize("packed", [True, False])
async def test_it_is_kept_by_browsers_and_asked_for_again_at_little_cost(sqlite_door: Door, packed: bool) -> None:
    asked = {"Accept-Encoding": "gzip, deflate, br" if packed else "identity"}

    answer = await sqlite_door.nobody.get("/t.js", headers=asked)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers.get("content-encoding") == ("gzip" if packed else None)
    assert answer.content == gzip.decompress(tracker.COMPRESSED)
    assert "max-age=3600" in answer.headers["cache-control"]
    assert answer.headers["vary"] == "Accept-Encoding"
    again = await sqlite_door.nobody.get("/t.js", headers={**asked, "If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]


async def test_any_page_may_load_it_also_with_an_integrity(sqlite_door: Door) -> None:
    answer = await sqlite_door.nobody.head("/t.js", headers={"Origin": "https://www.example.com"})

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
