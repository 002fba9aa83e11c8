from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from tabiji import attr, consented, everyone, in_list, in_stage, scored, tagged
from tabiji.domain.audience import Audience, Person

VIP = Person(
    attributes={"plan": "pro", "orders": 3},
    tags=frozenset({"vip"}),
    lists=frozenset({"readers"}),
    stage="customer",
    consents=frozenset({"news"}),
    score=60,
)
NOBODY = Person()


@pytest.mark.parametrize(
    ("audience", "words"),
    [
        (everyone, "everyone"),
        (tagged("vip"), "tagged vip"),
        (in_list("readers"), "on list readers"),
        (in_stage("customer"), "in stage customer"),
        (attr("plan") == "pro", "plan = pro"),
        (attr("orders") >= 3, "orders >= 3"),
        (consented("news"), "consented to news"),
        (scored(50), "score >= 50"),
        (scored(50, below=100), "score >= 50 and score < 100"),
        (tagged("vip") & scored(50) & (attr("plan") == "pro"), "tagged vip and score >= 50 and plan = pro"),
        (tagged("vip") & (scored(90) | consented("news")), "tagged vip and (score >= 90 or consented to news)"),
        (~tagged("lost"), "not (tagged lost)"),
    ],
    ids=str,
)
def test_an_audience_reads_as_words_and_travels_as_json(audience: Audience, words: str) -> None:
    adapter: TypeAdapter[Audience] = TypeAdapter(Audience)
    assert str(audience) == words
    assert adapter.validate_json(adapter.dump_json(audience)) == audience
    assert audience.includes(VIP)


@pytest.mark.parametrize(
    "audience", [tagged("vip"), attr("plan") == "pro", attr("plan").exists(), consented("news"), scored(1)], ids=str
)
def test_who_has_nothing_is_in_no_audience_that_asks_for_something(audience: Audience) -> None:
    assert not audience.includes(NOBODY)
    assert (~audience).includes(NOBODY)


def test_an_audience_is_not_true_or_false_by_itself() -> None:
    with pytest.raises(TypeError, match="not with `and`"):
        bool(tagged("vip"))


def test_a_score_without_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="a number of points"):
        scored()
