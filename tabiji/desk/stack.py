"""Looks after several child processes: starts them in order, restarts what dies, stops them all.

    stack = Stack([Child(…), Child(…)], logs=folder)
    running = asyncio.create_task(stack.run())
    await stack.ready.wait()
    await stack.reload("worker")
    running.cancel()                  # returns when nothing is left

It knows nothing of tabiji's own processes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from tabiji.desk.child import Child, Running, describe
from tabiji.errors import TabijiError

log = structlog.stdlib.get_logger(__name__)
GLANCE = 0.1


class ChildFailed(TabijiError):
    """A child died too often. The message has its last lines."""

    code = "child_failed"

    def __init__(self, child: str, reason: str, tail: Sequence[str], file: Path) -> None:
        words = "".join(f"\n  {line}" for line in tail)
        super().__init__(f"{child} {reason}. Its last lines (all of them: {file}):{words or ' none'}")


@dataclass(frozen=True)
class Patience:
    """How much dying is borne."""

    deaths: int = 5
    """This many within the window stop the stack."""
    window: timedelta = timedelta(minutes=5)
    first: timedelta = timedelta(milliseconds=200)
    """The wait before the first restart; doubled for each further death."""

    def pause(self, deaths: int) -> float:
        """Seconds to wait after that many deaths."""
        return self.first.total_seconds() * 2.0 ** (deaths - 1)


class Stack:
    """Children that belong together."""

    def __init__(
        self,
        children: Sequence[Child],
        *,
        logs: Path,
        patience: Patience | None = None,
        changed: Callable[[Mapping[str, int]], None] = lambda _pids: None,
    ) -> None:
        """Nothing starts yet.

        Args:
            children: Each after those named in its `after`.
            logs: Folder for one log file each. It exists.
            patience: How many deaths are too many.
            changed: Told the pids by name, whenever a child was started.
        """
        self.ready = asyncio.Event()
        self._children = {child.name: child for child in children}
        self._ready = {child.name: asyncio.Event() for child in children}
        self._running: dict[str, Running] = {}
        self._logs = logs
        self._patience = patience or Patience()
        self._changed = changed

    async def run(self) -> None:
        """Start all and look after them until cancelled. On the way out all are stopped.

        Raises:
            ChildFailed: One died too often. All others are stopped.
        """
        keeping = [asyncio.create_task(self._keep(child)) for child in self._children.values()]
        keeping.append(asyncio.create_task(self._announce()))
        try:
            await asyncio.gather(*keeping)
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
            await self._stop()

    async def reload(self, name: str) -> None:
        """Stop one child with all grace and start it anew. Returns when the new one is ready."""
        if running := self._running.get(name):
            self._ready[name].clear()
            log.info("child.reloading", child=name)
            await running.stop()
            await self._ready[name].wait()

    def kill(self) -> None:
        """End every child at once, without grace."""
        for running in self._running.values():
            running.kill()

    async def _announce(self) -> None:
        for ready in self._ready.values():
            await ready.wait()
        self.ready.set()

    async def _keep(self, child: Child) -> None:
        deaths: deque[float] = deque(maxlen=self._patience.deaths)
        clock = asyncio.get_running_loop().time
        for name in child.after:
            await self._ready[name].wait()
        while True:
            running = await self._start(child)
            reason = await self._watch(child, running)
            self._ready[child.name].clear()
            if running.expected:
                continue
            deaths.append(clock())
            while deaths[0] < clock() - self._patience.window.total_seconds():
                deaths.popleft()
            if len(deaths) >= self._patience.deaths:
                file = self._logs / f"{child.name}.log"
                raise ChildFailed(child.name, f"ended {len(deaths)} times, lastly: {reason}", running.tail, file)
            pause = self._patience.pause(len(deaths))
            log.warning("child.died", child=child.name, reason=reason, deaths=len(deaths), restart_in=pause)
            await asyncio.sleep(pause)

    async def _start(self, child: Child) -> Running:
        running = self._running[child.name] = await Running.start(child, self._logs)
        log.info("child.started", child=child.name, pid=running.pid)
        self._changed({name: each.pid for name, each in self._running.items()})
        return running

    async def _watch(self, child: Child, running: Running) -> str:
        """See it become ready, then see it end. Returns why it ended."""
        ending = asyncio.create_task(running.wait())
        probing = asyncio.create_task(_until_ready(child, running.pid))
        try:
            await asyncio.wait([ending, probing], return_when=asyncio.FIRST_COMPLETED)
            if not ending.done():
                try:
                    probing.result()
                except TimeoutError:
                    running.kill()
                    await ending
                    return f"not ready within {child.patience.total_seconds():g} seconds"
                if not running.expected:
                    log.info("child.ready", child=child.name, pid=running.pid)
                    self._ready[child.name].set()
            code = await ending
            running.kill()  # whoever is left in its group
            return describe(code)
        finally:
            probing.cancel()
            ending.cancel()

    async def _stop(self) -> None:
        """Those that need others first, the others afterwards."""
        left = dict(self._running)
        while left:
            needed = {name for child in left for name in self._children[child].after}
            last = [left.pop(name) for name in list(left) if name not in needed]
            if not last:  # a circle would not have started
                last, left = list(left.values()), {}
            log.info("stack.stopping", children=[running.child.name for running in last])
            await asyncio.gather(*(running.stop() for running in last))


async def _until_ready(child: Child, pid: int) -> None:
    """Raises `TimeoutError` when patience is over."""
    async with asyncio.timeout(child.patience.total_seconds()):
        while True:
            with suppress(OSError):
                if await child.ready(pid):
                    return
            await asyncio.sleep(GLANCE)
