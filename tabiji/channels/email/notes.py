"""What the source of a template says about it, read once when it is compiled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import nodes
from jinja2.meta import find_referenced_templates

_BLOCK_CALLS = frozenset({"super", "caller", "self"})
_TEXTS_INSIDE = (
    nodes.AssignBlock,
    nodes.FilterBlock,
    nodes.ScopedEvalContextModifier,
    nodes.EvalContextModifier,
)


@dataclass(frozen=True)
class Notes:
    """About one file."""

    moulds: bool
    """Each value stands where it is written: nothing reads or changes a text that is already filled in."""
    references: tuple[str | None, ...]
    """Templates it extends, includes or imports; None: one that only a run knows."""
    languages: frozenset[str]
    """Languages it has words of its own for."""
    segments: frozenset[str]
    """Segments it asks for."""
    tags: frozenset[str]
    lists: frozenset[str]
    blocks: frozenset[str]
    audience: str | None
    """Who it says it is for: `{% set audience = "team" %}`."""


def notes_on(tree: nodes.Template) -> Notes:
    """Read a template's tree."""
    return Notes(
        moulds=_moulds(tree),
        references=tuple(find_referenced_templates(tree)),
        languages=frozenset(_languages(tree)),
        segments=_asked(tree, "in_segment"),
        tags=_asked(tree, "tagged"),
        lists=_asked(tree, "on_list"),
        blocks=frozenset(block.name for block in tree.find_all(nodes.Block)),
        audience=_audience(tree),
    )


def _asked(tree: nodes.Template, name: str) -> frozenset[str]:
    """The names a test is asked about: `{% if contact is tagged("vip") %}`."""
    tests = (test for test in tree.find_all(nodes.Test) if test.name == name and test.args)
    return frozenset(word for test in tests if (word := _word(test.args[0])) is not None)


def _moulds(tree: nodes.Template) -> bool:
    if next(tree.find_all(_TEXTS_INSIDE), None) is not None:
        return False
    makers = _BLOCK_CALLS | set(_macros(tree))
    printed = {place for output in tree.find_all(nodes.Output) for place in _printed(output)}
    named = (name for name in tree.find_all(nodes.Name) if name.ctx == "load" and name.name in makers)
    return all(id(name) in printed for name in named)


def _macros(tree: nodes.Template) -> Iterator[str]:
    for node in tree.find_all((nodes.Macro, nodes.Import, nodes.FromImport)):
        match node:
            case nodes.Macro(name=name):
                yield name
            case nodes.Import(target=target):
                yield target
            case nodes.FromImport(names=names):
                yield from (one if isinstance(one, str) else one[1] for one in names)
            case _:
                pass


def _printed(output: nodes.Output) -> Iterator[int]:
    """The names of what is called to be printed at once: `{{ super() }}`, `{{ ui.button("x") }}`."""
    for child in output.nodes:
        if isinstance(child, nodes.Call):
            node = child.node
            while isinstance(node, nodes.Getattr):
                node = node.node
            yield id(node)


def _languages(tree: nodes.Template) -> Iterator[str]:
    for compare in tree.find_all(nodes.Compare):
        sides = [compare.expr, *(operand.expr for operand in compare.ops)]
        if any(isinstance(side, nodes.Name) and side.name == "language" for side in sides):
            yield from (const.value for side in sides for const in _consts(side) if isinstance(const.value, str))
    yield from _asked(tree, "speaking")


def _consts(node: nodes.Expr) -> Iterator[nodes.Const]:
    if isinstance(node, nodes.Const):
        yield node
    yield from node.find_all(nodes.Const)


def _word(node: nodes.Node) -> str | None:
    return node.value if isinstance(node, nodes.Const) and isinstance(node.value, str) else None


def _audience(tree: nodes.Template) -> str | None:
    for assign in tree.find_all(nodes.Assign):
        if isinstance(assign.target, nodes.Name) and assign.target.name == "audience":
            return _word(assign.node)
    return None
