"""Tells what happens as it happens, and keeps account of what did not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from rich.console import Console
from rich.markup import escape

T = TypeVar("T")
GLANCE = 0.25
"""Seconds between two looks at something that is waited for."""

Mark = Literal["", "did", "saw", "bad"]
STYLES: dict[Mark, str] = {"": "default", "did": "bold cyan", "saw": "green", "bad": "bold red"}


@dataclass(frozen=True)
class Missing:
    """Something that should have happened, and where to look for the reason."""

    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.what}  (look at: {self.where})"


class DidNotHappen(Exception):
    """What somebody waited for did not come."""

    def __init__(self, missing: Missing) -> None:
        super().__init__(str(missing))
        self.missing = missing


class Deadline:
    """When patience ends, for everything together."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds; never negative."""
        return max(0.0, self._ends - time.monotonic())


class Tale:
    """The narrator."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self.lines = 0
        """How many lines of the story have been told."""
        self._told = asyncio.Event()

    @property
    def seconds(self) -> float:
        """Wall time since the beginning."""
        return time.monotonic() - self._began

    def tell(self, who: str, words: str, *, day: float | None = None, mark: Mark = "") -> None:
        """One line: wall time, day of that person's journey, who, what."""
        self.lines += 1
        self._told.set()
        when = f"day {day:4.1f}" if day is not None else ""
        style = STYLES[mark]
        self._console.print(
            f"[dim]{self.seconds:6.1f} s  {when:8}[/]  {who:8} [{style}]{escape(words)}[/]",
            highlight=False,
            soft_wrap=True,
        )

    async def reached(self, line: int) -> None:
        """Wait until so many lines have been told."""
        while self.lines < line:
            self._told.clear()
            await self._told.wait()

    def say(self, words: str, *, mark: Mark = "") -> None:
        """A line outside the story."""
        self._console.print(f"[{STYLES[mark]}]{escape(words)}[/]", highlight=False, soft_wrap=True)


async def until(deadline: Deadline, missing: Missing, look: Callable[[], Awaitable[T | None]]) -> T:
    """Look again and again until there is something to see.

    Raises:
        DidNotHappen: The deadline came first.
    """
    while True:
        seen = await look()
        if seen:
            return seen
        if deadline.left == 0:
            raise DidNotHappen(missing)
        await asyncio.sleep(GLANCE)
