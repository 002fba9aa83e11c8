"""The map while it is drawn: nodes get ids, loose ends find what they lead to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from tabiji.journey.map.graph import Edge, EdgeKind, Group, Node, NodeKind
from tabiji.journey.map.words import Spoken

MOST_NODES = 2_000
"""A journey of more is drawn up to here, and says so."""


@dataclass(frozen=True)
class Loose:
    """An edge that does not lead anywhere yet."""

    source: str
    label: str = ""
    kind: EdgeKind = EdgeKind.NEXT
    many: bool = False


Flow = tuple[Loose, ...]
"""All the ways to one point of the source. None: nobody comes there."""

NOBODY: Flow = ()


def on_from(node: str, label: str = "", kind: EdgeKind = EdgeKind.NEXT) -> Flow:
    """The one way on from a node."""
    return (Loose(node, label, kind),)


@dataclass(frozen=True)
class Spot:
    """Where in the source, inside what."""

    file: str
    line: int
    group: str | None = None
    inside: tuple[str, ...] = ()


class Draft:
    """What has been drawn so far.

    `calls` are the calls of steps with what is known of their arguments, `missing` the arms a match leaves out,
    `loops` what a loop goes over, `files` where all of it stands.
    """

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.edges: dict[tuple[str, str, str, EdgeKind], Edge] = {}
        self.groups: dict[str, Group] = {}
        self.calls: dict[str, Spoken] = {}
        self.missing: dict[str, frozenset[str]] = {}
        self.loops: dict[str, Any] = {}
        self.files: set[str] = set()
        self._ids: Counter[str] = Counter()

    @property
    def full(self) -> bool:
        """Whether there is no room for more."""
        return len(self.nodes) >= MOST_NODES

    def add(
        self,
        kind: NodeKind,
        name: str,
        words: str,
        spot: Spot,
        flow: Flow,
        *,
        verb: str | None = None,
        step: str | None = None,
        like: str | None = None,
        joins: tuple[str, ...] = (),
    ) -> str:
        """A node, with all of the flow leading to it. Returns its id: the name, with a number where it is taken."""
        id = self._free(name)
        self.nodes[id] = Node(
            id=id,
            kind=kind,
            words=words,
            file=spot.file,
            line=spot.line,
            verb=verb,
            step=step,
            like=like,
            group=spot.group,
            inside=spot.inside,
            joins=joins,
        )
        self.lead(flow, id)
        return id

    def frame(self, name: str, words: str, spot: Spot) -> str:
        """A frame for what is drawn next."""
        id = self._free(f"group:{name}")
        self.groups[id] = Group(id=id, words=words, file=spot.file, line=spot.line, parent=spot.group)
        return id

    def lead(self, flow: Iterable[Loose], target: str, kind: EdgeKind | None = None) -> None:
        """Let loose ends lead to a node; those that are nothing special are of this kind."""
        for one in flow:
            special = kind if kind is not None and one.kind is EdgeKind.NEXT else one.kind
            edge = Edge(source=one.source, target=target, label=one.label, kind=special, many=one.many)
            self.edges.setdefault((edge.source, edge.target, edge.label, edge.kind), edge)

    def _free(self, name: str) -> str:
        self._ids[name] += 1
        return name if self._ids[name] == 1 else f"{name}#{self._ids[name]}"


def labelled(flow: Flow, label: str) -> Flow:
    """The same ways, with a word at each that has none."""
    return tuple(replace(one, label=one.label or label) for one in flow)
