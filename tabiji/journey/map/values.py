"""What an expression in a journey's source stands for, as far as that can be known without running the journey.

Constants of the module, conditions, durations and whatever else tabiji's pure functions make of literals are values;
all that depends on a run is `UNKNOWN`.
"""

from __future__ import annotations

import ast
import builtins
import datetime
import operator
from collections.abc import Callable, Mapping
from enum import Enum
from types import FunctionType, MethodType, ModuleType
from typing import Any, Final


class Unknown:
    """Only a run knows."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()

_PURE = frozenset(
    {datetime.timedelta, datetime.date, datetime.time, datetime.datetime, range, frozenset, str, int, float}
)
# One line for the stubs, which leave the operands of these open.
_DIV, _OR, _AND = operator.truediv, operator.or_, operator.and_  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] # see above
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: _DIV,
    ast.BitOr: _OR,
    ast.BitAnd: _AND,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}


def value_of(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of an expression, or `UNKNOWN`. Calls nothing but pure makers of values."""
    try:
        return _value(node, names)
    except Exception:  # whatever an author wrote: what cannot be worked out is unknown
        return UNKNOWN


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return names[name] if name in names else getattr(builtins, name, UNKNOWN)
        case ast.Attribute(value=owner, attr=attribute):
            return _attribute(_value(owner, names), attribute)
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return _known(tuple(_value(element, names) for element in elements))
        case ast.Dict(keys=keys, values=values):
            pairs = {_value(key, names): _value(value, names) for key, value in zip(keys, values, strict=True) if key}
            return pairs if len(pairs) == len(keys) else UNKNOWN
        case ast.UnaryOp(op=op, operand=operand):
            return _applied(op, _value(operand, names))
        case ast.BinOp(left=left, op=op, right=right):
            return _applied(op, _value(left, names), _value(right, names))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _applied(op, _value(left, names), _value(right, names))
        case ast.JoinedStr(values=parts):
            return "".join(str(_value(part, names)) for part in parts) if _all_known(parts, names) else UNKNOWN
        case ast.FormattedValue(value=value):
            return _value(value, names)
        case ast.Call(func=made, args=args, keywords=keywords):
            return _called(_value(made, names), args, keywords, names)
        case _:
            return UNKNOWN


def _attribute(owner: Any, name: str) -> Any:
    if owner is UNKNOWN:
        return UNKNOWN
    if isinstance(owner, (ModuleType, type, Enum)) or _domain(owner):
        return getattr(owner, name, UNKNOWN)
    return UNKNOWN


def _called(made: Any, args: list[ast.expr], keywords: list[ast.keyword], names: Mapping[str, Any]) -> Any:
    if not _pure(made) or any(isinstance(one, ast.Starred) for one in args) or any(not one.arg for one in keywords):
        return UNKNOWN
    positional = _known(tuple(_value(one, names) for one in args))
    named = {str(one.arg): _value(one.value, names) for one in keywords}
    if positional is UNKNOWN or any(value is UNKNOWN for value in named.values()):
        return UNKNOWN
    return made(*positional, **named)


def _pure(made: Any) -> bool:
    if isinstance(made, (FunctionType, type)) and made.__module__.startswith("tabiji.domain."):
        return True
    if isinstance(made, MethodType):
        return _domain(made.__self__)
    return isinstance(made, type) and made in _PURE


def _domain(value: object) -> bool:
    return type(value).__module__.startswith("tabiji.domain.")


def _applied(op: ast.AST, *values: Any) -> Any:
    apply = _OPERATORS.get(type(op))
    return UNKNOWN if apply is None or _known(values) is UNKNOWN else apply(*values)


def _known(values: tuple[Any, ...]) -> Any:
    return UNKNOWN if any(value is UNKNOWN for value in values) else values


def _all_known(parts: list[ast.expr], names: Mapping[str, Any]) -> bool:
    return all(_value(part, names) is not UNKNOWN for part in parts)
