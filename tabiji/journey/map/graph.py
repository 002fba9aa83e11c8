"""The map of a journey as data: what `tabiji map --json` prints.

Nodes are steps and what decides between them, edges lead from one to the next. A node that is a step carries the same
name its runs write down (`step`), so counts can be laid on the map. `step` is None for what is no step; where a name is
computed, `like` is a pattern (`remind *`) that the names in a run match.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tabiji.journey.steps import undivided


class NodeKind(StrEnum):
    """What a node is. The first six are steps: `tabiji.journey.vocabulary.Kind`."""

    MAIL = "mail"
    WAIT = "wait"
    ACTION = "action"
    READ = "read"
    SPLIT = "split"
    JOURNEY = "journey"
    START = "start"
    CHOICE = "choice"
    LOOP = "loop"
    TRY = "try"
    FORK = "fork"
    JOIN = "join"
    END = "end"
    GOAL = "goal"
    EXIT = "exit"
    COMPUTED = "computed"


class EdgeKind(StrEnum):
    """How one gets along an edge.

    `beside`: everybody who comes by begins this branch, and goes on. `raised`: from anywhere inside the try.
    """

    NEXT = "next"
    YES = "yes"
    NO = "no"
    ARM = "arm"
    AGAIN = "again"
    BESIDE = "beside"
    RAISED = "raised"


class Shape(BaseModel):
    """A part of the map."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Node(Shape):
    """A place on the map. `inside` are the tries around it; a join waits for the branches of the forks in `joins`."""

    id: str
    kind: NodeKind
    words: str
    file: str
    line: int
    verb: str | None = None
    step: str | None = None
    like: str | None = None
    group: str | None = None
    inside: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    count: int | None = None

    def is_step(self, step: str) -> bool:
        """Whether a step that has been run is this one."""
        step = undivided(step)
        if self.like is not None:
            return re.fullmatch(".*".join(map(re.escape, self.like.split("*"))), step) is not None
        return self.step == step


class Edge(Shape):
    """A way from one node to the next. `many`: a branch that may be begun any number of times."""

    source: str
    target: str
    label: str = ""
    kind: EdgeKind = EdgeKind.NEXT
    many: bool = False
    count: int | None = None

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}{f' [{self.label}]' if self.label else ''}"


class Group(Shape):
    """One call of a helper, drawn as a frame around its nodes."""

    id: str
    words: str
    file: str
    line: int
    parent: str | None = None


class Graph(Shape):
    """A journey's map. Goals and exits have no edges: they are reached from everywhere."""

    version: Literal[1] = 1
    journey: str
    title: str
    file: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    groups: tuple[Group, ...] = ()

    @cached_property
    def starts(self) -> tuple[Node, ...]:
        """Where people come in."""
        return tuple(node for node in self.nodes if node.kind is NodeKind.START)

    @cached_property
    def by_id(self) -> dict[str, Node]:
        """Nodes by their ids."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def out(self) -> dict[str, tuple[Edge, ...]]:
        """Edges by where they begin."""
        found: dict[str, list[Edge]] = {node.id: [] for node in self.nodes}
        for edge in self.edges:
            found[edge.source].append(edge)
        return {source: tuple(edges) for source, edges in found.items()}

    def steps_called(self, step: str) -> list[Node]:
        """The nodes a step of a run may be: several where a helper is called from several places."""
        return [node for node in self.nodes if node.is_step(step)]


def with_counts(graph: Graph, counts: Mapping[str, int], edges: Mapping[Edge, int] | None = None) -> Graph:
    """Lay counts on a map.

    Args:
        graph: The map.
        counts: People by step, as runs name steps. A step that stands on the map twice shows its sum at both places.
        edges: People by edge, where that is known: see `follow.traffic`.
    """
    whole: Counter[str] = Counter()
    for step, count in counts.items():
        whole[undivided(step)] += count
    nodes = tuple(node.model_copy(update={"count": _count(node, whole)}) for node in graph.nodes)
    counted = edges or {}
    lines = tuple(edge.model_copy(update={"count": counted.get(edge)}) for edge in graph.edges)
    # Not a copy: it would take along what has been looked up by id.
    return Graph(
        journey=graph.journey,
        title=graph.title,
        file=graph.file,
        nodes=nodes,
        edges=lines if edges is not None else graph.edges,
        groups=graph.groups,
    )


def _count(node: Node, counts: Mapping[str, int]) -> int | None:
    if node.step is None and node.like is None:
        return None
    return sum(count for step, count in counts.items() if node.is_step(step))


def not_on_the_map(graph: Graph, steps: Iterable[str]) -> list[str]:
    """Steps that were run and that the map does not show."""
    return [step for step in dict.fromkeys(steps) if not graph.steps_called(step)]
