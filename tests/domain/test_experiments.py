"""Who is in which arm."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabiji.domain.experiments import assign

ARMS = st.lists(st.text(min_size=1), min_size=1, max_size=6, unique=True)
WEIGHT = st.one_of(st.just(0.0), st.floats(1e-6, 1e6))


@given(ARMS.flatmap(lambda arms: st.tuples(st.just(arms), st.lists(WEIGHT, min_size=len(arms), max_size=len(arms)))))
def test_everybody_gets_an_arm_that_somebody_is_to_get_and_always_the_same(case: tuple[list[str], list[float]]) -> None:
    arms, weights = case
    if not any(weights):
        weights[0] = 1.0
    arm = assign("e", "c", arms, weights)
    assert weights[arms.index(arm)] > 0
    assert assign("e", "c", arms, weights) == arm


@settings(max_examples=20)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=4), st.text(max_size=20))
def test_each_arm_gets_its_share_of_many(weights: list[int], experiment: str) -> None:
    """Within six standard deviations: a right draw does not leave them in a lifetime of tests."""
    people, arms = [str(number) for number in range(2000)], [f"arm{place}" for place in range(len(weights))]
    given_to = [assign(experiment, person, arms, weights) for person in people]
    for arm, weight in zip(arms, weights, strict=True):
        share = weight / sum(weights)
        spread = (share * (1 - share) / len(people)) ** 0.5
        assert abs(given_to.count(arm) / len(people) - share) < 6 * spread


def test_one_experiment_tells_nothing_about_another() -> None:
    people = [uuid4().hex for _ in range(4000)]
    same = sum(assign("a", one, "xy", (1, 1)) == assign("b", one, "xy", (1, 1)) for one in people)
    assert 1800 < same < 2200


@pytest.mark.parametrize(
    ("arms", "weights"),
    [([], []), (["a", "a"], [1, 1]), (["a"], [1, 2]), (["a"], [-1]), (["a"], [0]), (["a"], [float("nan")])],
)
def test_weights_that_mean_nothing_are_refused(arms: list[str], weights: list[float]) -> None:
    with pytest.raises(ValueError, match=r"arms|weight"):
        assign("e", "c", arms, weights)
