"""Which step is this? A verb at one place in the source has one name, the same in every run.

The name is `step=` where given, else function, verb and literal subject: `steps/send_email:whitepaper/welcome`.
The table from place to name is made from the source when a journey is declared, and looked up from the
position the verb was called at, so that a drawing made from the source and a run agree.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import CodeType

from tabiji.errors import JourneyDefinitionError

VERBS = frozenset({"send_email", "wait", "wait_for", "adjust_score", "notify_sales", "tag", "enter"})
"""Methods of Journey that are steps."""

VALUES = frozenset({"on", "days", "hours", "minutes", "timedelta"})
"""Calls whose result is as good as a literal when their arguments are literals."""

Place = tuple[int, int]
"""Line and column of a call's end: where multi-line chains agree between source and bytecode."""


def step_at_caller(depth: int, verb: str) -> str:
    """Name of the step that a verb was called at.

    Args:
        depth: Frames between here and the journey's code: 1 is this function's caller.
        verb: Named in the error when the place is not in the table.

    Raises:
        JourneyDefinitionError: The call stands nowhere in the source, as in a partial or a lambda.
    """
    frame = sys._getframe(depth)  # pyright: ignore[reportPrivateUsage] # the only way to a caller's position
    file, line = frame.f_code.co_filename, frame.f_lineno
    end = _call_ends(frame.f_code)[frame.f_lasti // 2]
    step = step_table(file).get(end) if end is not None else None
    if step is None:
        raise JourneyDefinitionError(
            f"{file}:{line}: {verb}() cannot be named from its place in the source. Give it step='…'."
        )
    return step


def step_table(file: str) -> dict[Place, str]:
    """Names of all steps in one source file, by the place where their calls end.

    Raises:
        JourneyDefinitionError: Two steps of a function share a name, a subject is computed, or the
            source cannot be read. Names file, line and remedy.
    """
    try:
        changed = Path(file).stat().st_mtime_ns
    except OSError:
        raise JourneyDefinitionError(f"{file}: journeys must be declared in a file, their source is read.") from None
    return _step_table(file, changed)


@lru_cache(maxsize=4096)
def _call_ends(code: CodeType) -> list[Place | None]:
    return [
        (end_line, end_column) if end_line is not None and end_column is not None else None
        for _, end_line, _, end_column in code.co_positions()
    ]


@lru_cache(maxsize=1024)
def _step_table(file: str, _changed: int) -> dict[Place, str]:
    tree = ast.parse(Path(file).read_text(encoding="utf-8"), filename=file)
    constants = {name for node in tree.body for name in _defined(node)}
    table: dict[Place, str] = {}
    for function, parameters in _functions(tree, frozenset()):
        seen: dict[str, int] = {}
        for call, verb in _verb_calls(function, parameters):
            step = _name(file, function.name, call, verb, constants)
            if step is None:
                continue
            if step in seen:
                raise JourneyDefinitionError(
                    f"{file}:{call.lineno}: the step {step!r} stands on line {seen[step]} too. "
                    f"Give one of them its own name: {verb}(…, step='…')."
                )
            seen[step] = call.lineno
            table[(call.end_lineno or 0, call.end_col_offset or 0)] = step
    return table


def _defined(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case ast.ClassDef(name=name):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from (alias.asname or alias.name for alias in names)
        case _:
            pass


Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(node: ast.AST, outer: frozenset[str]) -> Iterator[tuple[Function, frozenset[str]]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            arguments = child.args
            names = {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
            yield child, outer | names
            yield from _functions(child, outer | names)
        else:
            yield from _functions(child, outer)


def _verb_calls(function: Function, parameters: frozenset[str]) -> Iterator[tuple[ast.Call, str]]:
    """Calls of verbs on a parameter (`self`, or a helper's `journey`), nested functions left to themselves."""
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop(0)
        if isinstance(node, Function):
            continue
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=receiver), attr=verb)):
                if verb in VERBS and receiver in parameters:
                    yield node, verb
            case _:
                pass
        todo.extend(ast.iter_child_nodes(node))


def _name(file: str, function: str, call: ast.Call, verb: str, constants: set[str]) -> str | None:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    if "step" in keywords:
        return None
    if verb == "wait":
        subject = ",".join(f"{unit}={ast.unparse(value)}" for unit, value in keywords.items())
        subject = subject or (ast.unparse(call.args[0]) if call.args else "")
        computed = not all(_literal(value, constants) for value in (*keywords.values(), *call.args))
    else:
        node = call.args[0] if call.args else next(iter(keywords.values()), None)
        computed = node is None or not _literal(node, constants)
        subject = "" if node is None else _subject(node)
    if computed:
        raise JourneyDefinitionError(
            f"{file}:{call.lineno}: what {verb}() is about is computed here, so the step needs a name of its own: "
            f"{verb}(…, step='…')."
        )
    return f"{function}/{verb}:{subject}"


def _literal(node: ast.expr, constants: set[str]) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.Name(id=name):
            return name in constants
        case ast.Attribute(value=value):
            return _literal(value, constants)
        case ast.UnaryOp(operand=operand):
            return _literal(operand, constants)
        case ast.Call(func=ast.Name(id=maker), args=args, keywords=keywords) if maker in VALUES:
            return all(_literal(value, constants) for value in (*args, *(k.value for k in keywords)))
        case ast.Tuple(elts=elements):
            return all(_literal(value, constants) for value in elements)
        case _:
            return False


def _subject(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Call(func=ast.Name(id="on"), args=[ast.Constant(value=str(event)), *_]):
            return event
        case _:
            return ast.unparse(node)
