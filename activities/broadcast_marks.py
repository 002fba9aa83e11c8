"""Writes down together how the sending of several messages ended, without letting any wait long."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from models.ledger import Fate, Ledger
from tabiji import crash
from tabiji.errors import DatabaseDown

TOGETHER = 32
"""So many at most are sent and not yet marked, beside those being marked: a crash repeats them."""
_PATIENCE, _PAUSE = 60.0, 0.25


class Marks:
    """Marks what it is given, many in one transaction: those that come while the one before is being written.

    async with Marks(ledger) as marks:
        await marks.put(fate)
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: asyncio.Queue[Fate | None] = asyncio.Queue(TOGETHER)
        self._writing: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self.marked: list[Fate] = []
        """Without those a newer attempt has taken over."""

    async def __aenter__(self) -> Self:
        """Begin to write."""
        self._writing = asyncio.create_task(self._write())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write down what is left.

        Raises:
            DatabaseDown: It was away for a minute. What could not be marked stays claimed.
        """
        await self._waiting.put(None)
        if self._writing is not None:
            await self._writing
        if self._failure is not None:
            raise self._failure

    async def put(self, fate: Fate) -> None:
        """Have one written down. Waits while many are waiting."""
        await self._waiting.put(fate)

    async def _write(self) -> None:
        going_on = True
        while going_on:
            page = [await self._waiting.get()]
            while not self._waiting.empty():
                page.append(self._waiting.get_nowait())
            going_on = None not in page
            fates = [fate for fate in page if fate is not None]
            if fates and self._failure is None:
                await self._mark(fates)

    async def _mark(self, fates: list[Fate]) -> None:
        try:
            lost = await self._patiently(fates)
        except Exception as failure:
            self._failure = failure  # whoever waits to put something must not wait for ever
            return
        self.marked += [fate for fate in fates if fate.claim.key not in lost]
        crash.point("message.marked")

    async def _patiently(self, fates: list[Fate]) -> set[str]:
        clock = asyncio.get_running_loop().time
        until = clock() + _PATIENCE
        while True:
            try:
                return await self._ledger.mark(fates)
            except DatabaseDown:
                if clock() > until:
                    raise
            await asyncio.sleep(_PAUSE)
