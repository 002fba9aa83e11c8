"""Which edges of a map did a run go along? Its path names steps alone; what lies between is found on the map.

Branches that run side by side are followed each for itself, and meet again at their join. Reads leave no trace in a
path, and two ways without a step between them cannot be told apart: the shorter is taken.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tabiji.domain.orders import Ending, Outcome, Passed
from tabiji.journey.map.graph import Edge, EdgeKind, Graph, Node, NodeKind
from tabiji.journey.steps import BEGUN, undivided

Route = tuple[Edge, ...]

GUESSES = 64
"""So many ideas of where a run has been are kept at a time."""


@dataclass(frozen=True)
class Token:
    """Somebody on the map: at a node, or about to go along certain edges of it.

    `forks` are the forks whose branches this is one of, `answer` which of two ways the step's result was.
    """

    at: tuple[str, ...]
    edges: tuple[Edge, ...] | None = None
    forks: tuple[str, ...] = ()
    answer: EdgeKind | None = None
    optional: bool = False


@dataclass
class Followed:
    """A run on the map: the edges it went along, and steps that are on no way from where it was."""

    edges: list[Edge] = field(default_factory=list[Edge])
    lost: list[str] = field(default_factory=list[str])


def follow(graph: Graph, outcome: Outcome) -> Followed:
    """Follow one run along a map."""
    guesses: list[_Guess] = [_Guess(graph, [Token(at=tuple(node.id for node in graph.starts))], Followed())]
    for passed in _whole(outcome.path):
        onward = [after for guess in guesses for after in guess.step(passed)]
        guesses = _best(onward) if onward else [guess.loses(passed) for guess in guesses]
    ended = outcome.ending in (Ending.COMPLETED, Ending.EXITED)
    if ended:
        # Whoever did not come to the end by a guess was not where it thinks.
        guesses = sorted((guess.finished() for guess in guesses), key=lambda guess: (len(guess.where), guess.length))
    return guesses[0].found


def traffic(graph: Graph, outcomes: Iterable[Outcome]) -> Counter[Edge]:
    """How often runs went along each edge: for `with_counts`."""
    counted: Counter[Edge] = Counter()
    for outcome in outcomes:
        counted.update(follow(graph, outcome).edges)
    return counted


def never_run(graph: Graph, outcomes: Iterable[Outcome]) -> list[Edge]:
    """Edges that no run went along. Ways into errors are not counted: what raises is no step of a path."""
    run = traffic(graph, outcomes)
    return [edge for edge in graph.edges if edge.kind is not EdgeKind.RAISED and edge not in run]


class _Guess:
    """One idea of where a run has been. A step that stands at several places makes several of it."""

    def __init__(self, graph: Graph, tokens: list[Token], found: Followed) -> None:
        self._graph = graph
        self._tokens = tokens
        self.found = found

    @property
    def where(self) -> frozenset[Token]:
        """Where it thinks the run is."""
        return frozenset(self._tokens)

    @property
    def length(self) -> int:
        """How many edges it took."""
        return len(self.found.edges)

    def step(self, passed: Passed) -> Iterator[_Guess]:
        """Every way to the next step of the path."""
        for token in self._tokens:
            for route in self._routes(token, passed.step):
                after = self._copy()
                after._go(token, route, passed)
                yield after

    def loses(self, passed: Passed) -> _Guess:
        """No way leads to this step."""
        self.found.lost.append(passed.step)
        return self

    def finished(self) -> _Guess:
        """The same, with everybody at the end who can get there."""
        while self._tokens:
            ends = [(route, token) for token in self._tokens for route in self._routes(token, None)]
            if not ends:
                break
            route, token = min(ends, key=lambda found: len(found[0]))
            self._go(token, route, None)
        return self

    def _copy(self) -> _Guess:
        return _Guess(self._graph, [*self._tokens], Followed([*self.found.edges], [*self.found.lost]))

    # Ways

    def _routes(self, token: Token, step: str | None) -> list[Route]:
        """The shortest ways from a token to a step, or to the end; nothing but decisions and reads on them."""
        here = self._graph.by_id.get(token.at[0]) if len(token.at) == 1 else None
        if step is not None and here is not None and here.kind is NodeKind.COMPUTED and here.is_step(step):
            return [()]
        todo: deque[Route] = deque((edge,) for edge in self._out(token))
        seen: set[str] = set()
        found: list[Route] = []
        for_want_of_better: list[Route] = []
        while todo:
            route = todo.popleft()
            node = self._graph.by_id[route[-1].target]
            if node.id in seen:
                continue
            seen.add(node.id)
            if node.kind is NodeKind.END if step is None else node.is_step(step):
                (for_want_of_better if node.kind is NodeKind.COMPUTED else found).append(route)
            if _silent(node) and self._may_join(node, token):
                todo.extend((*route, edge) for edge in self._leaving(node))
        return found or for_want_of_better

    def _out(self, token: Token) -> Iterator[Edge]:
        if token.edges is not None:
            yield from token.edges
            return
        other = {EdgeKind.YES: EdgeKind.NO, EdgeKind.NO: EdgeKind.YES}
        for id in token.at:
            for edge in self._leaving(self._graph.by_id[id]):
                if token.answer is None or edge.kind is not other[token.answer]:
                    yield edge

    def _leaving(self, node: Node) -> Iterator[Edge]:
        yield from self._graph.out[node.id]
        for around in node.inside:
            yield from (edge for edge in self._graph.out[around] if edge.kind is EdgeKind.RAISED)

    def _may_join(self, node: Node, token: Token) -> bool:
        """Whether all that must be done before a join is."""
        if node.kind is not NodeKind.JOIN:
            return True
        return all(self._to_join(other, node) is not None for other in self._awaited(node, token) if not other.optional)

    def _awaited(self, join: Node, token: Token) -> list[Token]:
        return [other for other in self._tokens if other is not token and set(other.forks) & set(join.joins)]

    def _to_join(self, token: Token, join: Node) -> Route | None:
        todo: deque[Route] = deque((edge,) for edge in self._out(token))
        seen: set[str] = set()
        while todo:
            route = todo.popleft()
            node = self._graph.by_id[route[-1].target]
            if node.id == join.id:
                return route
            if node.id not in seen and _silent(node) and node.kind is not NodeKind.JOIN:
                todo.extend((*route, edge) for edge in self._leaving(node))
            seen.add(node.id)
        return None

    # Going

    def _go(self, token: Token, route: Route, passed: Passed | None) -> None:
        self._tokens.remove(token)
        if token.optional:
            self._tokens.append(token)
        forks = token.forks
        for index, edge in enumerate(route):
            self.found.edges.append(edge)
            source = self._graph.by_id[edge.source]
            if source.kind is NodeKind.FORK and (index or token.edges is None):
                forks = self._split(source, edge, forks)
            target = self._graph.by_id[edge.target]
            if target.kind is NodeKind.JOIN and index < len(route) - 1:
                self._join(target, token)
                forks = forks[: min((forks.index(fork) for fork in target.joins if fork in forks), default=len(forks))]
        if passed is not None:
            at = (route[-1].target,) if route else token.at
            self._tokens.append(Token(at=at, forks=forks, answer=_answer(self._graph.by_id[at[0]], passed)))

    def _split(self, fork: Node, taken: Edge, forks: tuple[str, ...]) -> tuple[str, ...]:
        inner = (*forks, fork.id)
        leaving = self._graph.out[fork.id]
        for edge in leaving:
            if edge.kind is EdgeKind.BESIDE and (edge is not taken or edge.many):
                self._tokens.append(Token(at=(fork.id,), edges=(edge,), forks=inner, optional=edge.many))
        onward = tuple(edge for edge in leaving if edge.kind is not EdgeKind.BESIDE)
        if onward and taken not in onward:
            self._tokens.append(Token(at=(fork.id,), edges=onward, forks=inner))
        return inner

    def _join(self, join: Node, token: Token) -> None:
        for other in self._awaited(join, token):
            if not other.optional:
                self.found.edges += self._to_join(other, join) or ()
            self._tokens.remove(other)


def _best(guesses: list[_Guess]) -> list[_Guess]:
    """Of guesses at the same place the one with the shortest way; no more than are worth keeping."""
    shortest: dict[frozenset[Token], _Guess] = {}
    for guess in guesses:
        known = shortest.get(guess.where)
        if known is None or guess.length < known.length:
            shortest[guess.where] = guess
    return sorted(shortest.values(), key=lambda guess: guess.length)[:GUESSES]


def _silent(node: Node) -> bool:
    """Whether one may come by without a trace in the path."""
    if node.kind is NodeKind.END:
        return False
    return (node.step is None and node.like is None) or node.kind in (NodeKind.READ, NodeKind.COMPUTED)


def _answer(node: Node, passed: Passed) -> EdgeKind | None:
    """Which of its two ways a step was left by, where its result says so."""
    result = passed.result
    match node.verb:
        case "wait_for" | "wait_all" | "wait_first" | "did":
            return EdgeKind.NO if result.startswith(("no ", "none ")) else EdgeKind.YES
        case "absent":
            return EdgeKind.YES if result.startswith("no ") else EdgeKind.NO
        case "send_email":
            return EdgeKind.YES if result.endswith(": sent") else EdgeKind.NO
        case "enter":
            return EdgeKind.YES if result.startswith("entered ") else EdgeKind.NO
        case "approval":
            return EdgeKind.YES if " said yes: " in result else EdgeKind.NO
        case _:
            return None


def _whole(path: Sequence[Passed]) -> Iterator[Passed]:
    """A path with the two halves of a step as one."""
    whole = {undivided(passed.step) for passed in path if not passed.step.endswith(BEGUN)}
    for passed in path:
        if not passed.step.endswith(BEGUN) or undivided(passed.step) not in whole:
            yield passed
