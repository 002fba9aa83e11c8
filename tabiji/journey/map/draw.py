"""The map as Mermaid text."""

from __future__ import annotations

import re

from tabiji.journey.map.graph import Edge, EdgeKind, Graph, Node, NodeKind

# What Mermaid, its Markdown and HTML would read as theirs. Letters of every script, digits and plain stops stay.
_THEIRS = re.compile(r"[^\w ,./()+=!?'¥…-]|_")
_LIST = re.compile(r"^(?:\d+\.|[-+]) ")

_SHAPES: dict[NodeKind, tuple[str, str]] = {
    NodeKind.MAIL: ("[/", "/]"),
    NodeKind.WAIT: ("([", "])"),
    NodeKind.ACTION: ("[", "]"),
    NodeKind.READ: ("(", ")"),
    NodeKind.SPLIT: ("{{", "}}"),
    NodeKind.JOURNEY: ("[[", "]]"),
    NodeKind.START: ("([", "])"),
    NodeKind.CHOICE: ("{", "}"),
    NodeKind.LOOP: ("{{", "}}"),
    NodeKind.TRY: ("(", ")"),
    NodeKind.FORK: ("[[", "]]"),
    NodeKind.JOIN: ("[[", "]]"),
    NodeKind.END: ("(((", ")))"),
    NodeKind.GOAL: (">", "]"),
    NodeKind.EXIT: (">", "]"),
    NodeKind.COMPUTED: ("[", "]"),
}
_LOOKS = (
    ("mail", "fill:#e8f1fb,stroke:#2f6db3,color:#12324f"),
    ("wait", "fill:#fdf4dc,stroke:#b98a1c,color:#4a3705"),
    ("action", "fill:#eaf6ea,stroke:#3c8a4a,color:#143a1b"),
    ("journey", "fill:#f1eafa,stroke:#7650a8,color:#2f1a4d"),
    ("start", "fill:#20304a,stroke:#20304a,color:#ffffff"),
    ("end", "fill:#ffffff,stroke:#20304a,color:#20304a"),
    ("goal", "fill:#dff3e4,stroke:#2b7a3d,color:#123a1c"),
    ("exit", "fill:#fbe6e4,stroke:#b0433a,color:#4d1510"),
    ("computed", "fill:#ffffff,stroke:#888888,color:#444444,stroke-dasharray:6 4"),
)
_FRAME = "fill:#f8f9fb,stroke:#c3ccd8,color:#20304a"
_ANYWHERE = frozenset({NodeKind.GOAL, NodeKind.EXIT})
_DASHED = frozenset({EdgeKind.RAISED, EdgeKind.BESIDE})


def mermaid(graph: Graph) -> str:
    """A flowchart of a journey. Counts are shown where the map has them."""
    ids = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = ["flowchart TD", f'  subgraph journey["{escaped(graph.title)}"]', "    direction TB"]
    lines += _nodes(graph, None, ids, "    ")
    lines.append("  end")
    lines += [f"  {_edge(edge, ids)}" for edge in graph.edges]
    for node in (node for node in graph.nodes if node.kind in _ANYWHERE):
        lines.append(f"  {_node(node, ids)}")
        lines.append(f'  journey -. "from everywhere" .-> {ids[node.id]}')
    lines.append(f"  style journey {_FRAME}")
    lines += [f"  style g{number} {_FRAME}" for number in range(len(graph.groups))]
    lines += [f"  classDef a_{name} {look}" for name, look in _LOOKS]
    for name, _ in _LOOKS:
        of_kind = [ids[node.id] for node in graph.nodes if node.kind.value == name]
        if of_kind:
            lines.append(f"  class {','.join(of_kind)} a_{name}")
    return "\n".join(lines) + "\n"


def _nodes(graph: Graph, group: str | None, ids: dict[str, str], indent: str) -> list[str]:
    """What stands in a frame: its nodes, and the frames inside it. Goals and exits stand outside of all."""
    lines = [
        f"{indent}{_node(node, ids)}" for node in graph.nodes if node.group == group and node.kind not in _ANYWHERE
    ]
    for number, inner in enumerate(graph.groups):
        if inner.parent == group:
            lines.append(f'{indent}subgraph g{number}["{escaped(inner.words)}"]')
            lines += _nodes(graph, inner.id, ids, indent + "  ")
            lines.append(f"{indent}end")
    return lines


def _node(node: Node, ids: dict[str, str]) -> str:
    left, right = _SHAPES[node.kind]
    counted = f" ({node.count})" if node.count is not None else ""
    return f'{ids[node.id]}{left}"{escaped(node.words + counted)}"{right}'


def _edge(edge: Edge, ids: dict[str, str]) -> str:
    arrow = "-.->" if edge.kind in _DASHED else "-->"
    words = edge.label + (f" ({edge.count})" if edge.count is not None else "")
    label = f'|"{escaped(words.strip())}"|' if words.strip() else ""
    return f"{ids[edge.source]} {arrow}{label} {ids[edge.target]}"


def escaped(text: str) -> str:
    """Words between Mermaid's quotes."""
    flat = " ".join(text.split())
    listed = _LIST.match(flat)
    if listed:  # Markdown would take it for a list
        flat = flat.replace(" ", "\u00a0", 1)
    return _THEIRS.sub(lambda found: f"#{ord(found[0])};", flat) or " "
