"""Reads the expressions of a journey: verbs, conditions, and what they are about."""

from __future__ import annotations

import ast

from tabiji.journey.map.beside import Beside
from tabiji.journey.map.draft import NOBODY, Flow, on_from
from tabiji.journey.map.graph import EdgeKind, NodeKind
from tabiji.journey.map.source import Answer, Later, Scope, Tasks
from tabiji.journey.map.words import Spoken, answers, plain, spoken, words_of
from tabiji.journey.vocabulary import MAIL_CONDITIONS, VERBS

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Expressions(Beside):
    """Draws what an expression does, in the order it does it."""

    def expression(self, node: ast.AST, scope: Scope, flow: Flow) -> Flow:
        """Draw whatever an expression does."""
        match node:
            case ast.Call():
                return self.call(node, scope, flow)
            case ast.Await(value=ast.Name(id=name)) if name in scope.locals:
                return self.awaited(scope.locals[name], scope, flow, node)
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()) if self.does(node, scope):
                return _both(self.test(node, scope, flow))
            case ast.IfExp(test=test, body=body, orelse=orelse) if self.does(node, scope):
                yes, no = self.test(test, scope, flow)
                return (*self.expression(body, scope, yes), *self.expression(orelse, scope, no))
            case ast.Lambda(body=body):
                return self._postponed(body, scope, flow)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                return self._comprehended(node, scope, flow)
            case ast.NamedExpr(target=target, value=value):
                return self.assigned(target, value, scope, flow)
            case ast.Attribute(value=owner, attr=name) if scope.is_journey(owner) and name in VERBS:
                return self.unseen(node, scope, flow, f"{name}, called from elsewhere", like="*")
            case _:
                for child in ast.iter_child_nodes(node):
                    flow = self.expression(child, scope, flow)
                return flow

    def does(self, node: ast.AST, scope: Scope) -> bool:
        """Whether an expression may do more than compute."""
        return any(isinstance(one, ast.Await) for one in ast.walk(node)) or any(
            isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and scope.is_journey(one.func.value)
            for one in ast.walk(node)
        )

    def assigned(self, target: ast.expr, value: ast.expr, scope: Scope, flow: Flow) -> Flow:
        """Draw a value, and remember what the variable holds from now on."""
        if not isinstance(target, ast.Name):
            return self.expression(value, scope, flow)
        name = target.id
        scope.locals.pop(name, None)
        match value:
            case ast.Await(value=ast.Call(func=ast.Attribute(value=owner, attr=verb)) as call) if (
                verb in VERBS and scope.is_journey(owner)
            ):
                flow = self.expression(value, scope, flow)
                if flow:
                    scope.locals[name] = Answer(flow[0].source, verb, call)
                return flow
            case ast.Call() if self.asyncio_call(value, scope) == "create_task":
                tasks = scope.locals[name] = Tasks()
                return self.begin(value, scope, flow, tasks)
            case ast.Call() | ast.List() | ast.Tuple() | ast.ListComp() if self.makes_coroutines(value, scope):
                scope.locals[name] = Later(value)
                return flow
            case _:
                return self.expression(value, scope, flow)

    # Conditions

    def test(self, node: ast.expr, scope: Scope, flow: Flow) -> tuple[Flow, Flow]:
        """Draw a condition: the ways on where it holds, and where it does not."""
        match node:
            case ast.Constant(value=value):
                return (flow, NOBODY) if value else (NOBODY, flow)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yes, no = self.test(operand, scope, flow)
                return no, yes
            case ast.BoolOp(op=op, values=values) if self.does(node, scope):
                return self._short_circuit(op, values, scope, flow)
            case ast.NamedExpr(target=ast.Name(id=name) as target, value=value):
                flow = self.assigned(target, value, scope, flow)
                return self.test(ast.copy_location(ast.Name(id=name, ctx=ast.Load()), node), scope, flow)
            case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() as op], comparators=[ast.Constant(value=None)]):
                if isinstance(left, ast.Await) or (isinstance(left, ast.Name) and left.id in scope.locals):
                    there, absent = self.test(left, scope, flow)
                    return (absent, there) if isinstance(op, ast.Is) else (there, absent)
            case ast.Await(value=ast.Call(func=ast.Attribute(value=owner, attr=verb)) as call) if scope.is_journey(
                owner
            ):
                if (words := answers(verb, call, scope.names)) is not None:
                    flow = self.expression(node, scope, flow)
                    return _two_ways(flow[0].source, words.yes, words.no) if flow else (NOBODY, NOBODY)
            case ast.Name(id=name) if isinstance(held := scope.locals.get(name), Answer):
                if (words := answers(held.verb, held.call, scope.names)) is not None:
                    if flow != on_from(held.node):
                        id = self.draft.add(
                            NodeKind.CHOICE, scope.name(f"if:{name}"), f"{name}?", scope.spot(node), flow
                        )
                        return _two_ways(id, words.yes, words.no)
                    return _two_ways(held.node, words.yes, words.no)
            case _:
                pass
        flow = self.expression(node, scope, flow)
        words_ = words_of(node, scope.names) if not self.does(node, scope) else plain(node)
        id = self.draft.add(NodeKind.CHOICE, scope.name(f"if:{plain(node)}"), f"{words_}?", scope.spot(node), flow)
        return _two_ways(id, "yes", "no")

    def _short_circuit(self, op: ast.boolop, values: list[ast.expr], scope: Scope, flow: Flow) -> tuple[Flow, Flow]:
        decided: Flow = NOBODY
        for value in values:
            yes, no = self.test(value, scope, flow)
            flow, out = (yes, no) if isinstance(op, ast.And) else (no, yes)
            decided = (*decided, *out)
        return (flow, decided) if isinstance(op, ast.And) else (decided, flow)

    # Calls

    def call(self, node: ast.Call, scope: Scope, flow: Flow) -> Flow:
        """Draw a call: a verb, a helper with all that is in it, or what cannot be seen."""
        func = node.func
        if isinstance(func, ast.Attribute) and scope.is_journey(func.value):
            if func.attr in VERBS:
                return self._verb(node, func.attr, scope, flow)
            if func.attr == "exit":
                return self._exit(node, scope, self.arguments(node, scope, flow))
            if func.attr in MAIL_CONDITIONS:
                return flow
        if (how := self.asyncio_call(node, scope)) is not None:
            return self.beside(how, node, scope, flow)
        helper = self.helper(func, scope)
        if helper is not None:
            return self.inlined(helper, node, scope, self.arguments(node, scope, flow))
        return self.foreign(node, scope, flow)

    def _arguments(self, node: ast.Call, scope: Scope, flow: Flow) -> Flow:
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            flow = self.expression(argument, scope, flow)
        return flow

    def _verb(self, node: ast.Call, verb: str, scope: Scope, flow: Flow) -> Flow:
        flow = self.arguments(node, scope, flow)
        called = scope.call_at(node)
        step = like = None
        if called is not None and called.own is not None:
            step = "/".join((*scope.way, called.own.partition("/")[2]))
        elif called is not None and called.given is not None:
            step = called.given
        else:
            given = [keyword.value for keyword in node.keywords if keyword.arg == "step"]
            like = _pattern(given[0]) if given else None
        id = self.draft.add(
            NodeKind(VERBS[verb].value),
            step or scope.name(f"{verb}:{like or '?'}"),
            spoken(verb, node, scope.names),
            scope.spot(node),
            flow,
            verb=verb,
            step=step,
            like=like,
        )
        self.draft.calls[id] = Spoken(node, scope.names)
        return on_from(id)

    def _exit(self, node: ast.Call, scope: Scope, flow: Flow) -> Flow:
        reason = words_of(node.args[0], scope.names) if node.args else "exit"
        self.draft.add(NodeKind.END, scope.name(f"exit:{reason}"), f"exit: {reason}", scope.spot(node), flow)
        return NOBODY

    def _postponed(self, body: ast.expr, scope: Scope, flow: Flow) -> Flow:
        """What a lambda holds is run by whoever calls it."""
        for call in (one for one in ast.walk(body) if isinstance(one, ast.Call)):
            named = scope.call_at(call)
            if named is not None and isinstance(call.func, ast.Attribute) and scope.is_journey(call.func.value):
                words = f"{spoken(named.verb, call, scope.names)}, when a lambda is called"
                flow = self.unseen(call, scope, flow, words, like=f"*{named.own or named.given or ''}")
        return flow

    def _comprehended(self, node: Comprehension, scope: Scope, flow: Flow) -> Flow:
        """A loop in an expression."""
        each = node.generators[0]
        flow = self.expression(each.iter, scope, flow)
        if not self.does(node, scope):
            return flow
        words = f"for each {plain(each.target)} of {words_of(each.iter, scope.names)}"
        head = self.draft.add(NodeKind.LOOP, scope.name(f"for:{plain(each.target)}"), words, scope.spot(node), flow)
        inner = on_from(head, "each")
        for test in each.ifs:
            inner, skipped = self.test(test, scope, inner)
            self.draft.lead(skipped, head)
        parts = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        for part in parts:
            inner = self.expression(part, scope, inner)
        self.draft.lead(inner, head)
        return on_from(head, "done")


def _both(ways: tuple[Flow, Flow]) -> Flow:
    return (*ways[0], *ways[1])


def _two_ways(node: str, yes: str, no: str) -> tuple[Flow, Flow]:
    return on_from(node, yes, EdgeKind.YES), on_from(node, no, EdgeKind.NO)


def _pattern(node: ast.expr) -> str:
    """A computed name as a pattern."""
    match node:
        case ast.JoinedStr(values=parts):
            return "".join(map(_part, parts))
        case _:
            return "*"


def _part(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "*"
