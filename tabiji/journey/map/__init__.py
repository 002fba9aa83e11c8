"""A journey's map, drawn from its source: `read_map(journey)`, then `mermaid(graph)` or `graph.model_dump_json()`."""

from tabiji.journey.map.draw import mermaid
from tabiji.journey.map.graph import Edge, EdgeKind, Graph, Group, Node, NodeKind, not_on_the_map, with_counts
from tabiji.journey.map.read import Reading, read_journey, read_map

__all__ = [
    "Edge",
    "EdgeKind",
    "Graph",
    "Group",
    "Node",
    "NodeKind",
    "Reading",
    "mermaid",
    "not_on_the_map",
    "read_journey",
    "read_map",
    "with_counts",
]
