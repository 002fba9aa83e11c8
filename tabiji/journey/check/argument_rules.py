"""What verbs are called with: arguments they have, of the types they take. Not everybody asks a type checker."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import timedelta
from difflib import get_close_matches
from types import NoneType
from typing import Any, get_args, get_type_hints

from tabiji.domain.conditions import Condition
from tabiji.journey.check.findings import Finding, Project, at
from tabiji.journey.journey import Journey
from tabiji.journey.map import Reading
from tabiji.journey.map.values import UNKNOWN, value_of
from tabiji.journey.map.words import Spoken

CODE = "wrong-argument"
_PLAIN: tuple[type, ...] = (str, bool, int, float, timedelta, NoneType)
"""Of arguments that take nothing but these, the type is looked at."""


def arguments(reading: Reading, _: Project) -> Iterator[Finding]:
    """A call Python would refuse at that step, when somebody is there already."""
    for id, said in reading.calls.items():
        verb = reading.graph.by_id[id].verb or ""
        for message, remedy in _wrong(getattr(reading.journey, verb, None), verb, said):
            yield at(reading, id, CODE, message, remedy)


def _wrong(method: Any, verb: str, said: Spoken) -> Iterator[tuple[str, str]]:
    if not inspect.isfunction(method) or any(keyword.arg is None for keyword in said.call.keywords):
        return
    signature = inspect.signature(method)
    named = {str(keyword.arg): keyword.value for keyword in said.call.keywords}
    unknown = [name for name in named if name not in signature.parameters]
    for name in unknown:
        meant = get_close_matches(name, signature.parameters, n=1)
        others = [f"{one}=" for one in signature.parameters if one != "self"]
        yield f"{verb}() takes no {name}=.", f"Did you mean {meant[0]}=?" if meant else f"It takes {', '.join(others)}."
    if unknown:
        return
    try:
        bound = signature.bind_partial(None, *said.call.args, **named)
    except TypeError as error:
        yield f"{verb}(): {error}.", "Look at what it takes."
        return
    for name, asked in signature.parameters.items():
        # What lets a wait end some day has a rule of its own.
        if asked.default is asked.empty and name not in (*bound.arguments, "timeout", "within"):
            yield f"{verb}() needs {name}.", f"Say {name}=…"
    hints = get_type_hints(method, localns={"Journey": Journey})
    for name, node in bound.arguments.items():
        value = value_of(node, said.names) if hasattr(node, "lineno") else UNKNOWN
        if isinstance(value, Condition) and value.then is not None:
            yield (
                f"{verb}() does not hand over: then= is for goals.",
                "Leave then= out, and say `await self.enter(…)` after it.",
            )
        elif value is not UNKNOWN and not _fits(value, hints.get(name)):
            yield f"{verb}() cannot do with {name}={value!r}.", _instead(value, hints.get(name))


def _fits(value: object, hint: object) -> bool:
    kinds = get_args(hint) or (hint,)
    if not all(kind in _PLAIN for kind in kinds):
        return True
    if isinstance(value, int) and not isinstance(value, bool) and float in kinds:
        return True
    return any(type(value) is kind or (kind is str and isinstance(value, str)) for kind in kinds)


def _instead(value: object, hint: object) -> str:
    kinds = get_args(hint) or (hint,)
    if timedelta in kinds:
        return f"Say days({value}), hours({value}) or minutes({value})." if isinstance(value, int) else "Say days(…)."
    named = ("None" if kind is NoneType else str(getattr(kind, "__name__", kind)) for kind in kinds)
    return f"It takes {' or '.join(named)}."
