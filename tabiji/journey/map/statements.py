"""Reads the statements of a journey: branches, loops, tries, ends."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable
from enum import Enum

from tabiji.journey.map.draft import NOBODY, Flow, Loose, labelled, on_from
from tabiji.journey.map.expressions import Expressions
from tabiji.journey.map.graph import EdgeKind, NodeKind
from tabiji.journey.map.source import Answer, Loop, Nested, Scope, Tasks, imported
from tabiji.journey.map.words import plain, words_of
from tabiji.journey.places import Function
from tabiji.journey.vocabulary import VERBS


class Statements(Expressions):
    """Draws what statements do, one after the other."""

    def body(self, statements: list[ast.stmt], scope: Scope, flow: Flow) -> Flow:
        """Draw a block; the ways on after it."""
        for statement in statements:
            flow = self._statement(statement, scope, flow)
        return flow

    def _statement(self, node: ast.stmt, scope: Scope, flow: Flow) -> Flow:
        match node:
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value):
                return self.assigned(target, value, scope, flow)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                scope.locals[node.name] = Nested(node)
                return flow
            case ast.ClassDef():
                return flow
            case ast.Import() | ast.ImportFrom():
                with contextlib.suppress(ImportError):
                    scope.names |= imported(node, scope.file)
                return flow
            case ast.Return(value=value):
                scope.leave(flow if value is None else self.expression(value, scope, flow))
                return NOBODY
            case ast.Raise():
                return self._raised(node, scope, flow)
            case ast.Break():
                scope.loops[-1].breaks += flow
                return NOBODY
            case ast.Continue():
                self.draft.lead(flow, scope.loops[-1].head)
                return NOBODY
            case _:
                return self._compound(node, scope, flow)

    def _compound(self, node: ast.stmt, scope: Scope, flow: Flow) -> Flow:
        match node:
            case ast.If():
                yes, no = self.test(node.test, scope, flow)
                return (*self.body(node.body, scope, yes), *self.body(node.orelse, scope, no))
            case ast.For() | ast.AsyncFor():
                return self._for(node, scope, flow)
            case ast.While():
                return self._while(node, scope, flow)
            case ast.Match():
                return self._match(node, scope, flow)
            case ast.Try() | ast.TryStar():
                return self._try(node, scope, flow)
            case ast.With() | ast.AsyncWith():
                return self._with(node, scope, flow)
            case _:
                return self.expression(node, scope, flow)

    def _raised(self, node: ast.Raise, scope: Scope, flow: Flow) -> Flow:
        flow = self.expression(node.exc, scope, flow) if node.exc is not None else flow
        what = plain(node.exc).partition("(")[0] if node.exc is not None else "the same again"
        if scope.inside and scope.inside[-1] in scope.raised:
            scope.raised[scope.inside[-1]] += labelled(flow, f"raises {what}")
            return NOBODY
        self.draft.add(NodeKind.END, scope.name(f"raise:{what}"), f"fails: {what}", scope.spot(node), flow)
        return NOBODY

    # Loops

    def _for(self, node: ast.For | ast.AsyncFor, scope: Scope, flow: Flow) -> Flow:
        flow = self.expression(node.iter, scope, flow)
        target = plain(node.target)
        words = f"for each {target} of {words_of(node.iter, scope.names)}"
        head = self.draft.add(NodeKind.LOOP, scope.name(f"for:{target}"), words, scope.spot(node), flow)
        self.draft.loops[head] = scope.names[f"{target}*"] = scope.value(node.iter)
        loop = Loop(head)
        scope.loops.append(loop)
        self.draft.lead(self.body(node.body, scope, on_from(head, "each")), head, EdgeKind.AGAIN)
        scope.loops.pop()
        return (*self.body(node.orelse, scope, on_from(head, "done")), *loop.breaks)

    def _while(self, node: ast.While, scope: Scope, flow: Flow) -> Flow:
        words = "again and again" if isinstance(node.test, ast.Constant) else f"as long as {plain(node.test)}"
        head = self.draft.add(NodeKind.LOOP, scope.name(f"while:{plain(node.test)}"), words, scope.spot(node), flow)
        if isinstance(node.test, ast.Constant) or not self.does(node.test, scope):
            yes, no = on_from(head, "again", EdgeKind.YES), on_from(head, "done", EdgeKind.NO)
            no = NOBODY if isinstance(node.test, ast.Constant) and node.test.value else no
        else:
            yes, no = self.test(node.test, scope, on_from(head))
        loop = Loop(head)
        scope.loops.append(loop)
        self.draft.lead(self.body(node.body, scope, yes), head, EdgeKind.AGAIN)
        scope.loops.pop()
        return (*self.body(node.orelse, scope, no), *loop.breaks)

    # Arms

    def _match(self, node: ast.Match, scope: Scope, flow: Flow) -> Flow:
        source, arms, flow = self._subject(node.subject, scope, flow)
        if source is None:
            words = f"{plain(node.subject)}?"
            source = self.draft.add(
                NodeKind.CHOICE, scope.name(f"match:{plain(node.subject)}"), words, scope.spot(node), flow
            )
        after: list[Loose] = []
        seen: set[str] = set()
        complete = False
        for case in node.cases:
            label = pattern_words(case.pattern)
            if case.guard is not None:
                label = f"{label} if {plain(case.guard)}"
            else:
                seen |= set(label.split(" or "))
                complete = complete or irrefutable(case.pattern)
            begun = on_from(source, label, EdgeKind.ARM)
            if case.guard is not None:
                begun = self.expression(case.guard, scope, begun)
            after += self.body(case.body, scope, begun)
        if not complete and not (arms and arms <= seen):
            if arms:
                self.draft.missing[source] = frozenset(arms - seen)
            after += on_from(source, "none of these", EdgeKind.ARM)
        return tuple(after)

    def _subject(self, node: ast.expr, scope: Scope, flow: Flow) -> tuple[str | None, set[str], Flow]:
        """The step a match decides on, if it is one, and the names of all arms it can take."""
        match node:
            case ast.Await(value=ast.Call(func=ast.Attribute(value=owner, attr=verb)) as call) if (
                verb in VERBS and scope.is_journey(owner)
            ):
                flow = self.expression(node, scope, flow)
                return (flow[0].source if flow else None), self._arms(verb, call, scope), flow
            case ast.Name(id=name) | ast.Attribute(value=ast.Name(id=name), attr="which") if isinstance(
                held := scope.locals.get(name), Answer
            ):
                arms = self._arms(held.verb, held.call, scope)
                if isinstance(node, ast.Attribute):
                    arms.discard("None")
                direct = bool(flow) and flow == on_from(held.node)
                return (held.node if direct else None), arms, flow
            case _:
                return None, set(), self.expression(node, scope, flow)

    def _arms(self, verb: str, call: ast.Call, scope: Scope) -> set[str]:
        match verb, call.args:
            case "split", [_, arm, *_]:
                kind = scope.value(arm)
                return {one.name for one in kind} if isinstance(kind, type) and issubclass(kind, Enum) else set()
            case "wait_first", [ast.Dict(keys=keys), *_]:
                return {key.attr for key in keys if isinstance(key, ast.Attribute)} | {"None"}
            case _:
                return set()

    # Tries

    def _try(self, node: ast.Try | ast.TryStar, scope: Scope, flow: Flow) -> Flow:
        if not node.handlers:
            return self.body(node.finalbody, scope, self.body([*node.body, *node.orelse], scope, flow))
        id = self.draft.add(NodeKind.TRY, scope.name("try"), "try", scope.spot(node), flow)
        done, raised = self._inside(id, lambda: self.body(node.body, scope, on_from(id)), scope)
        after = list(self.body(node.orelse, scope, done))
        for handler in node.handlers:
            what = "any error" if handler.type is None else plain(handler.type)
            begun = (*on_from(id, what, EdgeKind.RAISED), *raised)
            after += self.body(handler.body, scope, begun)
        return self.body(node.finalbody, scope, tuple(after))

    def _inside(self, id: str, read: Callable[[], Flow], scope: Scope) -> tuple[Flow, Flow]:
        scope.raised[id] = []
        outside, scope.inside = scope.inside, (*scope.inside, id)
        flow = read()
        scope.inside = outside
        return flow, tuple(scope.raised.pop(id))

    def _with(self, node: ast.With | ast.AsyncWith, scope: Scope, flow: Flow) -> Flow:
        groups: list[Tasks] = []
        ignored: list[str] = []
        for item in node.items:
            made = plain(item.context_expr)
            if made.endswith("TaskGroup()"):
                groups.append(Tasks())
                if isinstance(item.optional_vars, ast.Name):
                    scope.locals[item.optional_vars.id] = groups[-1]
            elif made.partition("(")[0].rpartition(".")[2] == "suppress":
                ignored.append(made.partition("(")[2].rstrip(")"))
            elif made.partition("(")[0] in ("asyncio.timeout", "asyncio.timeout_at", "timeout"):
                flow = on_from(
                    self.draft.add(
                        NodeKind.COMPUTED, scope.name(f"computed:{made}"), f"at most: {made}", scope.spot(node), flow
                    )
                )
            else:
                flow = self.expression(item.context_expr, scope, flow)
        if not ignored:
            flow = self.body(node.body, scope, flow)
        else:
            id = self.draft.add(NodeKind.TRY, scope.name("try"), "try", scope.spot(node), flow)
            flow, raised = self._inside(id, lambda: self.body(node.body, scope, on_from(id)), scope)
            flow = (*flow, *on_from(id, f"{', '.join(ignored)} is ignored", EdgeKind.RAISED), *raised)
        for group in groups:
            flow = self.joined(group, node, scope, flow)
        return flow


def pattern_words(pattern: ast.pattern) -> str:
    """One arm of a match for a reader."""
    match pattern:
        case ast.MatchValue(value=ast.Attribute(attr=name)):
            return name
        case ast.MatchValue(value=value):
            return plain(value)
        case ast.MatchOr(patterns=patterns):
            return " or ".join(map(pattern_words, patterns))
        case ast.MatchAs(pattern=None):
            return "otherwise"
        case _:
            return ast.unparse(pattern).replace("'", "")


def irrefutable(pattern: ast.pattern) -> bool:
    """Whether a pattern takes everything."""
    match pattern:
        case ast.MatchAs(pattern=inner):
            return inner is None or irrefutable(inner)
        case ast.MatchOr(patterns=patterns):
            return any(map(irrefutable, patterns))
        case _:
            return False


def nested_functions(node: Function) -> list[Function]:
    """Functions defined directly inside another."""
    return [one for one in node.body if isinstance(one, Function)]
