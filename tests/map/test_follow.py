"""Runs are found again on the map, edge by edge."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tabiji import Journey, Outcome
from tabiji.domain.orders import Ending, Passed
from tabiji.journey.map import read_map, with_counts
from tabiji.journey.map.follow import follow, never_run, traffic
from tests.map import samples
from tests.map.coverage import Coverage

AT = datetime(2027, 1, 1, tzinfo=UTC)


def run(*steps: str, ending: Ending = Ending.COMPLETED) -> Outcome:
    """A run's outcome: its steps, each with its result behind a bar where that matters."""
    path = tuple(Passed(step=step.partition("|")[0], visit=1, result=step.partition("|")[2], at=AT) for step in steps)
    return Outcome(ending=ending, reason="", path=path)


def edges(journey: type[Journey], outcome: Outcome) -> set[str]:
    followed = follow(read_map(journey), outcome)
    assert followed.lost == []
    return {str(edge).replace("steps/", "") for edge in followed.edges}


def test_the_way_a_wait_was_left_by_is_known_from_its_result() -> None:
    happened = run(
        "steps/wait_for:PAID|Order Completed happened",
        "steps/absent:Complained|no Complained within 30 days",
        "steps/tag:happy",
    )
    assert edges(samples.Returns, happened) == {
        "start:the API, or another journey -> wait_for:PAID",
        "wait_for:PAID -> absent:Complained [it happened]",
        "absent:Complained -> tag:happy [not within 30 days]",
        "tag:happy -> end",
    }


def test_edges_nobody_went_along_are_named() -> None:
    runs = [
        run("steps/wait_for:PAID|no Order Completed", "steps/enter:InheritsAll|entered inherits-all"),
        run(
            "steps/wait_for:PAID|Order Completed happened",
            "steps/absent:Complained|Complained happened",
            "steps/tag:unhappy",
        ),
    ]
    left = [str(edge) for edge in never_run(read_map(samples.Returns), runs)]
    assert left == ["steps/absent:Complained -> steps/tag:happy [not within 30 days]", "steps/tag:happy -> end"]


def test_reads_leave_no_trace_and_are_passed_all_the_same() -> None:
    warm = run(
        "steps/send_email:a|mail a: sent",
        "steps/wait_for:clicked mail|no mail clicked",
        "steps/tag:warm",
    )
    assert edges(samples.Branches, warm) >= {
        "wait_for:clicked mail -> score [not within 3 days]",
        "if:score() >= 50 -> has_tag:vip [yes]",
        "has_tag:vip -> tag:warm [no]",
    }


def test_a_run_that_a_goal_ended_is_followed_as_far_as_it_came() -> None:
    assert edges(samples.Branches, run("steps/send_email:a|mail a: sent", ending=Ending.GOAL)) == {
        "start:Signed Up -> send_email:a"
    }


def test_branches_side_by_side_are_followed_in_whatever_order_they_came() -> None:
    outcome = run(
        "steps/tag:middle",
        "remind|mail right: sent",
        "steps/_left/wait:hours=1",
        "steps/remind/wait_for:Email Link Clicked|no Email Link Clicked",
        "steps/_left/send_email:left|mail left: sent",
        "steps/_left~2/wait:hours=1",
        "steps/_left~2/send_email:left|mail left: sent",
        "steps/_late/wait:days=1",
        "steps/tag:meanwhile",
        "steps/_own/wait:days=2",
        "each y",
        "each x",
    )
    run_along = edges(samples.Beside, outcome)
    assert run_along == {str(edge).replace("steps/", "") for edge in read_map(samples.Beside).edges}


def test_a_step_that_is_on_no_way_is_named() -> None:
    followed = follow(read_map(samples.Returns), run("steps/tag:unknown"))
    assert followed.lost == ["steps/tag:unknown"]


def test_counts_are_laid_on_the_map() -> None:
    graph = read_map(samples.Helped)
    runs = [run("remind|mail first: sent", "steps/remind/wait_for:Email Link Clicked|no click")]
    counted = with_counts(graph, {"remind": 7, "steps/inner~2/tag:inner": 2}, traffic(graph, runs))
    by_id = counted.by_id
    assert (by_id["remind"].count, by_id["remind#2"].count, by_id["steps/inner/tag:inner"].count) == (7, 7, 2)
    assert by_id["end"].count is None
    assert next(edge.count for edge in counted.edges if edge.source == "remind") == 1


def test_tests_of_a_journey_can_ask_for_every_edge() -> None:
    whole = Coverage(samples.Returns)
    whole.add(run("steps/wait_for:PAID|no Order Completed", "steps/enter:InheritsAll|entered inherits-all"))
    with pytest.raises(AssertionError, match="edges no test has run"):
        whole.check()
    happened = "steps/wait_for:PAID|Order Completed happened"
    whole.add(run(happened, "steps/absent:Complained|Complained happened", "steps/tag:unhappy"))
    whole.check(but=("steps/absent:Complained -> steps/tag:happy [not within 30 days]", "steps/tag:happy -> end"))
    whole.add(run(happened, "steps/absent:Complained|no Complained within 30 days", "steps/tag:happy"))
    whole.check()
    whole.add(run("steps/tag:nowhere"))
    with pytest.raises(AssertionError, match="nowhere"):
        whole.check()
