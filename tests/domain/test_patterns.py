"""Patterns find the earliest complete answer, as an oracle does that tries every choice of events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tabiji import all_of, any_of, days, hours, minutes, on, prop, sequence
from tabiji.domain.conditions import Condition, Seen
from tabiji.domain.patterns import AllOf, AnyOf, Pattern, Sequence, Single, Times, conditions_in

PATTERNS: TypeAdapter[Pattern] = TypeAdapter(Pattern)
START = datetime(2027, 1, 1, tzinfo=UTC)
A, B, C = on("A"), on("B"), on("C", prop("n") >= 2)

conditions = st.sampled_from([A, B, C, on("A", n=1)])
spans = st.none() | st.integers(1, 4).map(hours)


@st.composite
def singles(draw: st.DrawFn) -> Single:
    """What one event can answer."""
    one, other = draw(conditions), draw(st.none() | conditions)
    return one if other is None else one | other


@st.composite
def flat(draw: st.DrawFn) -> Pattern:
    """Nothing with patterns inside."""
    one, within = draw(singles()), draw(spans)
    several = [one, *draw(st.lists(singles(), min_size=1, max_size=2))]
    count = draw(st.integers(1, 3))
    return draw(st.sampled_from([one, one.times(count, within=within), sequence(*several, within=within)]))


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    """Anything a journey can wait for."""
    parts = draw(st.lists(flat(), min_size=1, max_size=3))
    return draw(st.sampled_from([parts[0], any_of(*parts), all_of(*parts)]))


@st.composite
def histories(draw: st.DrawFn) -> list[Seen]:
    """Up to eight events in seq order. Their times jump back and forth: facts come in late."""
    drawn = draw(st.lists(st.tuples(st.sampled_from("ABCX"), st.integers(0, 3), st.integers(0, 9)), max_size=7))
    return [Seen(seq * 2 + 1, name, {"n": n}, START + hours(hour)) for seq, (name, n, hour) in enumerate(drawn)]


def answers(pattern: Pattern, seen: list[Seen]) -> Iterator[tuple[Seen, ...]]:
    """Every complete answer there is, found by trying."""
    match pattern:
        case Condition():
            yield from ((one,) for one in seen if pattern.matches(one.name, one.properties))
        case AnyOf():
            for part in pattern.of:
                yield from answers(part, seen)
        case Times():
            matching = [one for one in seen if pattern.of.matches(one.name, one.properties)]
            for chosen in combinations(matching, pattern.count):
                times = [one.at for one in chosen]
                if pattern.within is None or max(times) - min(times) <= pattern.within:
                    yield chosen
        case Sequence():
            for chosen in combinations(seen, len(pattern.of)):
                fits = all(part.matches(one.name, one.properties) for part, one in zip(pattern.of, chosen, strict=True))
                if fits and (pattern.within is None or abs(chosen[-1].at - chosen[0].at) <= pattern.within):
                    yield chosen
        case AllOf():
            firsts = [min(answers(part, seen), key=rank, default=None) for part in pattern.of]
            if all(firsts):
                every = {one.seq: one for first in firsts for one in first or ()}
                yield tuple(every[seq] for seq in sorted(every))


def rank(answer: tuple[Seen, ...]) -> tuple[int, list[int]]:
    """The one completed first; then the earliest parts."""
    return answer[-1].seq, [one.seq for one in answer]


@settings(max_examples=200)
@example(A.times(2, within=hours(1)), [Seen(n, "A", {}, START + hours(h)) for n, h in enumerate((5, 1, 6, 2))])
@given(patterns(), histories())
def test_the_answer_is_the_earliest_there_is(pattern: Pattern, seen: list[Seen]) -> None:
    expected = min(answers(pattern, seen), key=rank, default=None)

    found = pattern.find(seen)

    assert (found and found.events) == expected
    if found:
        assert all(pattern.matches(one.name, one.properties) and one.name in pattern.names for one in found.events)
        assert found.parts[-1] in found.events


@given(patterns(), histories(), st.integers(0, 8))
def test_what_comes_later_does_not_change_an_answer(pattern: Pattern, seen: list[Seen], known: int) -> None:
    """An evaluation that has been made in time is the same when it is made late."""
    early = pattern.find(seen[:known])

    assert early is None or pattern.find(seen) == early


@given(patterns())
def test_a_pattern_survives_the_way_through_json(pattern: Pattern) -> None:
    again = PATTERNS.validate_json(PATTERNS.dump_json(pattern))

    assert again == pattern
    assert str(again) == str(pattern)


def test_a_pattern_is_small_as_json_and_says_its_kind() -> None:
    pattern = on("A").times(3, within=days(7)) | on("B")

    assert PATTERNS.dump_python(pattern, mode="json") == {
        "kind": "any",
        "of": [{"kind": "times", "of": {"event": "A"}, "count": 3, "within": "P7D"}, {"event": "B"}],
    }


def test_which_alternative_answered_is_told() -> None:
    seen = [Seen(1, "B", {}, START), Seen(2, "A", {}, START)]

    found = (A | B).find(seen)

    assert found is not None
    assert (found.which, found.events[0].seq) == (1, 1)


def test_one_event_may_answer_two_of_all_and_each_part_is_told() -> None:
    seen = [Seen(1, "A", {"n": 1}, START), Seen(2, "B", {}, START)]

    found = all_of(B, on("A", n=1), A).find(seen)

    assert found is not None
    assert [one.seq for one in found.events] == [1, 2]
    assert [one.seq for one in found.parts] == [2, 1, 1]


def test_each_event_gives_only_what_its_own_part_takes() -> None:
    pattern = sequence(on("Ordered", take=("total",)), on("Paid", take=("method",)))

    assert pattern.take == ("total", "method")
    assert pattern.taken_from("Ordered", {"total": 3, "method": "card"}) == {"total": 3}
    assert pattern.taken_from("Viewed", {"total": 3}) == {}


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (A | B, "A or B"),
        (all_of(A, C), "A and C (n >= 2)"),
        (A.times(3, within=days(7)), "A 3 times within 7 days"),
        ((A | B).times(2), "(A or B) 2 times"),
        (sequence(A, B | C, within=days(1)), "A, then (B or C (n >= 2)) within 1 day"),
        (any_of(A, sequence(A, B)), "A or (A, then B)"),
    ],
)
def test_patterns_read_as_words(pattern: Pattern, words: str) -> None:
    assert str(pattern) == words


def test_only_single_events_are_counted_and_put_in_order() -> None:
    nested = A.times(2) | B
    with pytest.raises(ValidationError, match="made of single events"):
        nested.times(2)
    with pytest.raises(ValidationError, match="made of single events"):
        sequence(A, nested)


@pytest.mark.parametrize("within", [timedelta(0), days(-1)])
def test_a_window_is_longer_than_nothing(within: timedelta) -> None:
    with pytest.raises(ValidationError, match="within"):
        A.times(2, within=within)
    with pytest.raises(ValidationError, match="count"):
        A.times(0)


def test_either_of_either_is_one_choice_of_four() -> None:
    assert ((A | B) | (C | on("D"))).names == {"A", "B", "C", "D"}
    assert len(((A | B) | (C | on("D"))).of) == 4
    assert conditions_in(all_of(A.times(2), sequence(B, C))) == (A, B, C)


@pytest.mark.parametrize(
    "pattern", [A.times(100, within=minutes(30)), sequence(B, A, A, B, within=hours(1)), all_of(A, B)]
)
def test_twenty_thousand_events_are_looked_through_in_a_moment(pattern: Pattern) -> None:
    seen = [Seen(n, "B" if n % 100 == 0 else "A", {}, START + hours(n % 977)) for n in range(20_000)]
    assert pattern.find(seen) is not None or pattern.find(seen) is None
