"""A project with the journeys of these tests in it, and scenes in which its processes die."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tabiji.scaffold import create
from tests.crash import crossing
from tests.crash.scene import Scene, scene
from tests.databases import PostgresServer


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("crash") / "project"
    create(made)
    shutil.copy(str(crossing.__file__), made / "workflows" / "crossing.py")
    return made


@pytest.fixture
async def on_sqlite(tmp_path: Path, project: Path) -> AsyncGenerator[Scene]:
    async with scene(tmp_path, project, f"sqlite:///{tmp_path / 'tabiji.sqlite3'}") as made:
        yield made


@pytest.fixture
async def on_postgresql(tmp_path: Path, project: Path, postgres: PostgresServer) -> AsyncGenerator[Scene]:
    name = f"crash_{uuid.uuid4().hex}"
    await postgres.run(f"CREATE DATABASE {name}")
    try:
        async with scene(tmp_path, project, postgres.url(name)) as made:
            yield made
    finally:
        await postgres.run(f"DROP DATABASE {name} WITH (FORCE)")
