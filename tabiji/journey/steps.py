"""Which step is this? A verb at one place in the source has one name, the same in every run.

The name is `step=` where given, else function, verb and literal subject: `steps/send_email:whitepaper/welcome`.
A helper's step has the functions that led there in front: `steps/nudge/send_email:trial/nudge`. The table from place
to name is made from the source when a journey is declared, and looked up from the position the verb was called at,
so that a drawing made from the source and a run agree.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

from tabiji.errors import JourneyDefinitionError
from tabiji.journey.callers import LAMBDA, authored, functions_on_the_way, remember_callers
from tabiji.journey.places import Call, Place, calls_in
from tabiji.journey.vocabulary import VERBS

__all__ = [
    "BEGUN",
    "VERBS",
    "Place",
    "name_steps",
    "remember_callers",
    "step_at_caller",
    "step_calls",
    "step_table",
    "undivided",
]

BEGUN = "#begun"
"""Ends the name of the first half of a step that asks and then waits."""

_CALLS = "__tabiji_steps__"

_BESIDE = re.compile(r"(?:[^\W\d]\w*(?:~\d+)?/)+")


def step_at_caller(depth: int, verb: str) -> str:
    """Name of the step that a verb was called at.

    Args:
        depth: Frames between here and the journey's code: 1 is this function's caller.
        verb: Named in the error when the place is not in the table.

    Raises:
        JourneyDefinitionError: The call stands nowhere in the source, as in a partial, or cannot be named.
    """
    frame = sys._getframe(depth)  # pyright: ignore[reportPrivateUsage] # the only way to a caller's position
    own = _own_name(frame, verb)
    way = functions_on_the_way(frame)
    if not way or frame.f_code.co_name == LAMBDA:
        return "/".join((*way, own))
    # The last of the way is the function the name begins with, with its number where it runs beside itself.
    return "/".join((*way, own.partition("/")[2]))


def undivided(step: str) -> str:
    """A step's name as it is on the map: `steps/nudge/tag:x` for `steps/nudge~2/tag:x`, in the second of two tasks.

    A step of two halves, one that asks and one that waits, is one there.
    """
    step = step.removesuffix(BEGUN)
    way = _BESIDE.match(step)
    return re.sub(r"~\d+/", "/", way[0]) + step[way.end() :] if way else step


def step_table(file: str) -> dict[Place, str]:
    """Names of all steps in one source file that have none of their own, by the place where their calls end.

    Raises:
        JourneyDefinitionError: Two steps of a function share a name, a subject is computed, or the
            source cannot be read. Names file, line and remedy.
    """
    calls = step_calls(file)
    for call in calls.values():
        if call.problem and call.sure:
            raise JourneyDefinitionError(call.problem)
    return {place: call.own for place, call in calls.items() if call.own is not None}


def step_calls(file: str) -> dict[Place, Call]:
    """Every call in a source file that is or may be a verb's, by the place where it ends.

    Raises:
        JourneyDefinitionError: The source cannot be read.
    """
    try:
        changed = Path(file).stat().st_mtime_ns
    except OSError:
        raise JourneyDefinitionError(f"{file}: journeys must be declared in a file, their source is read.") from None
    return _step_calls(file, changed)


def name_steps(journey: type) -> None:
    """Name all steps of a journey: in its own file, in those of classes it inherits from, in helpers it imports.

    Raises:
        JourneyDefinitionError: See `step_table`. In a helper's file only the helper itself must be in order.
    """
    methods = [value for base in journey.__mro__ for value in vars(base).values() if _a_coroutine_of_an_author(value)]
    for file in sorted({method.__code__.co_filename for method in methods}):
        step_table(file)
    for method in methods:
        _remember_calls(method.__globals__, method.__code__.co_filename)
    for helper in {name: value for method in methods for name, value in method.__globals__.items()}.values():
        if _a_coroutine_of_an_author(helper) and Path(helper.__code__.co_filename).exists():
            for call in _remember_calls(helper.__globals__, helper.__code__.co_filename).values():
                if call.problem and call.sure and call.function == helper.__name__:
                    raise JourneyDefinitionError(call.problem)


def _a_coroutine_of_an_author(value: object) -> bool:
    return isinstance(value, FunctionType) and inspect.iscoroutinefunction(value) and authored(value.__code__)


def _remember_calls(module: dict[str, Any], file: str) -> dict[Place, Call]:
    """Keep the names of a module's steps beside its code: the file may be edited while the code runs on."""
    calls: dict[Place, Call] = step_calls(file)
    module.setdefault(_CALLS, {})[file] = calls
    return calls


def _own_name(frame: FrameType, verb: str) -> str:
    file, line = frame.f_code.co_filename, frame.f_lineno
    end = _call_ends(frame.f_code)[frame.f_lasti // 2]
    calls = frame.f_globals.get(_CALLS, {}).get(file) or _remember_calls(frame.f_globals, file)
    call = calls.get(end) if end is not None else None
    if call is None or call.own is None:
        unknown = f"{file}:{line}: {verb}() cannot be named from its place in the source. Give it step='…'."
        raise JourneyDefinitionError(call.problem if call is not None and call.problem else unknown)
    return call.own


@lru_cache(maxsize=4096)
def _call_ends(code: CodeType) -> list[Place | None]:
    return [
        (end_line, end_column) if end_line is not None and end_column is not None else None
        for _, end_line, _, end_column in code.co_positions()
    ]


@lru_cache(maxsize=1024)
def _step_calls(file: str, _changed: int) -> dict[Place, Call]:
    return calls_in(file, ast.parse(Path(file).read_text(encoding="utf-8"), filename=file))
