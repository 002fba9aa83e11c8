"""Names an author's class cannot use: the language's own, and what it is made of."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator

from temporalio import workflow

from tabiji.errors import JourneyDefinitionError
from tabiji.journey.journey import Journey

_TAKEN = {name for name in (*dir(Journey), *Journey.__annotations__, "_travel", "run") if name[:2] != "__"} - {"steps"}
_GIVEN = frozenset({"spec", "stands", "run"})
"""What `@journey` itself writes on a class."""


def refuse_taken_names(journey: type[Journey]) -> None:
    """Hold the names a class defines, and those its methods give to `self.…`, against the language's own.

    Raises:
        JourneyDefinitionError: One is taken. Names file, line and remedy.
    """
    # A sandbox reads the module again for each run: what it says has been looked at.
    if workflow.unsafe.in_sandbox():
        return
    for base in journey.__mro__:
        if base in Journey.__mro__:
            continue
        given = _GIVEN if "spec" in vars(base) and base is not journey else frozenset[str]()
        for line, name in _names_in(base):
            if name in _TAKEN - given:
                raise JourneyDefinitionError(
                    f"{inspect.getsourcefile(base)}:{line}: {base.__name__} uses the name {name!r}, under which every "
                    f"journey has something of its own. Use another one, e.g. my_{name.strip('_')}."
                )


def _names_in(cls: type) -> Iterator[tuple[int, str]]:
    """Names a class defines in its body, and those its methods give to `self.…`, with their lines."""
    try:
        lines, first = inspect.getsourcelines(cls)
    except (OSError, TypeError):
        return
    [definition] = ast.parse(textwrap.dedent("".join(lines))).body
    if not isinstance(definition, ast.ClassDef):
        return
    for node in definition.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield first + node.lineno - 1, name
            case ast.Assign() | ast.AnnAssign():
                names = (one for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))
                yield from ((first + one.lineno - 1, one.id) for one in names)
            case _:
                pass
    for inner in ast.walk(definition):
        match inner:
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store() | ast.Del()):
                yield first + inner.lineno - 1, name
            case _:
                pass
