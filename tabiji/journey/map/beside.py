"""Draws what runs side by side: gather, tasks, groups of tasks."""

from __future__ import annotations

import ast
import asyncio
import inspect

from tabiji.journey.map.draft import Flow, Loose, on_from
from tabiji.journey.map.graph import EdgeKind, NodeKind
from tabiji.journey.map.helpers import Helpers
from tabiji.journey.map.source import Later, Local, Nested, Scope, Tasks
from tabiji.journey.map.words import plain
from tabiji.journey.vocabulary import NO_COROUTINE, VERBS

_ASYNCIO = {
    asyncio.gather: "gather",
    asyncio.create_task: "create_task",
    asyncio.ensure_future: "create_task",
    asyncio.wait_for: "within",
    asyncio.shield: "transparent",
    asyncio.sleep: "sleep",
    asyncio.wait: "unseen",
    asyncio.as_completed: "unseen",
}


class Beside(Helpers):
    """Draws calls into asyncio."""

    def asyncio_call(self, node: ast.Call, scope: Scope) -> str | None:
        """How a call of asyncio's is drawn; None where it is none."""
        match node.func:
            case ast.Attribute(value=ast.Name(id=group), attr="create_task") if isinstance(
                scope.locals.get(group), Tasks
            ):
                return "create_task"
            case _:
                made = scope.value(node.func)
                try:
                    return _ASYNCIO.get(made)
                except TypeError:
                    return None

    def beside(self, how: str, node: ast.Call, scope: Scope, flow: Flow) -> Flow:
        """Draw a call of asyncio's."""
        match how:
            case "gather":
                return self._gathered(node, scope, flow)
            case "create_task":
                match node.func:
                    case ast.Attribute(value=ast.Name(id=name)) if isinstance(group := scope.locals.get(name), Tasks):
                        return self.begin(node, scope, flow, group)
                    case _:
                        return self.begin(node, scope, flow, Tasks())
            case "within":
                flow = self.unseen(node, scope, flow, f"at most {plain(node.args[-1])} seconds: asyncio.wait_for")
                return self.expression(node.args[0], scope, flow)
            case "transparent":
                return self.arguments(node, scope, flow)
            case _:
                return self.unseen(node, scope, self.arguments(node, scope, flow), plain(node))

    def _gathered(self, node: ast.Call, scope: Scope, flow: Flow) -> Flow:
        fork = self.draft.add(NodeKind.FORK, scope.name("gather"), "side by side", scope.spot(node), flow)
        ends: list[Loose] = []
        forks = [fork]
        for argument in node.args:
            if isinstance(argument, ast.Name) and isinstance(begun := scope.locals.get(argument.id), Tasks):
                ends += begun.ends
                forks += begun.forks
            else:
                ends += self._branches(argument, scope, Loose(fork, kind=EdgeKind.BESIDE))
        join = self.draft.add(
            NodeKind.JOIN, scope.name("gather:joined"), "all done", scope.spot(node), tuple(ends), joins=tuple(forks)
        )
        return on_from(join)

    def _branches(self, node: ast.expr, scope: Scope, start: Loose) -> Flow:
        match node:
            case ast.Starred(value=value):
                return self._branches(value, scope, start)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return tuple(end for element in elements for end in self._branches(element, scope, start))
            case (
                ast.ListComp(elt=element, generators=[each, *_]) | ast.GeneratorExp(elt=element, generators=[each, *_])
            ):
                label = f"for each {plain(each.target)} of {plain(each.iter)}"
                return self.expression(element, scope, (Loose(start.source, label, EdgeKind.BESIDE, many=True),))
            case ast.Name(id=name) if isinstance(held := scope.locals.get(name), Later):
                return self._branches(held.made, scope, start)
            case ast.Call():
                return self.expression(node, scope, (start,))
            case _:
                return self.unseen(node, scope, (start,), plain(node), like="*")

    def begin(self, node: ast.Call, scope: Scope, flow: Flow, tasks: Tasks) -> Flow:
        """A task: a branch of its own, while what comes after it goes on."""
        if len(flow) == 1 and flow == on_from(flow[0].source) and self._is_fork(flow[0].source):
            fork = flow[0].source
        else:
            fork = self.draft.add(NodeKind.FORK, scope.name("task"), "beside", scope.spot(node), flow)
        begun = node.args[:1] or [keyword.value for keyword in node.keywords if keyword.arg in ("coro", "coroutine")]
        for one in begun:
            tasks.ends += self._branches(one, scope, Loose(fork, kind=EdgeKind.BESIDE))
        tasks.forks.append(fork)
        return on_from(fork)

    def _is_fork(self, id: str) -> bool:
        node = self.draft.nodes[id]
        return node.kind is NodeKind.FORK and node.words == "beside"

    def joined(self, tasks: Tasks, node: ast.AST, scope: Scope, flow: Flow) -> Flow:
        """Wait until what runs beside is done."""
        if not tasks.forks:
            return flow
        forks = tuple(dict.fromkeys(tasks.forks))
        ends = (*flow, *tasks.ends)
        id = self.draft.add(NodeKind.JOIN, scope.name("joined"), "all done", scope.spot(node), ends, joins=forks)
        tasks.ends.clear()
        tasks.forks.clear()
        return on_from(id)

    def awaited(self, held: Local, scope: Scope, flow: Flow, node: ast.AST) -> Flow:
        """Draw `await` before a variable."""
        match held:
            case Later(made=made):
                return self.expression(made, scope, flow)
            case Tasks():
                return self.joined(held, node, scope, flow)
            case _:
                return flow

    def makes_coroutines(self, node: ast.expr, scope: Scope) -> bool:
        """Whether an expression makes coroutines that are awaited somewhere else."""
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=verb)) if scope.is_journey(owner) and verb in VERBS:
                return verb not in NO_COROUTINE
            case ast.Call():
                helper = self.helper(node.func, scope)
                match helper and helper[0]:
                    case Nested(node=function):
                        return isinstance(function, ast.AsyncFunctionDef)
                    case made:
                        return inspect.iscoroutinefunction(made)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return bool(elements) and any(self.makes_coroutines(element, scope) for element in elements)
            case ast.ListComp(elt=element):
                return self.makes_coroutines(element, scope)
            case _:
                return False
