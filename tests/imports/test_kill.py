"""`kill -9` at any moment, and on: everybody once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from models.contact import Consent, Contact, ContactTag
from models.database import Database
from models.event import Event
from models.import_job import ImportJob
from models.schema import upgrade
from tests.docs.pages import ROOT
from tests.imports.house import House

PEOPLE = 1500


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_process_that_is_killed_again_and_again_leaves_everybody_there_once(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'tabiji.sqlite3'}"
    await upgrade(address)
    file = tmp_path / "people.csv"
    row = "user{0}@example.com,Ann {0},vip,yes,fair,2026-10-01\n"
    header = "email,name,tags,consent.news,consent.news.source,consent.news.at\n"
    file.write_text(header + "".join(row.format(number) for number in range(PEOPLE)), encoding="utf-8")
    database = Database(address)
    house = House(database, tmp_path)
    try:
        place, resume = 0, ""
        for _ in range(3):
            process = await start(file, address, resume)
            place = await further_than(house, place)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            (job,) = await house.rows(ImportJob)
            resume = str(job.id)
        process = await start(file, address, resume)
        assert await process.wait() == 0

        (job,) = await house.rows(ImportJob)
        assert (job.state, job.people) == ("done", PEOPLE)
        for model in (Contact, Event, Consent, ContactTag):
            assert len(await house.rows(model)) == PEOPLE, model
    finally:
        await database.close()


async def start(file: Path, address: str, resume: str) -> asyncio.subprocess.Process:
    argv = [sys.executable, "-m", "tabiji.cli", "import", str(file), *(["--resume", resume] if resume else [])]
    env = {name: value for name, value in os.environ.items() if not name.startswith("TABIJI_")}
    return await asyncio.create_subprocess_exec(
        *argv, cwd=ROOT, env={**env, "TABIJI_DATABASE_URL": address}, stderr=asyncio.subprocess.DEVNULL
    )


async def further_than(house: House, place: int) -> int:
    async with asyncio.timeout(60):
        while True:
            found = max((job.place for job in await house.rows(ImportJob)), default=0)
            if found > place:
                return found
            await asyncio.sleep(0.02)
