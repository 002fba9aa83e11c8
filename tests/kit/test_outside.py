"""The kit in somebody else's project: any way to run coroutine tests will do; pytest shows the author's line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

JOURNEY = """
from tabiji import Journey, days, journey, on


@journey(trigger=on("Trial Started"))
class Trial(Journey):
    async def steps(self) -> None:
        await self.send_email("trial/welcome")
        await self.wait(days=90)
        await self.tag({}["plan"], step="plan")
"""
STRICT = """
import pytest
from workflows.trial import Trial


@pytest.mark.asyncio
async def test_it_is_mailed(journeys):
    [run] = await journeys.happens("Trial Started", contact="ann")
    assert journeys.outbox == ["trial/welcome"]


@pytest.mark.asyncio
async def test_it_goes_all_the_way(journeys):
    run = await journeys.start(Trial)
    await run.result()
"""
WITHOUT_A_PLUGIN = """
import asyncio
from workflows.trial import Trial


def test_it_is_mailed(journeys):
    async def plays():
        await journeys.start(Trial)
        assert journeys.outbox == ["trial/welcome"]

    asyncio.run(plays())
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "__init__.py").touch()
    (tmp_path / "workflows" / "trial.py").write_text(JOURNEY)
    return tmp_path


def run(project: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    (project / "pytest.ini").write_text("[pytest]\npythonpath = .\nasyncio_default_fixture_loop_scope = function\n")
    (project / "test_trial.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=100)


@pytest.mark.slow
def test_in_strict_mode_and_the_last_line_shown_is_the_authors(project: Path) -> None:
    ran = run(project, STRICT, "-o", "asyncio_mode=strict")
    assert "1 failed, 1 passed" in ran.stdout, ran.stdout
    shown = [
        line for line in ran.stdout.splitlines() if line.startswith(("test_trial.py:", "workflows/", "/", "tabiji"))
    ]
    assert shown == ["test_trial.py:15: ", f"workflows/trial.py:{JOURNEY.splitlines().index(TAGS) + 1}: KeyError"]
    assert "in trial/c1/1, 90 days after the beginning" in ran.stdout


@pytest.mark.slow
def test_without_any_plugin_for_coroutines(project: Path) -> None:
    ran = run(project, WITHOUT_A_PLUGIN, "-p", "no:asyncio")
    assert "1 passed" in ran.stdout, ran.stdout


TAGS = '        await self.tag({}["plan"], step="plan")'
