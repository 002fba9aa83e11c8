"""Which functions led to this call? Helpers of a journey, however they were called: awaited, gathered, as tasks.

Within a task the stack says it: a coroutine that is awaited runs on top of the one that awaits it. A task has a stack
of its own, so what led to it is noted when it is made.
"""

from __future__ import annotations

import asyncio
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import temporalio

LAMBDA = "<lambda>"


@dataclass(frozen=True)
class Origin:
    """Where a task comes from: the functions that led to it, and which task of this function there it is."""

    way: tuple[str, ...] = ()
    number: int = 1


_ORIGIN: ContextVar[Origin] = ContextVar("tabiji_origin", default=Origin())  # noqa: B039 # frozen

_SITE = tuple(sysconfig.get_paths()[name] for name in ("purelib", "platlib"))
_MACHINERY = (
    sysconfig.get_paths()["stdlib"],
    str(Path(temporalio.__file__).parent),
    str(Path(__file__).parent.parent),
)


def remember_callers() -> None:
    """Have every task that is made from now on in this event loop know the functions that led to it.

    Called once in each run of a journey, before its steps: the loop of a workflow is the workflow's own.
    """
    loop = asyncio.get_running_loop()
    make = loop.create_task
    made: Counter[tuple[str, ...]] = Counter()

    def create_task(coroutine: Any, **how: Any) -> asyncio.Task[Any]:
        code = getattr(coroutine, "cr_code", None)
        frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage] # the only way to a caller's position
        way = functions_on_the_way(frame)
        number = 1
        if code is not None and authored(code):
            made[(*way, code.co_name)] += 1
            number = made[(*way, code.co_name)]
        before = _ORIGIN.set(Origin(way, number))
        try:
            return make(coroutine, **how)
        finally:
            _ORIGIN.reset(before)

    loop.create_task = create_task  # type: ignore[method-assign, assignment] # a workflow's loop takes no task factory


def functions_on_the_way(frame: FrameType) -> tuple[str, ...]:
    """Names of the author's functions from the journey's first to the one that runs in this frame.

    A function that calls itself counts once. Of several tasks of the same function begun at one place of the way, the
    second is called `nudge~2`: they run side by side, and each has visits of its own.
    """
    origin = _ORIGIN.get()
    root = _root()
    way: list[tuple[CodeType, str]] = []
    for one in reversed(list(_authors(frame, root))):
        code = one.f_code
        known = [index for index, (seen, _) in enumerate(way) if seen is code]
        if known:
            del way[known[0] + 1 :]
        else:
            beside = one is root and origin.number > 1
            way.append((code, f"{code.co_name}~{origin.number}" if beside else code.co_name))
    return (*origin.way, *(name for _, name in way))


def _authors(frame: FrameType, root: FrameType | None) -> Iterator[FrameType]:
    at: FrameType | None = frame
    while at is not None:
        # Comprehensions are frames of their own before Python 3.12; lambdas have no name to lend.
        if not at.f_code.co_name.startswith("<") and authored(at.f_code):
            yield at
        if at is root:
            return
        at = at.f_back


def _root() -> FrameType | None:
    """The outermost frame of the task that runs."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return None
    return getattr(task.get_coro(), "cr_frame", None) if task is not None else None


@lru_cache(maxsize=4096)
def authored(code: CodeType) -> bool:
    """Whether code is an author's: not Python's own, not Temporal's, not tabiji's."""
    return of_an_author(code.co_filename)


def of_an_author(file: str) -> bool:
    """Whether a source file is an author's."""
    if any(_below(file, folder) for folder in _MACHINERY[1:]):
        return False
    return any(_below(file, folder) for folder in _SITE) or not _below(file, _MACHINERY[0])


def _below(file: str, folder: str) -> bool:
    return file.startswith(f"{folder}/") or file.startswith(f"{folder}\\")
