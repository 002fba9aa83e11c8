"""Patterns over several events, as data.

    on("A") | on("B")                                    whichever comes first
    all_of(on("A"), on("B"))                             both, in any order; one event may answer both
    on("Page Viewed").times(3, within=days(7))           three, no two further apart than a week
    sequence(on("A"), on("B"), within=days(1))           B after A, at most a day from the first to the last

Order is the database's (`seq`), spans are measured on when things happened (`at`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import abc
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Any, Literal, TypeAlias, cast

from pydantic import Discriminator, Field, JsonValue, Tag, model_validator

from tabiji.domain.conditions import Condition, Found, Seen
from tabiji.domain.durations import in_words
from tabiji.domain.tests import Data
from tabiji.domain.values import Properties

MAX_PARTS = 20
MAX_TIMES = 100


class _Compound(Data):
    """What patterns over several events share."""

    @property
    def _inner(self) -> tuple[Pattern, ...]:
        raise NotImplementedError

    @property
    def names(self) -> frozenset[str]:
        """Names of the events that matter."""
        return frozenset[str]().union(*(part.names for part in self._inner))

    @property
    def take(self) -> tuple[str, ...]:
        """Names of the properties any part takes. Which event gives which: `taken_from`."""
        return tuple(dict.fromkeys(name for part in self._inner for name in part.take))

    def matches(self, event: str, properties: Properties) -> bool:
        """Whether this one event could be part of an answer."""
        return any(part.matches(event, properties) for part in self._inner)

    def taken_from(self, event: str, properties: Properties) -> dict[str, JsonValue]:
        """Of an event's properties, those that the parts it answers take."""
        taken: dict[str, JsonValue] = {}
        for part in self._inner:
            taken |= part.taken_from(event, properties)
        return taken

    def __or__(self, other: Pattern) -> AnyOf:
        """Whichever is complete first."""
        return any_of(cast("Pattern", self), other)


class AnyOf(_Compound):
    """Whichever of these is complete first."""

    kind: Literal["any"] = "any"
    of: Annotated[tuple[Pattern, ...], Field(min_length=1, max_length=MAX_PARTS)]

    @property
    def _inner(self) -> tuple[Pattern, ...]:
        return self.of

    def find(self, seen: abc.Sequence[Seen]) -> Found | None:
        """The alternative completed first; of those completed by the same event, the one with the earliest parts."""
        answers = [
            (found.events[-1].seq, tuple(one.seq for one in found.events), place, found)
            for place, part in enumerate(self.of)
            if (found := part.find(seen)) is not None
        ]
        if not answers:
            return None
        _, _, place, found = min(answers, key=lambda answer: answer[:3])
        return found._replace(which=place)

    def times(self, count: int, *, within: timedelta | None = None) -> Times:
        """So many events of any of these kinds; with `within`, no further apart than this."""
        return times(self, count, within)

    def __str__(self) -> str:
        return " or ".join(map(_grouped, self.of))


class AllOf(_Compound):
    """All of these, in any order. One event may answer several; say `times(2)` for two of a kind."""

    kind: Literal["all"] = "all"
    of: Annotated[tuple[Pattern, ...], Field(min_length=1, max_length=MAX_PARTS)]

    @property
    def _inner(self) -> tuple[Pattern, ...]:
        return self.of

    def find(self, seen: abc.Sequence[Seen]) -> Found | None:
        """Each part's own earliest answer, once the last of them is there."""
        answers: list[Found] = []
        for part in self.of:
            found = part.find(seen)
            if found is None:
                return None
            answers.append(found)
        events = {one.seq: one for found in answers for one in found.events}
        return Found(tuple(events[seq] for seq in sorted(events)), parts=tuple(found.events[-1] for found in answers))

    def __str__(self) -> str:
        return " and ".join(map(_grouped, self.of))


class Times(_Compound):
    """So many events that match; with `within`, the earliest and the latest at most this far apart."""

    kind: Literal["times"] = "times"
    of: Single
    count: Annotated[int, Field(ge=1, le=MAX_TIMES)]
    within: Annotated[timedelta, Field(gt=timedelta(0))] | None = None

    @property
    def _inner(self) -> tuple[Pattern, ...]:
        return (self.of,)

    @model_validator(mode="after")
    def _of_single_events(self) -> Times:
        _refuse_nested((self.of,), "times")
        return self

    def find(self, seen: abc.Sequence[Seen]) -> Found | None:
        """The first event with enough others before it; of those, the earliest that lie close enough."""
        matching = (one for one in seen if self.of.matches(one.name, one.properties))
        if self.within is None:
            events = tuple(islice(matching, self.count))
            return Found(events, parts=events) if len(events) == self.count else None
        by_time: list[tuple[datetime, int, Seen]] = []
        for one in matching:
            insort(by_time, (one.at, one.seq, one))
            answer = self._earliest_with(one, by_time, self.within)
            if answer is not None:
                return Found(answer, parts=answer)
        return None

    def _earliest_with(
        self, last: Seen, by_time: list[tuple[datetime, int, Seen]], within: timedelta
    ) -> tuple[Seen, ...] | None:
        """The answer that `last` completes. No other is in its way: none was complete before, so every span of this
        length has too few events without it, and just enough with it.
        """
        near = bisect_left(by_time, -within, key=lambda one: one[0] - last.at)
        far = bisect_right(by_time, within, key=lambda one: one[0] - last.at)
        place = bisect_left(by_time, (last.at, last.seq))
        answers = [
            tuple(sorted((one for _, _, one in by_time[start : start + self.count]), key=_seq))
            for start in range(max(near, place - self.count + 1), min(place, far - self.count) + 1)
            if by_time[start + self.count - 1][0] - by_time[start][0] <= within
        ]
        return min(answers, key=lambda answer: [one.seq for one in answer], default=None)

    def __str__(self) -> str:
        return f"{_grouped(self.of)} {self.count} times{_span(self.within)}"


class Sequence(_Compound):
    """One after the other; with `within`, the first and the last at most this far apart."""

    kind: Literal["sequence"] = "sequence"
    of: Annotated[tuple[Single, ...], Field(min_length=2, max_length=MAX_PARTS)]
    within: Annotated[timedelta, Field(gt=timedelta(0))] | None = None

    @property
    def _inner(self) -> tuple[Pattern, ...]:
        return self.of

    @model_validator(mode="after")
    def _of_single_events(self) -> Sequence:
        _refuse_nested(self.of, "sequence")
        return self

    def find(self, seen: abc.Sequence[Seen]) -> Found | None:
        """The first event that completes it, with the earliest events that lead there."""
        firsts: list[Seen] = []
        # reach[i]: so many of the firsts have an event for each of the parts 0..i behind them, in order. Whatever
        # follows a first follows every earlier one, so they are always the earliest.
        reach = [0] * len(self.of)
        ready: list[datetime] = []
        for one in seen:
            if self.of[-1].matches(one.name, one.properties) and self._near(one.at, ready):
                return self._answer(one, firsts[: reach[-2]], seen)
            for part in range(len(self.of) - 2, 0, -1):
                if self.of[part].matches(one.name, one.properties):
                    reach[part] = reach[part - 1]
            if self.of[0].matches(one.name, one.properties):
                firsts.append(one)
                reach[0] += 1
            for first in firsts[len(ready) : reach[-2]]:
                insort(ready, first.at)
        return None

    def _near(self, at: datetime, ready: list[datetime]) -> bool:
        if self.within is None or not ready:
            return bool(ready)
        nearest = bisect_left(ready, -self.within, key=lambda first: first - at)
        return nearest < len(ready) and ready[nearest] - at <= self.within

    def _answer(self, last: Seen, firsts: list[Seen], seen: abc.Sequence[Seen]) -> Found:
        first = next(one for one in firsts if self.within is None or abs(last.at - one.at) <= self.within)
        events = [first]
        for one in seen:
            if len(events) == len(self.of) - 1:
                break
            if one.seq > events[-1].seq and self.of[len(events)].matches(one.name, one.properties):
                events.append(one)
        return Found((*events, last), parts=(*events, last))

    def __str__(self) -> str:
        return ", then ".join(map(_grouped, self.of)) + _span(self.within)


def _kind(value: Any) -> str | None:
    """What a pattern is; a condition need not say."""
    if isinstance(value, dict):
        return str(cast("dict[str, object]", value).get("kind", "event"))
    return getattr(value, "kind", None)


Single: TypeAlias = Annotated[Annotated[Condition, Tag("event")] | Annotated[AnyOf, Tag("any")], Discriminator(_kind)]
"""What one event can answer."""

Pattern: TypeAlias = Annotated[
    Annotated[Condition, Tag("event")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[AllOf, Tag("all")]
    | Annotated[Times, Tag("times")]
    | Annotated[Sequence, Tag("sequence")],
    Discriminator(_kind),
]
"""Anything a journey can wait for."""

for _recursive in (AnyOf, AllOf, Times, Sequence):
    _recursive.model_rebuild()


def any_of(*patterns: Pattern) -> AnyOf:
    """Whichever is complete first; `a | b` in words."""
    return AnyOf(of=tuple(part for one in patterns for part in (one.of if isinstance(one, AnyOf) else (one,))))


def all_of(*patterns: Pattern) -> AllOf:
    """All of these, in any order. One event may answer several."""
    return AllOf(of=tuple(part for one in patterns for part in (one.of if isinstance(one, AllOf) else (one,))))


def sequence(*conditions: Single, within: timedelta | None = None) -> Sequence:
    """One after the other; with `within`, the first and the last at most this far apart."""
    return Sequence(of=conditions, within=within)


def times(condition: Single, count: int, within: timedelta | None = None) -> Times:
    """So many of these; with `within`, the earliest and the latest at most this far apart."""
    return Times(of=condition, count=count, within=within)


def conditions_in(pattern: Pattern) -> tuple[Condition, ...]:
    """Every condition a pattern is made of, in the order written."""
    match pattern:
        case Condition():
            return (pattern,)
        case Times():
            return conditions_in(pattern.of)
        case AnyOf() | AllOf() | Sequence():
            return tuple(condition for part in pattern.of for condition in conditions_in(part))


def _refuse_nested(parts: tuple[Single, ...], what: str) -> None:
    for part in parts:
        if isinstance(part, AnyOf) and not all(isinstance(one, Condition) for one in part.of):
            raise ValueError(f"{what} is made of single events: on(…), or on(…) | on(…); this is not: {part}")


def _seq(one: Seen) -> int:
    return one.seq


def _grouped(pattern: Pattern) -> str:
    return str(pattern) if isinstance(pattern, Condition) else f"({pattern})"


def _span(within: timedelta | None) -> str:
    return "" if within is None else f" within {in_words(within)}"
