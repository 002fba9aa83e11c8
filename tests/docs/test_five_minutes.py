"""The five minutes of the README, for real: a project, a desk, a journey, a visitor made of curl."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from tabiji.scaffold import create
from tests.desk.desks import Desk
from tests.docs.pages import blocks
from tests.docs.test_snippets import save
from tests.packaging.test_stranger import free_ports


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's visitor is made of curl, which is not here")
@pytest.mark.timeout(180)
async def test_a_journey_of_ones_own_runs_as_the_readme_says(tmp_path: Path) -> None:
    project = tmp_path / "shop"
    create(project)
    for block in (*blocks("README.md", "python"), *blocks("README.md", "html")):
        if block.path is not None:
            save(project / block.path, block.text)
    (visit,) = (block.text for block in blocks("README.md", "sh") if "API=" in block.text)

    ports = iter(free_ports(5))
    desk = Desk(project, project / ".tabiji", lambda: next(ports))
    async with desk.up():
        said = await shell(visit.replace(":8000", f":{desk.port('API')}"), project, desk.env)
        assert "trial-nurture" in said
        await arrive(desk, {"Your whitepaper is here", "Your trial has begun", "Anything in the way?"})


async def shell(script: str, folder: Path, environment: dict[str, str]) -> str:
    """Run it line by line, as it stands on the page."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-euc",
        script,
        cwd=folder,
        env={**environment, "PATH": path},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    assert '"status":4' not in out.decode(), out.decode()
    return out.decode()


async def arrive(desk: Desk, subjects: set[str]) -> None:
    async with asyncio.timeout(40):
        while not subjects <= {mail["subject"] for mail in await desk.mails()}:  # noqa: ASYNC110 # no event to wait for
            await asyncio.sleep(0.2)
