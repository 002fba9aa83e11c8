"""What is called proved is proved, however often one looks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.peeking import Rule, false_winners, found
from tabiji.domain.stats.mismatch import ALPHA, mismatch
from tabiji.domain.stats.need import fixed, needed
from tabiji.domain.stats.sequential import beats, evidence, interval, p_value
from tabiji.domain.stats.tally import Batch, Tally

converted = st.integers(0, 2000)
HALVES = {"a": 1.0, "b": 1.0}


def batch(a: int, b: int, weights: dict[str, float] = HALVES, people: int = 10_000) -> Batch:
    return Batch(weights, {"a": Tally(people, a), "b": Tally(people, b)})


def test_peeping_after_every_person_makes_no_more_false_winners_than_stated() -> None:
    """A fixed test looked at all the time finds winners where there are none; ours in five of a hundred at most."""
    peeped = false_winners(experiments=300, people=1_500, rate=0.1, seed=5)
    assert peeped[Rule.OURS] <= 0.05
    assert peeped[Rule.FIXED_Z] > 0.2


def test_with_four_arms_neither() -> None:
    peeped = false_winners(experiments=150, people=2_000, rate=0.1, seed=6, arms=4, rules=(Rule.OURS,))
    assert peeped[Rule.OURS] <= 0.05


def test_a_real_uplift_is_found_and_mostly_before_a_fixed_test_would_have_ended() -> None:
    it = found(experiments=60, people=8_000, rate=0.1, uplift=0.3, seed=7)
    assert it.right >= 0.8 * 60
    assert it.wrong == 0
    assert it.median is not None
    assert it.median < 1.2 * 2 * fixed(0.1, 0.3)


@given(a=converted, b=converted)
def test_evidence_does_not_depend_on_which_arm_is_asked_first(a: int, b: int) -> None:
    one = batch(a, b)
    assert evidence([one], "a", "b") == pytest.approx(evidence([one], "b", "a"), abs=1e-6)
    assert not (beats([one], "a", ["b"]) and beats([one], "b", ["a"]))


@given(a=converted, b=converted)
def test_the_leader_gaining_never_weakens_the_evidence(a: int, b: int) -> None:
    ahead, behind = max(a, b), min(a, b)
    assert evidence([batch(ahead + 1, behind)], "a", "b") >= evidence([batch(ahead, behind)], "a", "b") - 1e-9


@settings(deadline=None)
@given(a=converted, b=converted, weight=st.floats(0.1, 10))
def test_the_interval_holds_what_there_is_no_evidence_against(a: int, b: int, weight: float) -> None:
    one = [batch(a, b, {"a": weight, "b": 1.0})]
    shown = interval(one, "a", "b")
    for ratio in (0.5, 0.9, 1.0, 1.1, 2.0):
        # Where there is just enough evidence both answers will do.
        if abs(evidence(one, "a", "b", ratio=ratio) - math.log(20)) > 1e-3:
            assert (shown.low <= ratio - 1 <= shown.high) == (evidence(one, "a", "b", ratio=ratio) < math.log(20))
    if beats(one, "a", ["b"]):
        assert shown.low > 0


@given(a=converted, b=converted)
def test_weights_are_reckoned_with(a: int, b: int) -> None:
    """Three times the people with three times the conversions is no difference."""
    alike = Batch({"a": 3.0, "b": 1.0}, {"a": Tally(30_000, 3 * b), "b": Tally(10_000, b)})
    assert not beats([alike], "a", ["b"])
    assert p_value([alike], "a", "b") > 0.05 or b > 0
    apart = [batch(a, b), batch(b, a)]
    assert not beats(apart, "a", ["b"])


def test_nothing_is_known_of_arms_nobody_got() -> None:
    assert evidence([Batch({"a": 1, "b": 0}, {"a": Tally(10, 5)})], "a", "b") == 0
    nothing = interval([batch(0, 0)], "a", "b")
    assert (nothing.low, nothing.high) == (-1.0, math.inf)
    assert p_value([batch(0, 0)], "a", "b") == 1


def test_more_arms_need_more_evidence() -> None:
    close = [Batch({"a": 1, "b": 1, "c": 1}, {arm: Tally(5000, n) for arm, n in (("a", 254), ("b", 190), ("c", 190))})]
    assert p_value(close, "a", "b", comparisons=2) == pytest.approx(2 * p_value(close, "a", "b"))
    assert interval(close, "a", "b", comparisons=2).low < interval(close, "a", "b").low


def test_shares_that_cannot_be_chance_are_noticed() -> None:
    fine = Batch({"a": 1, "b": 1}, {"a": Tally(5_050), "b": Tally(4_950)})
    lost = Batch({"a": 1, "b": 1}, {"a": Tally(5_300), "b": Tally(4_700)})
    assert mismatch([fine]) > 0.1
    assert mismatch([lost]) < ALPHA
    assert mismatch([]) == 1


@given(rate=st.floats(0.005, 0.4), uplift=st.floats(0.05, 1))
def test_a_smaller_uplift_needs_more_people(rate: float, uplift: float) -> None:
    few, many = needed(rate, uplift), needed(rate, uplift / 2)
    assert few is not None
    assert many is not None
    assert few < many
    assert (needed(rate, uplift, arms=3) or 0) > few


def test_the_fixed_test_is_the_textbooks() -> None:
    """Fleiss, without continuity correction: 5 % against 6 %."""
    assert fixed(0.05, 0.2) == pytest.approx(8155, abs=3)
    assert needed(0.0, 0.2) is None
