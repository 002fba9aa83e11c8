"""Errors in journeys, shown where they stand: every traceback ends at the author's own line."""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from temporalio.exceptions import ActivityError

from tabiji.errors import TabijiError

__tracebackhide__ = True

_LIBRARY = str(Path(__file__).resolve().parents[1])
_PYTHON = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\w+)')


class Mistake(TabijiError):
    """A test of a journey cannot go on: the message says what is wrong and what to write instead."""

    code = "mistake"


@dataclass
class Noted:
    """What went wrong in one enrollment. `first` is what the kit knows, `raised` what the journey raised."""

    first: BaseException | None = None
    at: TracebackType | None = None
    raised: BaseException | None = None

    def error(self) -> BaseException:
        """The error to fail the test with, ending at the author's line."""
        raised_at = authors(self.raised.__traceback__) if self.raised is not None else None
        error = self.first or _in_words(self.raised)
        return error.with_traceback(self.at or raised_at)


@dataclass
class Notebook:
    """What went wrong in the enrollments of a test, by workflow id. Written by the worker, read by the test."""

    noted: dict[str, Noted] = field(default_factory=dict[str, Noted])

    def of(self, id: str) -> Noted:
        """The page of one enrollment."""
        return self.noted.setdefault(id, Noted())

    def fail(self, id: str, error: BaseException, at: TracebackType | None = None) -> None:
        """Write an error down; the first one stands."""
        page = self.of(id)
        if page.first is None:
            page.first, page.at = error, at

    def say(self, id: str, words: str, at: TracebackType | None = None) -> Mistake:
        """Write the kit's own word down."""
        mistake = Mistake(words)
        self.fail(id, mistake, at)
        return mistake


def _in_words(error: BaseException | None) -> BaseException:
    """A failed activity is told by what failed in it."""
    if error is None:
        raise AssertionError("nothing is wrong")
    if isinstance(error, ActivityError) and error.cause is not None:
        return Mistake(str(error.cause))
    return error


def is_authors(file: str) -> bool:
    """Whether a source file is the author's: not this library's, not Python's, not another package's."""
    return not file.startswith(("<", _LIBRARY, *_PYTHON))


def authors(traceback: TracebackType | None) -> TracebackType | None:
    """Of a traceback, the author's part."""
    frames = [(tb.tb_frame, tb.tb_lasti, tb.tb_lineno) for tb in _entries(traceback)]
    return _chain([entry for entry in frames if is_authors(entry[0].f_code.co_filename)])


def standing(frames: list[FrameType]) -> TracebackType | None:
    """Where code stands that has not raised anything, outermost frame first."""
    entries = [(frame, frame.f_lasti, frame.f_lineno) for frame in frames]
    return _chain([entry for entry in entries if is_authors(entry[0].f_code.co_filename)])


def waiting_at(coroutine: Any) -> list[FrameType]:
    """Where a suspended coroutine stands, outermost frame first."""
    frames: list[FrameType] = []
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None:
            frames.append(frame)
        coroutine = getattr(coroutine, "cr_await", None)
    return frames


def outwards(frame: FrameType | None) -> list[FrameType]:
    """A running frame and its callers, outermost first."""
    frames: list[FrameType] = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return frames[::-1]


def written(stack: str, *, innermost_first: bool = False) -> TracebackType | None:
    """The author's part of a stack that is there only as text; None where this library has the word."""
    places = [(file, int(line), name) for file, line, name in _FRAME.findall(stack)]
    if innermost_first:
        places.reverse()
    if not places or places[-1][0].startswith(_LIBRARY):
        return None
    return _chain([_stand_in(*place) for place in places if is_authors(place[0])])


def place_of(traceback: TracebackType | None) -> str:
    """File and line of a traceback's last entry; empty where there is none."""
    last = next(iter(list(_entries(traceback))[-1:]), None)
    return f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}" if last is not None else ""


def _entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _chain(entries: list[tuple[FrameType, int, int]]) -> TracebackType | None:
    chain: TracebackType | None = None
    for frame, instruction, line in reversed(entries):
        chain = TracebackType(chain, frame, instruction, line)
    return chain


def _stand_in(file: str, line: int, name: str) -> tuple[FrameType, int, int]:
    """A frame at this line of this file, made by raising there."""
    code = compile("\n" * (line - 1) + "raise LookupError", file, "exec").replace(co_name=name)
    try:
        exec(code, {})  # noqa: S102 # one statement, written above
    except LookupError as error:
        entry = list(_entries(error.__traceback__))[-1]
        return entry.tb_frame, entry.tb_lasti, entry.tb_lineno
    raise AssertionError("it raises")
