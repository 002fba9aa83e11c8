"""Journeys that lead into each other in a circle, without a wait on the way: A enters B enters A; tag, trigger, tag."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from tabiji.domain.conditions import Condition
from tabiji.journey.check.findings import Finding, Project, at
from tabiji.journey.map import NodeKind, Reading
from tabiji.journey.map.values import UNKNOWN
from tabiji.journey.map.words import Spoken

_CHANGES: dict[str, tuple[str, tuple[tuple[str, int, str], ...]]] = {
    "tag": ("Tag Added", (("tag", 0, "tag"),)),
    "untag": ("Tag Removed", (("tag", 0, "tag"),)),
    "join": ("List Joined", (("list", 0, "name"),)),
    "leave": ("List Left", (("list", 0, "name"),)),
    "set_attribute": ("Attribute Changed", (("name", 0, "name"), ("after", 1, "value"))),
    "add_to_attribute": ("Attribute Changed", (("name", 0, "name"),)),
    "clear_attribute": ("Attribute Changed", (("name", 0, "name"),)),
    "adjust_score": ("Score Changed", ()),
    "set_stage": ("Stage Changed", (("after", 0, "stage"),)),
}
"""The event each verb leaves behind, and which of its properties are which argument."""


@dataclass(frozen=True)
class Lead:
    """One journey lets people into another, at a node that is reached without a wait."""

    source: str
    target: str
    node: str
    how: str


def circles(project: Project) -> Iterator[Finding]:
    """Every circle, told once, at the first journey by name."""
    readings = {reading.graph.journey: reading for reading in project.readings}
    leads = [lead for reading in project.readings for lead in _leads(reading, readings)]
    told: set[frozenset[str]] = set()
    for name in sorted(readings):
        way = _back_to(name, leads)
        if way is None or frozenset(lead.source for lead in way) in told:
            continue
        told.add(frozenset(lead.source for lead in way))
        words = "; ".join(f"{lead.source} {lead.how} {lead.target}" for lead in way)
        yield at(
            readings[way[0].source],
            way[0].node,
            "circle",
            f"people may go round for ever without a wait: {words}.",
            "Wait before it, or let one of them take people only once in a while: reentry=after(days=…).",
        )


def _leads(reading: Reading, readings: dict[str, Reading]) -> Iterator[Lead]:
    name = reading.graph.journey
    for id in _without_wait(reading):
        node, said = reading.graph.by_id[id], reading.calls.get(id)
        if said is None:
            continue
        if node.verb in ("enter", "sub_journey"):
            target = getattr(getattr(said.value(0, "journey"), "spec", None), "name", None)
            if target in readings and _again(readings[target]):
                yield Lead(name, target, id, "enters")
        elif node.verb in _CHANGES:
            event, properties = _event(node.verb, said)
            for other in readings.values():
                if _again(other) and any(_may_match(one, event, properties) for one in other.journey.spec.triggers):
                    yield Lead(name, other.graph.journey, id, f"by {node.words!r} starts")


def _again(reading: Reading) -> bool:
    """Whether people are let in as often as they come."""
    return reading.journey.spec.reentry.rule == "always"


def _event(verb: str, said: Spoken) -> tuple[str, dict[str, JsonValue]]:
    event, parts = _CHANGES[verb]
    values = {name: said.value(place, argument) for name, place, argument in parts}
    return event, {name: value for name, value in values.items() if value is not UNKNOWN}


def _may_match(trigger: Condition, event: str, properties: dict[str, JsonValue]) -> bool:
    """Whether this event may start a journey; what is not known of it may be anything."""
    known = [test for test in trigger.where if getattr(test, "path", None) in properties]
    return trigger.event == event and all(test.holds(properties) for test in known)


def _without_wait(reading: Reading) -> set[str]:
    """Nodes that are reached from the start before any wait."""
    graph = reading.graph
    seen = {node.id for node in graph.starts}
    todo = list(seen)
    while todo:
        node = graph.by_id[todo.pop()]
        if node.kind is NodeKind.WAIT:
            continue
        for edge in graph.out[node.id]:
            if edge.target not in seen:
                seen.add(edge.target)
                todo.append(edge.target)
    return seen


def _back_to(start: str, leads: list[Lead]) -> list[Lead] | None:
    """The shortest way from a journey back to itself."""
    todo: list[list[Lead]] = [[lead] for lead in leads if lead.source == start]
    seen: set[str] = set()
    while todo:
        way = todo.pop(0)
        last = way[-1].target
        if last == start:
            return way
        if last not in seen:
            seen.add(last)
            todo += [[*way, lead] for lead in leads if lead.source == last]
    return None
