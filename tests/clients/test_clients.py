"""Segment's own clients, unmodified, drive the main journey through to the mail that tells sales; each by the snippet
of the page for web developers, and each although the first answer was lost on its way.
"""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.clients.conftest import HERE, MODULES, House, Person
from tests.clients.relay import RETRY_AFTER

pytestmark = [pytest.mark.clients, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

HAS_PYTHON = importlib.util.find_spec("segment") is not None
HAS_NODE = shutil.which("node") is not None and (MODULES / "@segment" / "analytics-node").exists()
HAS_CURL = shutil.which("curl") is not None


@pytest.mark.skipif(not HAS_PYTHON, reason="segment-analytics-python is not here: make test-clients installs it")
async def test_segment_analytics_python_drives_the_main_journey(house: House, person: Person, tmp_path: Path) -> None:
    await house.expect(userId=person.user_id)
    house.relay.start(broken=1)

    await run([sys.executable, "-c", await house.snippet("py", 0, person)], tmp_path)

    repeated(house)
    await once(house, person)
    await house.has_told_sales(person)


@pytest.mark.skipif(not HAS_NODE, reason="@segment/analytics-node is not here: make test-clients installs it")
async def test_segment_analytics_node_drives_the_main_journey(house: House, person: Person, tmp_path: Path) -> None:
    await house.expect(userId=person.user_id)
    house.relay.start(broken=1)
    (tmp_path / "node_modules").symlink_to(MODULES)
    (tmp_path / "send.mjs").write_text(await house.snippet("js", 1, person))

    await run(["node", "send.mjs"], tmp_path)

    repeated(house)
    await once(house, person)
    await house.has_told_sales(person)


@pytest.mark.skipif(not HAS_CURL, reason="curl is not here")
async def test_curl_drives_the_main_journey(house: House, person: Person, tmp_path: Path) -> None:
    await house.expect(userId=person.user_id)
    house.relay.start(broken=0)

    said = await run(["bash", "-euc", await house.snippet("sh", 1, person)], tmp_path)

    assert said.count('"success":true') == 4, said
    await once(house, person)
    await house.has_told_sales(person)


async def test_what_is_installed_is_what_the_lock_says() -> None:
    """And the lock names no registry: whoever installs has one of their own."""
    lock = (HERE / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert "registry" not in lock


def repeated(house: House) -> None:
    """The call whose answer was lost came again: the same messages, not before it was asked to come."""
    first, again, *_ = house.relay.calls
    assert again.message_ids == first.message_ids
    assert again.at - first.at >= RETRY_AFTER * 0.95


async def once(house: House, person: Person) -> None:
    """What was sent twice is stored once."""
    told = (await house.contact(person.email))["timeline"]
    names = [one["name"] for one in told if one["kind"] == "event"]
    assert {name: names.count(name) for name in ("Form Submitted", "Page Viewed")} == {
        "Form Submitted": 1,
        "Page Viewed": 1,
    }


async def run(argv: Sequence[str], folder: Path) -> str:
    """A program, to its good end."""
    process = await asyncio.create_subprocess_exec(*argv, cwd=folder, stdout=PIPE, stderr=STDOUT)
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, out.decode()
    return out.decode()
