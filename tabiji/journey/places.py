"""Finds the verbs in a source file, and names the steps they are."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tabiji.journey.naming import Known, subject
from tabiji.journey.vocabulary import VERBS

Place = tuple[int, int]
"""Line and column of a call's end: where multi-line chains agree between source and bytecode."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Call:
    """A verb's call in the source.

    `own` is its name within its function, without what led there. It is None where `step=` gives another (`given`, when
    that is a literal), and where `problem` says why there is none. `sure` is False where the receiver may be something
    else that has a method of this name.
    """

    node: ast.Call
    verb: str
    function: str
    sure: bool = True
    own: str | None = None
    given: str | None = None
    problem: str | None = None


def calls_in(file: str, tree: ast.Module) -> dict[Place, Call]:
    """Every call that is or may be a verb's, by the place where it ends."""
    known = Known(tree)
    table: dict[Place, Call] = {}
    for function, receivers in _functions(tree, {}, method=False):
        seen: dict[str, int] = {}
        for call in _verb_calls(function, receivers):
            named = _named(file, call, known, seen)
            table[(call.node.end_lineno or 0, call.node.end_col_offset or 0)] = named
    return table


def _named(file: str, call: Call, known: Known, seen: dict[str, int]) -> Call:
    line, verb = call.node.lineno, call.verb
    own = given = None
    if steps := [keyword.value for keyword in call.node.keywords if keyword.arg == "step"]:
        given = steps[0].value if isinstance(steps[0], ast.Constant) and isinstance(steps[0].value, str) else None
        if given is None:
            return call
    elif (about := subject(call.node, verb, known)) is not None:
        own = f"{call.function}/{verb}:{about}" if about else f"{call.function}/{verb}"
    else:
        problem = (
            f"{file}:{line}: what {verb}() is about is computed here, so the step needs a name of its own: "
            f"{verb}(…, step='…')."
        )
        return replace(call, problem=problem)
    name = own or given or ""
    if name in seen:
        problem = (
            f"{file}:{line}: the step {name!r} stands on line {seen[name]} too. "
            f"Give one of them its own name: {verb}(…, step='…')."
        )
        return replace(call, problem=problem)
    if call.sure:
        seen[name] = line
    return replace(call, own=own, given=given)


def _functions(node: ast.AST, outer: dict[str, bool], *, method: bool) -> Iterator[tuple[Function, dict[str, bool]]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            receivers = {**outer, **_receivers(child, method=method)}
            yield child, receivers
            yield from _functions(child, receivers, method=False)
        else:
            yield from _functions(child, outer, method=isinstance(child, ast.ClassDef))


def receivers_of(function: Function) -> dict[str, bool]:
    """Parameters of a function by itself that may hold a journey, and whether they surely do."""
    return _receivers(function, method=False)


def _receivers(function: Function, *, method: bool) -> dict[str, bool]:
    """Parameters that may hold a journey, and whether they surely do."""
    arguments = function.args
    found: dict[str, bool] = {}
    for index, argument in enumerate((*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)):
        kind = _annotated(argument.annotation)
        if kind is None:
            # Synchronous methods may be of any class: those of an author's own values have verbs' names, too.
            found[argument.arg] = isinstance(function, ast.AsyncFunctionDef) and (index == 0 or not method)
        elif not hasattr(builtins, kind) and kind[:1].isupper():
            found[argument.arg] = "Journey" in kind
    return found


def _annotated(annotation: ast.expr | None) -> str | None:
    """The last word of an annotation: `Journey` for `tabiji.Journey`, too."""
    match annotation:
        case None:
            return None
        case ast.Constant(value=str(text)):
            return text.rpartition(".")[2]
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return "object"


def _verb_calls(function: Function, receivers: dict[str, bool]) -> Iterator[Call]:
    """Calls on a parameter (`self`, or a helper's `journey`), nested functions left to themselves."""
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop(0)
        if isinstance(node, Function):
            continue
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=receiver), attr=verb)):
                if verb in VERBS and receiver in receivers:
                    yield Call(node, verb, function.name, receivers[receiver])
            case _:
                pass
        todo.extend(ast.iter_child_nodes(node))
