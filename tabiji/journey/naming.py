"""What a verb's call is about, in words that stay the same while the rest of the file changes.

`send_email("trial/nudge")` is about `trial/nudge`, `wait(days=2)` about `days=2`, `wait_first({Key.PAID: …})` about
`PAID`. What is computed when the journey runs has no such words: the author gives it a name with `step=`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tabiji.journey.vocabulary import (
    ABOUT_ALL,
    ABOUT_NOTHING,
    ABOUT_THE_REST_TOO,
    ABOUT_THE_STEP,
    MAIL_CONDITIONS,
    REFINEMENTS,
    VALUES,
)

LONGEST = 120
"""Characters of a subject; what is longer is cut, step ids are parts of keys."""

_QUOTES = str.maketrans("", "", "'\"")


class Known:
    """The names of a module that mean the same in every run."""

    def __init__(self, tree: ast.Module) -> None:
        self.constants = {name for node in tree.body for name in _defined(node)}
        self.makers = VALUES | set(_from_tabiji(tree))

    def literal(self, node: ast.expr) -> bool:
        """Whether an expression is the same in every run."""
        match node:
            case ast.Constant():
                return True
            case ast.Name(id=name):
                return name in self.constants
            case ast.Attribute(value=value):
                return self.literal(value)
            case ast.UnaryOp(operand=operand):
                return self.literal(operand)
            case ast.BinOp(left=left, right=right):
                return self.literal(left) and self.literal(right)
            case ast.Compare(left=left, comparators=others):
                return all(map(self.literal, (left, *others)))
            case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
                return all(map(self.literal, elements))
            case ast.Dict(keys=keys):
                return all(key is not None and self.literal(key) for key in keys)
            case ast.Await(value=ast.Call(func=ast.Attribute(attr="value"), args=[parameter])):
                return self.literal(parameter)
            case ast.Call():
                return self._made(node)
            case _:
                return False

    def _made(self, call: ast.Call) -> bool:
        arguments = (*call.args, *(keyword.value for keyword in call.keywords))
        match call.func:
            case ast.Attribute(value=ast.Name(), attr=name) if name in MAIL_CONDITIONS:
                return True  # over a mail of this very journey, whatever variable holds it
            case ast.Name(id="on") if call.args and isinstance(call.args[0], ast.Constant):
                return True  # the event's name says it, whatever its properties are compared with
            case ast.Name(id=maker) if maker in self.makers:
                return all(map(self.literal, arguments))
            case ast.Attribute(value=ast.Name(id="tabiji"), attr=_):
                return all(map(self.literal, arguments))
            case ast.Attribute(value=value, attr=name) if name in REFINEMENTS:
                return self.literal(value) and all(map(self.literal, arguments))
            case _:
                return False


def subject(call: ast.Call, verb: str, known: Known) -> str | None:
    """What a call is about; empty where the verb alone says it, None where only the run knows."""
    if verb in ABOUT_NOTHING:
        return ""
    about = list(_about(call, verb, known))
    if not about or not all(known.literal(node) for _, node in about):
        return None
    joint = " & " if verb in ABOUT_ALL else ","
    text = joint.join(f"{name}={words(node)}" if name else words(node) for name, node in about)
    return " ".join(text.split())[:LONGEST]


def _about(call: ast.Call, verb: str, known: Known) -> Iterator[tuple[str | None, ast.expr]]:
    keywords = [(one.arg, one.value) for one in call.keywords if one.arg and one.arg not in ABOUT_THE_STEP]
    if verb == "wait":
        yield from ((None, argument) for argument in call.args)
        yield from keywords
    elif verb in ABOUT_ALL:
        yield from ((None, argument) for argument in call.args)
    elif call.args:
        yield None, call.args[0]
        if verb in ABOUT_THE_REST_TOO and len(call.args) > 1 and known.literal(call.args[1]):
            yield None, call.args[1]
    elif keywords:
        yield None, keywords[0][1]


def words(node: ast.expr) -> str:
    """An expression as it is read in a step's name."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Await(value=ast.Call(args=[parameter])):
            return words(parameter)
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() as joint, right=right):
            return f"{words(left)} {'|' if isinstance(joint, ast.BitOr) else '&'} {words(right)}"
        case ast.Dict(keys=keys):
            return ", ".join(_last(key) for key in keys if key is not None)
        case ast.Call():
            return _call_words(node)
        case _:
            return ast.unparse(node).translate(_QUOTES)


def _call_words(call: ast.Call) -> str:
    match call:
        case ast.Call(func=ast.Name(id="on"), args=[event, *_]):
            return words(event)
        case ast.Call(func=ast.Name(id="all_of"), args=several):
            return " & ".join(map(words, several))
        case ast.Call(func=ast.Name(id="sequence"), args=several):
            return " then ".join(map(words, several))
        case ast.Call(func=ast.Attribute(value=value, attr="times"), args=[count, *_]):
            return f"{words(value)} {words(count)} times"
        case ast.Call(func=ast.Attribute(attr=name), args=[mail, *_]) if name in MAIL_CONDITIONS:
            links = [f" {words(keyword.value)}" for keyword in call.keywords]
            return f"{name} {words(mail)}{''.join(links)}"
        case _:
            return ast.unparse(call).translate(_QUOTES)


def _last(key: ast.expr) -> str:
    return key.attr if isinstance(key, ast.Attribute) else words(key)


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
        case ast.If(body=body, orelse=orelse):
            yield from (name for inner in (*body, *orelse) for name in _defined(inner))
        case _:
            pass


def _from_tabiji(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "tabiji":
            yield from (alias.asname or alias.name for alias in node.names)
