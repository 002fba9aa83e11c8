"""Rules on one journey's map. Each takes what was read of a journey, and the project, and yields what is wrong."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from datetime import timedelta
from typing import Any

from tabiji.domain.conditions import Condition
from tabiji.domain.dates import ContactDate
from tabiji.domain.durations import in_words
from tabiji.domain.patterns import AllOf, AnyOf, Pattern, Sequence, Times, conditions_in
from tabiji.domain.tests import Equals, OneOf
from tabiji.journey.check.argument_rules import arguments
from tabiji.journey.check.findings import Finding, Project, Severity, at
from tabiji.journey.costs import EVENTS, MOST_EVENTS
from tabiji.journey.map import Edge, EdgeKind, Graph, Node, NodeKind, Reading
from tabiji.journey.map.values import UNKNOWN
from tabiji.journey.map.words import Spoken

Rule = Callable[[Reading, Project], Iterator[Finding]]

_LIMITED = {
    "wait_for": "timeout",
    "wait_first": "timeout",
    "wait_all": "timeout",
    "absent": "within",
    "approval": "timeout",
}
A_DAY = timedelta(days=1)
"""What a wait counts for that only a run knows: marketers turn it, or it hangs on a date of the contact's."""

_PATTERNS = (Condition, AnyOf, AllOf, Times, Sequence)


def no_timeout(reading: Reading, _: Project) -> Iterator[Finding]:
    """A wait for what somebody does ends some day."""
    for node, said in _steps(reading):
        name = _LIMITED.get(node.verb or "")
        if name is None:
            continue
        given = said.node(9, name)
        if given is None or said.value(9, name) is None or _may_be_none(given):
            yield at(
                reading,
                node.id,
                "no-timeout",
                f"{node.verb}() may wait for ever.",
                f"Give it {name}=days(…) in every case.",
            )


def missing_arm(reading: Reading, _: Project) -> Iterator[Finding]:
    """A match on a closed set takes all of it."""
    for id, arms in reading.missing.items():
        named = ", ".join(sorted(arms))
        yield at(
            reading,
            id,
            "missing-arm",
            f"the match leaves out {named}: whoever gets it does nothing here.",
            "Add a case for each, or `case _:`.",
        )


def unknown_event(reading: Reading, project: Project) -> Iterator[Finding]:
    """What nobody sends, nobody waits for with success."""
    for node, said in _steps(reading):
        for pattern in _patterns(said):
            for doubt in project.events.doubts(pattern):
                yield at(reading, node.id, "unknown-event", doubt, "`tabiji events` lists what is declared.")
    spec = reading.journey.spec
    home = next(iter(reading.graph.starts), None)
    for pattern in (*spec.triggers, *spec.goals, *spec.exits):
        for doubt in project.events.doubts(pattern):
            if home is not None:
                yield at(reading, home.id, "unknown-event", doubt, "`tabiji events` lists what is declared.")


def unknown_form(reading: Reading, project: Project) -> Iterator[Finding]:
    """A form that is not declared is sent by nobody, but for sites with forms of their own."""
    if not len(project.forms):
        return
    spec = reading.journey.spec
    home = next(iter(reading.graph.starts), None)
    asked = [(node.id, pattern) for node, said in _steps(reading) for pattern in _patterns(said)]
    asked += [(home.id, pattern) for pattern in (*spec.triggers, *spec.goals, *spec.exits) if home is not None]
    for id, pattern in asked:
        for name in _forms_in(pattern):
            if project.forms.get(name) is None:
                known = ", ".join(form.name for form in project.forms)
                yield at(
                    reading,
                    id,
                    "unknown-form",
                    f"there is no form {name!r} here: only a site of your own could send it.",
                    f"Declare it in the folder forms. There are: {known}.",
                    severity=Severity.WARNING,
                )


def _forms_in(pattern: Pattern) -> Iterator[str]:
    for condition in conditions_in(pattern):
        if condition.event != "Form Submitted":
            continue
        for test in condition.where:
            match test:
                case Equals(path="form", value=str(name)):
                    yield name
                case OneOf(path="form", values=names):
                    yield from (name for name in names if isinstance(name, str))
                case _:
                    pass


def loop_without_wait(reading: Reading, _: Project) -> Iterator[Finding]:
    """A loop that nothing bounds and nothing slows down never lets go of the worker, and mails without end."""
    graph = reading.graph
    for head in (node for node in graph.nodes if node.kind is NodeKind.LOOP and not _bounded(node)):
        inside = _round(graph, head, lambda node: node.kind is not NodeKind.WAIT)
        if any(node.verb for node in inside):
            for_ever = head.words == "again and again"
            yield at(
                reading,
                head.id,
                "loop-without-wait",
                "people may go round here without a wait.",
                "Wait inside the loop, or go over a list: `for … in (…)`.",
                severity=Severity.ERROR if for_ever else Severity.WARNING,
            )


def long_history(reading: Reading, _: Project) -> Iterator[Finding]:
    """A run goes on in a new one at a wait; what comes before the next wait must fit into one history."""
    graph = reading.graph
    for head in (node for node in graph.nodes if node.kind is NodeKind.LOOP and _bounded(node)):
        turns = _turns(reading, head)
        inside = _round(graph, head, lambda node: True)
        if turns is None or any(node.kind is NodeKind.WAIT for node in inside):
            continue
        events = turns * sum(EVENTS.get(node.verb or "", 0) for node in inside)
        if events > MOST_EVENTS:
            yield at(
                reading,
                head.id,
                "long-history",
                f"{turns} turns without a wait make some {events} events; a history holds {MOST_EVENTS} well.",
                "Wait now and then inside the loop, or let one activity do the work: `await self.do(…)`.",
                severity=Severity.WARNING,
            )


def too_many_mails(reading: Reading, project: Project) -> Iterator[Finding]:
    """Somebody may get more mails in a day than is good."""
    graph, limits = reading.graph, project.limits
    for first in (node for node in graph.nodes if node.kind is NodeKind.MAIL):
        way = _mails_after(reading, first, limits.mails, limits.per)
        if way is not None:
            mails = ", ".join(dict.fromkeys(node.words.removeprefix("mail ") for node in way))
            yield at(
                reading,
                first.id,
                "many-mails",
                f"more than {limits.mails} mails may go out within {in_words(limits.per)}: {mails}.",
                "Wait between them, or leave some out.",
                severity=Severity.WARNING,
            )
            return


RULES: tuple[Rule, ...] = (
    arguments,
    no_timeout,
    missing_arm,
    unknown_event,
    unknown_form,
    loop_without_wait,
    long_history,
    too_many_mails,
)


def _steps(reading: Reading) -> Iterator[tuple[Node, Spoken]]:
    for id, said in reading.calls.items():
        yield reading.graph.by_id[id], said


def _may_be_none(node: ast.expr) -> bool:
    match node:
        case ast.IfExp(body=body, orelse=orelse):
            return _may_be_none(body) or _may_be_none(orelse)
        case ast.BoolOp(op=ast.Or(), values=values):
            return _may_be_none(values[-1])
        case ast.Constant(value=None):
            return True
        case _:
            return False


def _patterns(said: Spoken) -> Iterator[Pattern]:
    values = [said.value(place, "") for place in range(len(said.call.args))]
    for keyword in said.call.keywords:
        values.append(said.value(len(said.call.args), keyword.arg or ""))
    for value in values:
        yield from (one for one in _each(value) if isinstance(one, _PATTERNS))


def _each(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else (value,)  # pyright: ignore[reportUnknownVariableType] # of whatever


def _bounded(head: Node) -> bool:
    return head.words.startswith("for each")


def _turns(reading: Reading, head: Node) -> int | None:
    """How often a loop over what is known goes round."""
    over = reading.loops.get(head.id, UNKNOWN)
    return len(over) if isinstance(over, Sized) else None


def _round(graph: Graph, head: Node, may: Callable[[Node], bool]) -> list[Node]:
    """Nodes on a way from a loop's head back to it, going only where one may."""
    order = {node.id: place for place, node in enumerate(graph.nodes)}

    def passable(edge: Edge) -> bool:
        target = graph.by_id[edge.target]
        back = _bounded(target) and target is not head and order[edge.source] > order[edge.target]
        return not back and (target is head or may(target))

    ahead: dict[str, list[str]] = {}
    behind: dict[str, list[str]] = {}
    for edge in filter(passable, graph.edges):
        ahead.setdefault(edge.source, []).append(edge.target)
        behind.setdefault(edge.target, []).append(edge.source)
    both = _reached(head.id, ahead) & _reached(head.id, behind)
    return [graph.by_id[id] for id in both if id != head.id]


def _reached(start: str, ways: dict[str, list[str]]) -> set[str]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        for target in ways.get(todo.pop(), ()):
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def _mails_after(reading: Reading, first: Node, most: int, span: timedelta) -> list[Node] | None:
    """Mails on a way on which more than so many lie within a span; None where there is no such way."""
    graph = reading.graph
    todo: deque[tuple[Node, timedelta, tuple[Node, ...]]] = deque([(first, timedelta(0), (first,))])
    best: dict[tuple[str, int], timedelta] = {}
    while todo:
        node, passed, mails = todo.popleft()
        if len(mails) > most:
            return list(mails)
        for edge in graph.out[node.id]:
            later = passed + _takes(reading, node, edge)
            target = graph.by_id[edge.target]
            more = (*mails, target) if target.kind is NodeKind.MAIL else mails
            if later < span and later < best.get((target.id, len(more)), span):
                best[(target.id, len(more))] = later
                todo.append((target, later, more))
    return None


def _takes(reading: Reading, node: Node, edge: Edge) -> timedelta:
    """The least time between coming to a node and leaving it by this edge."""
    said = reading.calls.get(node.id)
    if said is None or node.kind is not NodeKind.WAIT:
        return timedelta(0)
    if node.verb == "wait":
        return _fixed(said)
    if node.verb == "wait_until":
        return A_DAY if isinstance(said.value(0, "when"), ContactDate) else A_DAY / 2
    limit = said.value(9, _LIMITED.get(node.verb or "", "timeout"))
    waited_out = EdgeKind.YES if node.verb == "absent" else EdgeKind.NO
    if edge.kind is not waited_out:
        return timedelta(0)
    return limit if isinstance(limit, timedelta) else A_DAY


def _fixed(said: Spoken) -> timedelta:
    given = said.value(0, "duration")
    span = given if isinstance(given, timedelta) else timedelta(0)
    for unit in ("days", "hours", "minutes"):
        value = said.value(9, unit)
        if isinstance(value, int | float):
            span += timedelta(**{unit: value})
        elif value is UNKNOWN and said.node(9, unit) is not None:
            span += A_DAY
    return span
