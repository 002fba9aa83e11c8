"""From a journey's class to its map. The module is imported, the journey is not run."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from tabiji.domain.journeys import JourneySpec
from tabiji.errors import JourneyDefinitionError
from tabiji.journey.journey import Journey
from tabiji.journey.map.draft import NOBODY, Draft, Flow, Spot, on_from
from tabiji.journey.map.graph import Graph, NodeKind
from tabiji.journey.map.source import Scope, bound, definition, method_of, shown, travelling
from tabiji.journey.map.statements import Statements
from tabiji.journey.map.words import Spoken


@dataclass(frozen=True)
class Reading:
    """A map, and what was found in the source besides.

    `calls` has the calls of steps by node, `missing` the arms that a match on a closed set leaves
    out, `loops` what loops go over, where that is known.
    """

    journey: type[Journey]
    graph: Graph
    calls: dict[str, Spoken]
    missing: dict[str, frozenset[str]]
    loops: dict[str, Any]
    files: frozenset[str]


def read_map(journey: type[Journey]) -> Graph:
    """Draw a journey from its source.

    Raises:
        JourneyDefinitionError: Its source is not there.
    """
    return read_journey(journey).graph


def read_journey(journey: type[Journey]) -> Reading:
    """Draw a journey from its source, and keep what the rules of `tabiji check` ask for.

    Raises:
        JourneyDefinitionError: Its source is not there.
    """
    found = method_of(journey, "steps")
    steps = found[1] if found else None
    defined = definition(steps) if isinstance(steps, FunctionType) else None
    if found is None or defined is None or not isinstance(steps, FunctionType):
        raise JourneyDefinitionError(f"the source of {journey.__qualname__}.steps is not there: nothing to draw from.")
    file, node = defined
    draft = Draft()
    home = Spot(shown(inspect.getsourcefile(journey) or file), _line_of(journey))
    scope = Scope(
        file=file,
        node=node,
        way=("steps",),
        names=bound(node, None, {}, steps.__globals__, method=True),
        travellers=travelling(node, None, None, method=True),
        owner=found[0],
    )
    flow = Statements(journey, draft).function(scope, _starts(journey.spec, draft, home))
    draft.add(NodeKind.END, "end", "the end", Spot(shown(file), node.end_lineno or node.lineno), flow)
    _ends(journey.spec, draft, home)
    graph = Graph(
        journey=journey.spec.name,
        title=journey.spec.title,
        file=home.file,
        nodes=tuple(draft.nodes.values()),
        edges=tuple(draft.edges.values()),
        groups=tuple(draft.groups.values()),
    )
    return Reading(journey, graph, draft.calls, draft.missing, draft.loops, frozenset(draft.files))


def _starts(spec: JourneySpec, draft: Draft, home: Spot) -> Flow:
    triggers = [str(trigger) for trigger in (*spec.triggers, *spec.dates, *spec.schedules)]
    triggers = triggers or ["the API, or another journey"]
    flow: Flow = NOBODY
    for words in triggers:
        flow = (*flow, *on_from(draft.add(NodeKind.START, f"start:{words}", words, home, NOBODY)))
    return flow


def _ends(spec: JourneySpec, draft: Draft, home: Spot) -> None:
    for goal in spec.goals:
        then = f", then {goal.then}" if goal.then else ""
        draft.add(NodeKind.GOAL, f"goal:{goal}", f"goal: {goal}{then}", home, NOBODY)
    for exit in spec.exits:
        draft.add(NodeKind.EXIT, f"exit:{exit}", f"exit: {exit}", home, NOBODY)


def _line_of(journey: type[Journey]) -> int:
    try:
        return inspect.getsourcelines(journey)[1]
    except (OSError, TypeError):
        return 0
