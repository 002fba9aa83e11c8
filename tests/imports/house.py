"""A store over a test's database, and files for it."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from sqlalchemy import select
from sqlmodel import SQLModel

from models.clock import SystemClock
from models.database import Database, table
from models.exports import lines_of
from models.imports import Imports, LeftToTheSweep
from models.reads.contacts import ContactShown, find_contact, show_contact
from models.record import Recorder
from tabiji.desk.importing import Report, Wanted
from tabiji.desk.imports import Told, import_file
from tabiji.desk.people_files import Exported, export_to
from tabiji.domain.csv.orders import Store
from tabiji.domain.journeys import Catalog, JourneySpec


@dataclass
class House:
    """A database, and what an operator does with it."""

    database: Database
    folder: Path
    specs: Sequence[JourneySpec] = ()
    shift: timedelta = timedelta(0)
    said: io.StringIO = field(default_factory=io.StringIO)

    @asynccontextmanager
    async def open(self, *, trigger: bool) -> AsyncGenerator[Store]:
        clock = SystemClock(self.shift)
        recorder = Recorder(self.database, Catalog(self.specs if trigger else ()), clock, LeftToTheSweep())
        yield Imports(self.database, recorder, clock)

    def file(self, text: str, encoding: str = "utf-8", name: str = "people.csv") -> Path:
        path = self.folder / name
        path.write_bytes(text.encode(encoding))
        return path

    async def take_in(self, file: Path, mapping: str = "", said: dict[str, Any] | None = None, **wanted: Any) -> Report:
        mapped = self.folder / "map.toml"
        mapped.write_text(mapping, encoding="utf-8")
        self.said = io.StringIO()
        console = Console(file=self.said, width=200)
        return await import_file(self.open, Told(file, mapped, said or {}), Wanted(**wanted), console)

    async def give_out(self, path: Path, **wanted: Any) -> int:
        @asynccontextmanager
        async def opened(*, where: Sequence[str], columns: Sequence[str]) -> AsyncGenerator[Any]:
            yield lines_of(self.database, where, columns)

        return await export_to(opened, Exported(path, **wanted))

    async def contact(self, kind: str, value: str) -> ContactShown | None:
        async with self.database.read() as tx:
            found = await find_contact(tx, kind, value)
            return None if found is None else await show_contact(tx, found)

    async def known(self, email: str) -> ContactShown:
        found = await self.contact("email", email)
        assert found is not None
        return found

    async def rows(self, model: type[SQLModel]) -> list[Any]:
        async with self.database.read() as tx:
            return list((await tx.execute(select(table(model)))).all())


def errors_of(file: Path, encoding: str = "utf-8-sig") -> list[str]:
    return file.with_name(f"{file.stem}.errors.csv").read_text(encoding=encoding).splitlines()
