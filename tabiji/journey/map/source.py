"""The source files of journeys, parsed, with the names of the steps in them; and what a name in a function means."""

from __future__ import annotations

import ast
import inspect
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from tabiji.journey.journey import Journey
from tabiji.journey.map.draft import Flow, Loose, Spot
from tabiji.journey.map.values import UNKNOWN, value_of
from tabiji.journey.places import Call, Function
from tabiji.journey.steps import step_calls


@dataclass(frozen=True)
class Answer:
    """A variable that holds what a step came to."""

    node: str
    verb: str
    call: ast.Call


@dataclass(frozen=True)
class Later:
    """A variable that holds coroutines nobody has awaited yet."""

    made: ast.expr


@dataclass
class Tasks:
    """A variable that holds what runs beside: a task, or a group of them."""

    ends: list[Loose] = field(default_factory=list[Loose])
    forks: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class Nested:
    """A function defined inside another."""

    node: Function


Local = Answer | Later | Tasks | Nested


@dataclass
class Loop:
    """A loop around what is being read."""

    head: str
    breaks: list[Loose] = field(default_factory=list[Loose])


@dataclass
class Scope:
    """A function as it is called at one place."""

    file: str
    node: Function
    way: tuple[str, ...]
    names: dict[str, Any]
    travellers: frozenset[str]
    group: str | None = None
    owner: type | None = None
    inside: tuple[str, ...] = ()
    locals: dict[str, Local] = field(default_factory=dict[str, Local])
    returns: list[Loose] = field(default_factory=list[Loose])
    raised: dict[str, list[Loose]] = field(default_factory=dict[str, list[Loose]])
    loops: list[Loop] = field(default_factory=list[Loop])

    def spot(self, node: ast.AST) -> Spot:
        """Where a part of the source stands."""
        return Spot(shown(self.file), getattr(node, "lineno", 0), self.group, self.inside)

    def call_at(self, call: ast.Call) -> Call | None:
        """The step a call is, by the table that runs look into."""
        return step_calls(self.file).get((call.end_lineno or 0, call.end_col_offset or 0))

    def name(self, what: str) -> str:
        """An id for a node that is no step."""
        return "/".join((*self.way, what))

    def is_journey(self, node: ast.AST | None) -> bool:
        """Whether an expression is the journey itself."""
        return isinstance(node, ast.Name) and node.id in self.travellers

    def value(self, node: ast.expr) -> Any:
        """What an expression stands for, where that is known."""
        return value_of(node, self.names)

    def leave(self, flow: Flow) -> None:
        """Return from here."""
        self.returns += flow


def bound(
    function: Function, call: ast.Call | None, names: Mapping[str, Any], outer: Mapping[str, Any], *, method: bool
) -> dict[str, Any]:
    """The names a function knows: its module's, its parameters where the call says what they are."""
    known: dict[str, Any] = {**outer, **dict.fromkeys(_stored(function), UNKNOWN)}
    arguments = function.args
    positional = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    defaults = dict(zip(reversed(positional), reversed(arguments.defaults), strict=False))
    defaults |= {
        one.arg: value for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value
    }
    for name in (*positional, *(one.arg for one in arguments.kwonlyargs)):
        known[name] = value_of(defaults[name], outer) if name in defaults else UNKNOWN
    if call is not None:
        given = dict(zip(positional[1:] if method else positional, call.args, strict=False))
        given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg in known}
        known |= {name: value_of(value, names) for name, value in given.items()}
    for name, value in _once(function).items():
        known[name] = value_of(value, known)
    return known


def _stored(function: Function) -> Counter[str]:
    return Counter(
        node.id for node in ast.walk(function) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    )


def _once(function: Function) -> dict[str, ast.expr]:
    """Variables that are assigned once, at the function's own level: as good as constants where their value is."""
    stored = _stored(function)
    found: dict[str, ast.expr] = {}
    for node in function.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if stored[name] == 1:
                found[name] = value
            case _:
                pass
    return found


def travelling(function: Function, call: ast.Call | None, scope: Scope | None, *, method: bool) -> frozenset[str]:
    """Parameters that hold the journey when it is called like this."""
    arguments = function.args
    positional = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    found = set(positional[:1]) if method else set[str]()
    if call is not None and scope is not None:
        passed = dict(zip(positional[1:] if method else positional, call.args, strict=False))
        passed |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        found |= {name for name, value in passed.items() if name and scope.is_journey(value)}
    return frozenset(found)


def definition(function: FunctionType) -> tuple[str, Function] | None:
    """The file and the syntax of a function; None where there is no source."""
    code = function.__code__
    try:
        tree = parsed(code.co_filename)
    except (OSError, SyntaxError):
        return None
    found = (node for node in ast.walk(tree) if isinstance(node, Function) and _is(node, code))
    return next(((code.co_filename, node) for node in found), None)


def _is(node: Function, code: CodeType) -> bool:
    if node.name != code.co_name:
        return False
    return min([node.lineno, *(one.lineno for one in node.decorator_list)]) == code.co_firstlineno


def parsed(file: str) -> ast.Module:
    """A file's syntax tree."""
    return _parsed(file, Path(file).stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _parsed(file: str, _changed: int) -> ast.Module:
    return ast.parse(Path(file).read_text(encoding="utf-8"), filename=file)


@lru_cache(maxsize=1024)
def shown(file: str) -> str:
    """A file as it is named on the map: from the folder its package lies in, the same on every machine."""
    path = Path(file)
    top = path.parent
    while (top / "__init__.py").exists() and top != top.parent:
        top = top.parent
    return path.relative_to(top).as_posix()


def method_of(cls: type, name: str, *, after: type | None = None) -> tuple[type, object] | None:
    """A method and the class it stands in; for `super()`, the next one after a class."""
    classes = inspect.getmro(cls)
    if after is not None:
        classes = classes[classes.index(after) + 1 :] if after in classes else ()
    return next(((base, vars(base)[name]) for base in classes if name in vars(base)), None)


def written_by_an_author(cls: type) -> bool:
    """Whether a class is neither tabiji's nor Python's."""
    return cls is not Journey and cls is not object and not cls.__module__.startswith("tabiji.")


def imported(node: ast.Import | ast.ImportFrom, package: str) -> dict[str, Any]:
    """What an import inside a function brings, where the module is loaded or can be."""
    found: dict[str, Any] = {}
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        __import__(node.module)
        module = sys.modules[node.module]
        found = {alias.asname or alias.name: getattr(module, alias.name, UNKNOWN) for alias in node.names}
    return found
