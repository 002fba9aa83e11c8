"""What is believed after counting is what the textbook says."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabiji.domain.stats.bayes import beliefs, posterior
from tabiji.domain.stats.beta import Beta
from tabiji.domain.stats.tally import Batch, Tally, together
from tabiji.domain.stats.thompson import choose

counts = st.integers(0, 3000).flatmap(lambda people: st.builds(Tally, st.just(people), st.integers(0, people)))


@pytest.mark.parametrize(
    ("a", "b", "x", "below", "density"),
    [
        (1, 1, 0.3, 0.3, 1.0),
        (2, 5, 0.1, 0.114265, 1.9683),
        (51, 951, 0.05, 0.4653603583842784, 57.845771697821256),
        (51, 951, 0.07, 0.9942067349923465, 1.9500668739458171),
        (5001, 95001, 0.0502, 0.6106939820863223, 555.0349372038912),
        (1, 1001, 0.0005, 0.3938484045713585, 607.0612776629014),
        (300001, 700001, 0.3003, 0.743427259894596, 702.704979167529),
    ],
)
def test_the_beta_distribution_is_that_of_scipy(a: float, b: float, x: float, below: float, density: float) -> None:
    """Figures: scipy.stats.beta 1.17."""
    assert Beta(a, b).below(x) == pytest.approx(below, abs=1e-9)
    assert Beta(a, b).density(x) == pytest.approx(density, rel=1e-7)


@pytest.mark.parametrize(
    ("a", "b", "share", "x"),
    [
        (51, 951, 0.025, 0.03816683365052648),
        (1, 101, 0.975, 0.03586462039000372),
        (300001, 700001, 0.025, 0.29910261178108205),
        (2, 1, 0.5, math.sqrt(0.5)),
    ],
)
def test_its_quantiles_are_those_of_scipy(a: float, b: float, share: float, x: float) -> None:
    assert Beta(a, b).quantile(share) == pytest.approx(x, abs=1e-9)


@pytest.mark.parametrize(
    ("tallies", "best", "loss"),
    [
        ([(1000, 50), (1000, 60)], [0.1643887351, 0.8356112649], [0.0108735056, 0.0008934656]),
        (
            [(1000, 50), (1000, 60), (100000, 5000)],
            [0.1540095571, 0.8132059524, 0.0327844904],
            [0.0109415964, 0.0009615562, 0.0118308002],
        ),
        (
            [(10, 0), (10, 3), (1000000, 30000)],
            [0.0451008569, 0.9548348821, 0.0000642610],
            [0.2531059266, 0.0031059266, 0.3064383199],
        ),
        ([(0, 0), (5, 5)], [1 / 7, 6 / 7], [0.375, 0.0178571429]),
    ],
)
def test_probability_and_loss_are_those_of_exact_integration(
    tallies: list[tuple[int, int]], best: list[float], loss: list[float]
) -> None:
    """Figures: scipy.integrate.quad over scipy.stats.beta. The error is below what the module says."""
    found = beliefs({str(at): Tally(*one) for at, one in enumerate(tallies)})
    assert [one.best for one in found.values()] == pytest.approx(best, abs=1e-4)
    assert [one.loss for one in found.values()] == pytest.approx(loss, abs=1e-4)


@settings(max_examples=20, deadline=None)
@given(one=counts, other=counts)
def test_names_and_order_of_arms_make_no_difference(one: Tally, other: Tally) -> None:
    there, back = beliefs({"a": one, "b": other}), beliefs({"b": other, "a": one})
    assert there["a"].best == pytest.approx(back["a"].best, abs=1e-9)
    assert there["a"].best + there["b"].best == pytest.approx(1)
    assert there["a"].low <= there["a"].rate <= there["a"].high


@settings(max_examples=20, deadline=None)
@given(one=counts.filter(lambda tally: tally.converted < tally.people), other=counts)
def test_another_conversion_never_makes_an_arm_less_likely_to_be_the_best(one: Tally, other: Tally) -> None:
    more = Tally(one.people, one.converted + 1)
    before, after = beliefs({"a": one, "b": other})["a"], beliefs({"a": more, "b": other})["a"]
    assert after.best >= before.best - 1e-4
    assert after.rate > before.rate
    assert posterior(more).quantile(0.5) >= posterior(one).quantile(0.5)


def test_without_people_nothing_is_believed() -> None:
    nobody = beliefs({"a": Tally(), "b": Tally(), "c": Tally()})
    assert [one.best for one in nobody.values()] == pytest.approx([1 / 3] * 3, abs=1e-4)


@given(one=counts, other=counts)
def test_tallies_add(one: Tally, other: Tally) -> None:
    both = together([Batch({"a": 1}, {"a": one}), Batch({"a": 1}, {"a": other})], ["a", "b"])
    assert both == {"a": Tally(one.people + other.people, one.converted + other.converted), "b": Tally()}


def test_more_conversions_than_people_are_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2 people"):
        Tally(2, 3)


def test_a_bandit_chooses_the_same_for_the_same_person_and_counts() -> None:
    counted = {"a": Tally(100, 5), "b": Tally(100, 9)}
    once = [choose("subject", str(contact), counted) for contact in range(50)]
    again = [choose("subject", str(contact), dict(reversed(counted.items()))) for contact in range(50)]
    assert once == again
    assert {"a", "b"} == set(once)


def test_a_bandit_gives_people_to_what_works_and_keeps_trying_what_it_does_not_know() -> None:
    counted = {"bad": Tally(2000, 20), "good": Tally(2000, 200), "new": Tally()}
    chosen = [choose("subject", str(contact), counted) for contact in range(400)]
    assert chosen.count("bad") == 0
    assert chosen.count("good") > 0
    assert chosen.count("new") > 200
