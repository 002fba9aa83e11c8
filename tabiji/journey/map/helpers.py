"""What a map is read with: calls of helpers are followed, what cannot be followed is drawn as such."""

from __future__ import annotations

import ast
from types import FunctionType

from tabiji.journey.callers import authored
from tabiji.journey.journey import Journey
from tabiji.journey.map.draft import Draft, Flow, on_from
from tabiji.journey.map.graph import EdgeKind, NodeKind
from tabiji.journey.map.source import (
    Nested,
    Scope,
    bound,
    definition,
    method_of,
    travelling,
    written_by_an_author,
)
from tabiji.journey.map.values import UNKNOWN
from tabiji.journey.map.words import plain
from tabiji.journey.places import Function
from tabiji.journey.vocabulary import VERBS

_TEMPORAL = frozenset(
    {
        "execute_activity",
        "execute_activity_class",
        "execute_activity_method",
        "execute_child_workflow",
        "execute_local_activity",
        "execute_local_activity_method",
        "sleep",
        "start_activity",
        "start_child_workflow",
        "start_local_activity",
        "wait_condition",
        "continue_as_new",
    }
)
_HARMLESS = frozenset({"isinstance", "type", "id", "repr", "str", "hasattr", "print", "len", "bool", "super"})

Helper = tuple[FunctionType | Nested, type | None]
"""A function of the author's, and the class it is a method of."""


class Helpers:
    """Draws calls of functions."""

    def __init__(self, journey: type[Journey], draft: Draft) -> None:
        self.journey = journey
        self.draft = draft
        self._stack: list[tuple[Function, str | None]] = []

    def body(self, statements: list[ast.stmt], scope: Scope, flow: Flow) -> Flow:
        """Draw statements; see `Statements`."""
        raise NotImplementedError

    def expression(self, node: ast.AST, scope: Scope, flow: Flow) -> Flow:
        """Draw whatever an expression does; see `Expressions`."""
        raise NotImplementedError

    def arguments(self, node: ast.Call, scope: Scope, flow: Flow) -> Flow:
        """Draw what is done to make a call's arguments."""
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            flow = self.expression(argument, scope, flow)
        return flow

    def helper(self, func: ast.expr, scope: Scope) -> Helper | None:
        """A function of the author's that a call leads to, and the class it stands in."""
        match func:
            case ast.Name(id=name) if isinstance(nested := scope.locals.get(name), Nested):
                return nested, None
            case ast.Attribute(value=owner, attr=name) if scope.is_journey(owner):
                found = method_of(self.journey, name)
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name) if scope.owner is not None:
                found = method_of(self.journey, name, after=scope.owner)
            case _:
                made = scope.value(func)
                return (made, None) if isinstance(made, FunctionType) and authored(made.__code__) else None
        if found is None or not written_by_an_author(found[0]):
            return None
        return (found[1], found[0]) if isinstance(found[1], FunctionType) else None

    def inlined(self, helper: Helper, call: ast.Call, scope: Scope, flow: Flow) -> Flow:
        """Draw a helper with all that is in it."""
        made, owner = helper
        method = owner is not None
        found = (scope.file, made.node) if isinstance(made, Nested) else definition(made)
        if found is None or hasattr(made, "__wrapped__"):
            return self.unseen(call, scope, flow, f"{plain(call.func)}(…)", like=f"*/{plain(call.func)}/*")
        file, node = found
        nested = isinstance(made, Nested)
        travellers = travelling(node, call, scope, method=method) | (scope.travellers if nested else frozenset[str]())
        flow = self.handed_on(call, scope, flow)
        if not travellers:
            return flow
        if any(one is node for one, _ in self._stack):
            return self._again(node, call, scope, flow)
        if self.draft.full:
            return self.unseen(call, scope, flow, f"{node.name}(…): too large to draw", like=f"*/{node.name}/*")
        outer = scope.names if isinstance(made, Nested) else made.__globals__
        inner = Scope(
            file=file,
            node=node,
            way=(*scope.way, node.name),
            names=bound(node, call, scope.names, outer, method=method),
            travellers=travellers,
            group=self.draft.frame("/".join((*scope.way, node.name)), _title(node), scope.spot(call)),
            owner=owner,
            inside=scope.inside,
            locals=dict(scope.locals) if nested else {},
        )
        return self.function(inner, flow)

    def function(self, scope: Scope, flow: Flow) -> Flow:
        """Draw a function's body; the ways on after its call."""
        before = len(self.draft.nodes)
        self.draft.files.add(scope.file)
        self._stack.append((scope.node, scope.group))
        flow = self.body(scope.node.body, scope, flow)
        self._stack.pop()
        if len(self.draft.nodes) == before and scope.group is not None:
            del self.draft.groups[scope.group]
        return (*flow, *scope.returns)

    def _again(self, node: Function, call: ast.Call, scope: Scope, flow: Flow) -> Flow:
        """A function that calls itself: back to where it begins."""
        group = next(group for one, group in self._stack if one is node)
        id = self.draft.add(
            NodeKind.LOOP, scope.name(f"again:{node.name}"), f"{node.name} again", scope.spot(call), flow
        )
        entry = next((one.id for one in self.draft.nodes.values() if one.group == group and one.id != id), None)
        if entry is not None:
            self.draft.lead(on_from(id, "again", EdgeKind.AGAIN), entry)
        return on_from(id, "done")

    def foreign(self, node: ast.Call, scope: Scope, flow: Flow) -> Flow:
        """A call of something else: harmless, or unseen where it gets the journey."""
        flow = self.arguments(node, scope, self.expression(node.func, scope, flow))
        made = scope.value(node.func)
        name = plain(node.func)
        if _module_of(made).startswith("temporalio") and getattr(made, "__name__", "") in _TEMPORAL:
            return self.unseen(node, scope, flow, f"Temporal: {name}({_first(node)})")
        passed = (*node.args, *(keyword.value for keyword in node.keywords))
        flow = self.handed_on(node, scope, flow)
        if name == "getattr" and any(map(scope.is_journey, passed)):
            return self.unseen(node, scope, flow, plain(node), like="*")
        if any(map(scope.is_journey, passed)) and name not in _HARMLESS and not _of_tabiji(made):
            return self.unseen(node, scope, flow, f"{name}(…)", like=f"*/{name.rpartition('.')[2]}/*")
        if isinstance(node.func, ast.Attribute) and scope.is_journey(node.func.value):
            member = _member(self.journey, node.func.attr)
            if member is None or not _of_tabiji(member):
                return self.unseen(node, scope, flow, f"{name}(…)", like=f"*/{node.func.attr}/*")
        return flow

    def handed_on(self, node: ast.Call, scope: Scope, flow: Flow) -> Flow:
        """Draw helpers that are given to somebody else to call."""
        for one in (*node.args, *(keyword.value for keyword in node.keywords)):
            if isinstance(one, ast.Attribute) and scope.is_journey(one.value) and one.attr not in VERBS:
                member = _member(self.journey, one.attr)
                if isinstance(member, FunctionType) and not _of_tabiji(member):
                    words = f"{one.attr}, called by {plain(node.func)}"
                    flow = self.unseen(one, scope, flow, words, like=f"*/{one.attr}/*")
        return flow

    def unseen(self, node: ast.AST, scope: Scope, flow: Flow, words: str, *, like: str | None = None) -> Flow:
        """Draw what cannot be followed. `like`: names of the steps that may be in it."""
        id = self.draft.add(
            NodeKind.COMPUTED, scope.name(f"computed:{words}"), words, scope.spot(node), flow, like=like
        )
        return on_from(id)


def _first(node: ast.Call) -> str:
    return plain(node.args[0]) if node.args else ""


def _title(node: Function) -> str:
    doc = ast.get_docstring(node)
    return f"{node.name}: {doc.splitlines()[0]}" if doc else node.name


def _member(journey: type, name: str) -> object:
    found = method_of(journey, name)
    return found[1] if found else None


def _of_tabiji(made: object) -> bool:
    return made is not UNKNOWN and _module_of(made).startswith("tabiji.")


def _module_of(made: object) -> str:
    return getattr(made, "__module__", None) or ""
