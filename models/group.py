"""The entrance for many callers at once: those who wait share the next transaction.

    entrance = Entrance(database, catalog, clock, outbox)
    await entrance.record([item])           answered after the commit, as from a `Recorder`
    await entrance.record_each(items)       the same for a batch whose items may fail one by one

While one group is being committed the next one gathers, so the busier it is, the more share a commit. Nobody waits for
company: who comes alone goes alone. Lanes take turns, so that who sends much waits behind themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from models.clock import Clock
from models.database import Database
from models.incoming import Incoming
from models.lanes import Lanes
from models.record import Outbox, Recorded, Recorder
from tabiji.domain.journeys import Catalog
from tabiji.errors import Busy, DatabaseDown, Unavailable

GROUP = 500
"""Items in a transaction: on SQLite it must be over soon, for there everybody else waits."""
ROOM = 10_000
"""Items that may wait. Who waits behind so many would not get an answer in time."""
AT_ONCE = {"sqlite": 1, "postgresql": 3}
"""Transactions side by side. SQLite has one writer."""
COMPANY = 100
"""Items that are worth a transaction beside another. Fewer wait for the next one, and share it: what a transaction
costs by itself is a multiple of what one more item in it costs."""


@dataclass(frozen=True, slots=True)
class _Call:
    """One caller, and what they wait for."""

    batch: Sequence[Incoming]
    answer: asyncio.Future[list[Recorded]]


class Entrance(Recorder):
    """Records what contacts do, many callers in one transaction."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        clock: Clock,
        outbox: Outbox,
        *,
        group: int = GROUP,
        room: int = ROOM,
        at_once: int | None = None,
    ) -> None:
        """Put together.

        Args:
            database: Where.
            catalog: The journeys that are loaded here.
            clock: Of what comes in.
            outbox: Takes what must reach Temporal.
            group: So many items share a transaction at most; a larger batch has one of its own.
            room: So many items may wait.
            at_once: Transactions side by side; what is best for the database, where not given.
        """
        super().__init__(database, catalog, clock, outbox)
        self._group = group
        self._at_once = at_once or AT_ONCE[database.dialect]
        self._calls = Lanes[_Call](room)
        self._serving: set[asyncio.Task[None]] = set()

    async def record(self, batch: Sequence[Incoming], *, lane: str = "") -> list[Recorded]:
        """Store a batch and wake whoever waits for it. All of it or nothing.

        A caller that stops waiting loses the answer; what they brought is stored all the same.

        Args:
            batch: What they bring.
            lane: Whose it is, a key's name: lanes take turns. Without one it has no limit but the room's.

        Raises:
            Busy: Too many wait already. Nothing is stored.
            DatabaseDown: Nothing is known to be stored; the same batch may be sent again.
            UnknownContact: An item names a contact that is not there.
        """
        if not batch:
            return []
        call = _Call(batch, asyncio.get_running_loop().create_future())
        if not self._calls.put(lane, call, len(batch)):
            raise Busy("more comes in than can be stored. Send it again later.", retry_after=timedelta(seconds=2))
        beside = len(self._serving) < self._at_once and len(self._calls) >= min(COMPANY, self._group)
        if beside or not self._serving:
            self._serving.add(asyncio.create_task(self._serve()))
        return await call.answer

    async def record_each(self, batch: Sequence[Incoming], *, lane: str = "") -> list[Recorded | Exception]:
        """Store of a batch what can be stored; for the rest its error. The order is kept.

        Raises:
            Busy: Too many wait already.
            DatabaseDown: Nothing is known to be stored; the same batch may be sent again.
        """
        try:
            return [*await self.record(batch, lane=lane)]
        except Unavailable:
            raise
        except Exception as error:
            if len(batch) == 1:
                return [error]
            middle = len(batch) // 2
            first = await self.record_each(batch[:middle], lane=lane)
            return [*first, *await self.record_each(batch[middle:], lane=lane)]

    async def close(self) -> None:
        """Wait until everybody who was let in has been answered."""
        while self._serving:
            await asyncio.wait(self._serving)

    async def _serve(self) -> None:
        try:
            while self._calls:
                await asyncio.sleep(0)  # whose requests are here already goes along
                await self._answer(self._calls.take(self._group))
        finally:
            # At once: who comes before this task has been seen to be done must find nobody who serves.
            self._serving.discard(asyncio.current_task())

    async def _answer(self, calls: Sequence[_Call]) -> None:
        """Store what these callers brought. Where that fails on the data, halve until the guilty stands alone."""
        try:
            recorded = await super().record([item for call in calls for item in call.batch])
        except DatabaseDown as error:
            for call in calls:
                _fail(call, DatabaseDown(str(error)))
        except Exception as error:
            if len(calls) == 1:
                _fail(calls[0], error)
                return
            middle = len(calls) // 2
            await self._answer(calls[:middle])
            await self._answer(calls[middle:])
        except BaseException:
            for call in calls:
                call.answer.cancel()
            raise
        else:
            start = 0
            for call in calls:
                end = start + len(call.batch)
                if not call.answer.done():
                    call.answer.set_result(recorded[start:end])
                start = end


def _fail(call: _Call, error: Exception) -> None:
    if not call.answer.done():
        call.answer.set_exception(error)
