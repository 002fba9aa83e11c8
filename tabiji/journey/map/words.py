"""What a reader of the map sees at a step: `mail trial/welcome`, `wait for Feature Used, at most 3 days`."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from tabiji.domain.durations import in_words
from tabiji.domain.params import Param
from tabiji.journey.map.values import UNKNOWN, value_of
from tabiji.journey.vocabulary import MAIL_CONDITIONS

LONGEST = 160


@dataclass(frozen=True)
class Answers:
    """What the two sides of `if await self.verb(…)` are called."""

    yes: str
    no: str


@dataclass(frozen=True)
class Spoken:
    """A verb's call with the values of its arguments, as far as they are known."""

    call: ast.Call
    names: Mapping[str, Any]

    def get(self, place: int, name: str) -> str:
        """An argument in words; empty where it is not given."""
        node = self.node(place, name)
        return "" if node is None else words_of(node, self.names)

    def value(self, place: int, name: str) -> Any:
        """An argument's value; UNKNOWN where only a run knows, or where it is not given."""
        node = self.node(place, name)
        return UNKNOWN if node is None else value_of(node, self.names)

    def options(self, place: int, name: str) -> tuple[Any, ...]:
        """The values an argument may have: one, all that a loop goes over, or none where only a run knows."""
        node = self.node(place, name)
        value = self.value(place, name)
        if isinstance(node, ast.Name) and value is UNKNOWN:
            several = self.names.get(f"{node.id}*", UNKNOWN)
            return tuple(several) if isinstance(several, Iterable) else ()  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] # of whatever
        return () if value is UNKNOWN else (value,)

    def node(self, place: int, name: str) -> ast.expr | None:
        """An argument's expression, by place or by name."""
        if place < len(self.call.args):
            return self.call.args[place]
        return next((keyword.value for keyword in self.call.keywords if keyword.arg == name), None)


def spoken(verb: str, call: ast.Call, names: Mapping[str, Any]) -> str:
    """A step in words."""
    said = Spoken(call, names)
    try:
        text = _VERBS[verb](said) if verb in _VERBS else f"{verb.replace('_', ' ')} {said.get(0, '')}"
    except Exception:  # whatever an author wrote: what makes no sense is drawn as it stands
        text = plain(call)
    return _short(text)


def answers(verb: str, call: ast.Call, names: Mapping[str, Any]) -> Answers | None:
    """The words at the two ways out of a step whose answer is asked for."""
    patience = Spoken(call, names).get(9, "timeout") or "the time limit"
    match verb:
        case "wait_for" | "wait_all" | "wait_first":
            return Answers("it happened", f"not within {patience}")
        case "absent":
            within = Spoken(call, names).get(9, "within") or "the time limit"
            return Answers(f"not within {within}", "it happened")
        case "approval":
            return Answers("approved", f"refused, or no answer within {patience}")
        case "send_email":
            return Answers("sent", "not sent")
        case "enter":
            return Answers("in", "not let in")
        case "wait_until":
            return Answers("when it comes", "there is no such date")
        case "call_webhook":
            return Answers("taken", "refused")
        case "sub_journey":
            return Answers("it went through", "it did not")
        case "did" | "has_tag" | "in_list" | "in_segment":
            return Answers("yes", "no")
        case _:
            return None


def words_of(node: ast.expr, names: Mapping[str, Any]) -> str:
    """An expression for a reader: its value where it is known, else its source without ceremony."""
    value = value_of(node, names)
    if value is not UNKNOWN and not (isinstance(value, dict) and UNKNOWN in value.values()):
        return _short(_said(value))
    match node:
        case ast.Call(func=ast.Attribute(attr=name), args=[mail, *_], keywords=keywords) if name in MAIL_CONDITIONS:
            which = "".join(f" {words_of(keyword.value, names)}" for keyword in keywords)
            return f"{words_of(mail, names)} {name}{which}"
        case ast.Dict(keys=keys, values=values):
            return "; ".join(
                f"{_last(key, names)}: {words_of(value, names)}" for key, value in zip(keys, values, strict=True) if key
            )
        case ast.JoinedStr(values=parts):
            return _short("".join(map(_piece, parts)))
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return f"{words_of(left, names)} or {words_of(right, names)}"
        case _:
            return _short(plain(node))


def _piece(part: ast.expr) -> str:
    """A part of an f-string: text, or what is computed, in braces."""
    return str(part.value) if isinstance(part, ast.Constant) else f"{{{plain(getattr(part, 'value', part))}}}"


def plain(node: ast.AST) -> str:
    """Source as it is read aloud: no `await`, no `self.`."""
    text = re.sub(r"\b(await |self\.)", "", ast.unparse(node))
    return _short(text.replace("'", ""))


def _said(value: Any) -> str:
    match value:
        case timedelta():
            return in_words(value)
        case Enum() | Param():
            return value.name
        case str():
            return value
        case tuple():
            several: tuple[Any, ...] = value  # pyright: ignore[reportUnknownVariableType] # of whatever
            return ", ".join(_said(one) for one in several)
        case dict():
            pairs: dict[Any, Any] = value  # pyright: ignore[reportUnknownVariableType] # of whatever
            return "; ".join(f"{_said(key)}: {_said(one)}" for key, one in pairs.items())
        case type():
            spec = getattr(value, "spec", None)
            return str(getattr(spec, "name", value.__name__))
        case _:
            return str(value)


def _last(key: ast.expr, names: Mapping[str, Any]) -> str:
    return key.attr if isinstance(key, ast.Attribute) else words_of(key, names)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _wait(said: Spoken) -> str:
    units = {
        one.arg: value_of(one.value, said.names)
        for one in said.call.keywords
        if one.arg in ("days", "hours", "minutes")
    }
    if said.call.args and not units:
        return f"wait {said.get(0, 'duration')}"
    if UNKNOWN in units.values() or said.call.args:
        return "wait " + " ".join(f"{said.get(9, unit or '')} {unit}" for unit in units)
    return f"wait {in_words(timedelta(**{str(unit): value for unit, value in units.items()}))}"


def _patient(text: str) -> Callable[[Spoken], str]:
    def say(said: Spoken) -> str:
        limit = said.get(9, "timeout")
        fresh = ", from now on" if said.get(9, "from_now") == "True" else ""
        return f"{text.format(said.get(0, ''))}{fresh}{f', at most {limit}' if limit else ''}"

    return say


def _score(said: Spoken) -> str:
    points = value_of(said.call.args[0], said.names) if said.call.args else UNKNOWN
    shown = f"{points:+d}" if isinstance(points, int) else said.get(0, "points")
    return f"score {shown}: {said.get(1, 'reason')}"


def _mail(said: Spoken) -> str:
    test = said.get(9, "test")
    return f"mail {said.get(0, 'template')}{f' (test of {test})' if test else ''}"


def _split(said: Spoken) -> str:
    weights = said.get(9, "weights")
    return f"split {said.get(0, 'name')}{f' ({weights})' if weights else ''}"


_VERBS: dict[str, Callable[[Spoken], str]] = {
    "send_email": _mail,
    "wait": _wait,
    "wait_until": lambda said: f"wait until {said.get(0, 'when')}",
    "wait_for": _patient("wait for {}"),
    "wait_first": _patient("wait for the first of {}"),
    "wait_all": lambda said: _patient(
        "wait for all of "
        + "; ".join(words_of(one, said.names) for one in said.call.args).replace("{", "(").replace("}", ")")
    )(said),
    "absent": lambda said: f"no {said.get(0, 'condition')} within {said.get(1, 'within')}?",
    "approval": lambda said: _patient(f"ask {said.get(9, 'who')}: {{}}")(said),
    "did": lambda said: f"{said.get(0, 'condition')} so far?",
    "join": lambda said: f"join list {said.get(0, 'name')}",
    "leave": lambda said: f"leave list {said.get(0, 'name')}",
    "set_attribute": lambda said: f"set {said.get(0, 'name')} to {said.get(1, 'value')}",
    "add_to_attribute": lambda said: f"add {said.get(1, 'amount')} to {said.get(0, 'name')}",
    "clear_attribute": lambda said: f"clear {said.get(0, 'name')}",
    "set_stage": lambda said: f"stage {said.get(0, 'stage')}",
    "create_task": lambda said: f"task for {said.get(1, 'who')}: {said.get(0, 'title')}",
    "call_webhook": lambda said: f"webhook {said.get(0, 'url')}",
    "notify": lambda said: f"tell {said.get(0, 'channel')}: {said.get(1, 'text')}",
    "notify_sales": lambda said: f"tell sales: {said.get(0, 'reason')}",
    "adjust_score": _score,
    "has_tag": lambda said: f"tagged {said.get(0, 'tag')}?",
    "in_list": lambda said: f"on list {said.get(0, 'name')}?",
    "in_segment": lambda said: f"in segment {said.get(0, 'name')}?",
    "value": lambda said: f"value of {said.get(0, 'parameter')}",
    "now": lambda said: "look at the clock",
    "split": _split,
    "enter": lambda said: f"enter {said.get(0, 'journey')}",
    "sub_journey": lambda said: f"go through {said.get(0, 'journey')}",
}
