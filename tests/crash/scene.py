"""A relay, a database, a Temporal server on a file, and workers that can be killed; people who travel through them."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlmodel import SQLModel
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError

from activities.dispatch import Dispatcher
from models import schema
from models.clock import SystemClock
from models.database import AnyRow, Database, table
from models.enroll import Pending
from models.enrollment import Enrollment, Listener
from models.incoming import ConsentGiven, Incoming
from models.message import Message
from models.record import Recorder
from tabiji import JourneyPlugin
from tabiji.domain.journeys import Catalog
from tabiji.errors import ConfigurationError
from tabiji.settings import Settings
from tabiji.temporal import connect, prepare
from tests.crash import processes
from tests.crash.crossing import Bought, Crossing, Guarded, Hurried
from tests.crash.processes import Program
from tests.crash.relay import Relay, relay
from tests.journeys.stage import until

SECRET = "s" * 32
STARTED = "worker.started"
"""What a worker logs when it begins to work."""


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Person:
    """Somebody who has agreed to mails."""

    address: str
    contact: UUID


class _Nobody:
    def offer(self, pending: Sequence[Pending]) -> None:
        """See `Outbox`."""


@dataclass
class Scene:
    """What a test plays with. Nothing here delivers twice or sweeps: that is what the killed processes are for."""

    folder: Path
    project: Path
    settings: Settings
    database: Database
    relay: Relay
    temporal: Program
    client: Client
    outbox: Dispatcher
    recorder: Recorder
    forgetful: Recorder
    """Writes down what must reach Temporal and never delivers it."""
    programs: list[Program]
    _numbers: Any = field(default_factory=lambda: count(1))

    async def worker(self, **more: str) -> Program:
        """Start one, with more in its environment, and wait until it works."""
        env = {**self._env(), **more}
        made = processes.worker(self.project, self.folder / f"worker{len(self.programs)}.log", env)
        self.programs.append(made)
        await self.start(made)
        return made

    async def start(self, worker: Program) -> None:
        """Start a worker, again if it has been killed."""
        started = worker.said.count(STARTED) + 1
        await worker.start()

        def works() -> bool:
            assert worker.runs, worker.said
            return worker.said.count(STARTED) == started

        await until(works, "the worker works", within=60)

    async def hangs(self, program: Program) -> None:
        """Stop it where it stands, but not inside a transaction: SQLite's one writer would hang with it."""
        while True:
            program.send(signal.SIGSTOP)
            files = ("turn", "write") if self.database.dialect == "sqlite" else ()
            if not any(_is_locked(Path(f"{self.database.url.database}.{name}")) for name in files):
                return
            program.send(signal.SIGCONT)
            await asyncio.sleep(0.01)

    def api(self, port: int) -> Program:
        """One that has not been started."""
        env = {**self._env(), "TABIJI_API_PORT": str(port)}
        made = processes.api(self.project, self.folder / f"api{len(self.programs)}.log", env)
        self.programs.append(made)
        return made

    def _env(self) -> dict[str, str]:
        return {
            "TABIJI_DATABASE_URL": str(self.settings.database_url),
            "TABIJI_TEMPORAL_ADDRESS": self.settings.temporal_address,
            "TABIJI_SMTP_PORT": str(self.relay.port),
            "TABIJI_SMTP_CONNECTIONS": "10",
            "TABIJI_SECRET": SECRET,
            "TABIJI_DATA": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    # People

    async def person(self) -> Person:
        number = next(self._numbers)
        [known] = await self.recorder.record(
            [
                Incoming(
                    kind="identify",
                    name="Identified",
                    message_id=f"person-{number}",
                    at=datetime.now(UTC),
                    user_id=f"u-{number}",
                    email=f"p{number}@example.jp",
                    consent=ConsentGiven(topic="marketing", source="test"),
                )
            ]
        )
        return Person(f"p{number}@example.jp", known.contact_id)

    async def enters(self, journey: str, person: Person) -> str:
        """Returns the enrollment's id."""
        entered = await self.recorder.enroll(journey, person.contact)
        assert entered.enrollment_id is not None
        return entered.enrollment_id

    async def acts(self, person: Person, event: str, *, delivered: bool = True) -> None:
        """The event is stored and offered to Temporal, as the API does it; or not, as when the API dies at once."""
        recorder = self.recorder if delivered else self.forgetful
        await recorder.record(
            [
                Incoming(
                    kind="track",
                    name=event,
                    message_id=f"event-{next(self._numbers)}",
                    at=datetime.now(UTC),
                    contact_id=person.contact,
                )
            ]
        )

    # What became of it

    async def rows(self, model: type[SQLModel], **where: Any) -> Sequence[AnyRow]:
        wanted = table(model)
        query = select(wanted).where(*(wanted.c[name] == value for name, value in where.items()))
        async with self.database.read() as tx:
            return (await tx.execute(query)).all()

    async def message(self, enrollment: str) -> AnyRow:
        """The only message of an enrollment."""
        [row] = await self.rows(Message, enrollment_id=enrollment)
        return row

    async def listens(self, enrollment: str) -> None:
        """Wait until it waits for somebody to act: the listener is written and the timer runs."""

        async def written() -> bool:
            return bool(await self.rows(Listener, enrollment_id=enrollment))

        await until(written, f"{enrollment} listens", within=60)
        await self.sleeps(enrollment)

    async def sleeps(self, enrollment: str) -> None:
        """Wait until its timer runs."""

        async def runs() -> bool:
            try:
                history = await self.client.get_workflow_handle(enrollment).fetch_history()
            except RPCError:  # not started yet
                return False
            return any(event.event_type == EventType.EVENT_TYPE_TIMER_STARTED for event in history.events)

        await until(runs, f"{enrollment} has a timer", within=60)

    async def ends(self, *enrollments: str, within: float = 90) -> list[str]:
        """Wait until all are over. Returns their states."""

        async def states() -> list[str]:
            found = {row.id: row.state for row in await self.rows(Enrollment)}
            return [found[enrollment] for enrollment in enrollments]

        async def over() -> bool:
            return "running" not in await states()

        await until(over, "all journeys are over", within=within)
        return await states()

    async def has_sent(self, *enrollments: str, within: float = 60) -> None:
        """Wait until the only message of each is sent."""

        async def sent() -> bool:
            found = [await self.rows(Message, enrollment_id=enrollment) for enrollment in enrollments]
            return all([row.state for row in rows] == ["sent"] for rows in found)

        await until(sent, "all are sent", within=within)

    async def somebody_waits_to_write(self) -> None:
        """Wait until another process stands before what a transaction of ours has locked."""

        async def stands() -> bool:
            if self.database.dialect == "sqlite":
                return _is_locked(Path(f"{self.database.url.database}.turn"))
            async with self.database.read() as tx:
                query = text(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND state = 'active'"
                )
                return bool(await tx.scalar(query))

        await until(stands, "somebody waits to write")


def _is_locked(file: Path) -> bool:
    held = os.open(file, os.O_RDWR)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(held)
    return False


async def _client(settings: Settings) -> Client:
    """Wait for the server, and make its namespace fit."""

    async def there() -> bool:
        try:
            await prepare(await connect(settings, [JourneyPlugin()]), settings)
        except (ConfigurationError, RPCError):
            return False
        return True

    await until(there, "Temporal answers", within=60)
    return await connect(settings, [JourneyPlugin()])


@asynccontextmanager
async def scene(folder: Path, project: Path, database_url: str) -> AsyncGenerator[Scene]:
    """Everything but workers. Whatever was started is gone at the end."""
    port = free_port()
    temporal = processes.temporal_server(folder, port)
    programs = [temporal]
    settings = Settings(database_url=database_url, temporal_address=f"127.0.0.1:{port}")
    await schema.upgrade(database_url)
    database = Database(database_url)
    catalog = Catalog(journey.spec for journey in (Crossing, Guarded, Hurried, Bought))
    async with relay() as taking:
        try:
            await temporal.start()
            client = await _client(settings)
            outbox = Dispatcher(client, database, catalog, task_queue=settings.task_queue)
            heard = Recorder(database, catalog, SystemClock(), outbox)
            unheard = Recorder(database, catalog, SystemClock(), _Nobody())
            yield Scene(
                folder=folder,
                project=project,
                settings=settings,
                database=database,
                relay=taking,
                temporal=temporal,
                client=client,
                outbox=outbox,
                recorder=heard,
                forgetful=unheard,
                programs=programs,
            )
            await outbox.close()
        finally:
            await asyncio.gather(*(program.kill() for program in reversed(programs)))
            await database.close()
