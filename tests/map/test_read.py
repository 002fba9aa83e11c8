"""A map shows all that a journey's source says, and what it does not say as such."""

from __future__ import annotations

from collections import deque

import pytest

from tabiji import Journey
from tabiji.journey.map import Graph, NodeKind, read_map
from tests.map import samples
from tests.map.samples import ALL


def ways(journey: type[Journey]) -> set[str]:
    return {str(edge).replace("steps/", "") for edge in read_map(journey).edges}


def words(journey: type[Journey]) -> list[str]:
    return [node.words for node in read_map(journey).nodes]


def test_if_elif_else_and_conditions_in_words() -> None:
    assert ways(samples.Branches) >= {
        "start:Signed Up -> send_email:a",
        "start:Invited -> send_email:a",
        "wait_for:clicked mail -> tag:clicked [it happened]",
        "wait_for:clicked mail -> score [not within 3 days]",
        "score -> if:score() >= 50",
        "if:score() >= 50 -> has_tag:vip [yes]",
        "if:score() >= 50 -> tag:cold [no]",
        "has_tag:vip -> tag:warm [no]",
        "has_tag:vip -> tag:cold [yes]",
        "if:trigger is None -> in_segment:hot [no]",
        "if:clicked -> exit:not interested [not within 3 days]",
        "if:clicked -> end [it happened]",
    }
    assert "wait for mail clicked, at most 3 days" in words(samples.Branches)
    assert "goal: Order Completed (total >= 100)" in words(samples.Branches)
    assert "exit: Unsubscribed" in words(samples.Branches)


def test_a_split_has_its_arms_and_no_other_way() -> None:
    assert ways(samples.Matches) >= {
        "split:channel -> send_email:by mail [EMAIL]",
        "split:channel -> create_task:call them [CALL]",
        "attribute:plan -> tag:paying [pro or team]",
        "attribute:plan -> tag:trying [str(plan) if plan.startswith(trial)]",
        "attribute:plan -> end [none of these]",
    }
    assert not any("none of" in way for way in ways(samples.Matches) if way.startswith("split"))


def test_the_first_of_several_is_known_by_its_name() -> None:
    assert ways(samples.First) >= {
        "wait_first:PAID, LEFT -> tag:neither [not within 2 days]",
        "match:first.which -> tag:paid [PAID]",
        "match:first.which -> tag:left [LEFT]",
        "tag:neither -> end",
    }
    assert not any("none of" in way for way in ways(samples.First))
    assert "wait for the first of PAID: Order Completed (total >= 100); LEFT: Left, at most 2 days" in words(
        samples.First
    )


def test_what_is_computed_is_said_in_words_as_far_as_they_go() -> None:
    assert {
        "value of map-days",
        "wait for the first of PAID: Paid; LEFT: mail clicked /bye, at most patience",
        "tag first {first.which}",
    } <= set(words(samples.Worded))
    assert "wait_until:contact_date(visit, days=-1) -> exit:no visit [there is no such date]" in ways(samples.Worded)


def test_loops_lead_back() -> None:
    assert ways(samples.Loops) >= {
        "for:template -> has_tag:skip [each]",
        "has_tag:skip -> for:template [yes]",
        "send_email:mail * -> for:template",
        "for:template -> tag:all mailed [done]",
        "wait_for:Answered -> while:True [it happened]",
        "if:score() < 0 -> while:True [yes]",
        "while:True -> wait:days=365 [again]",
        "send_email:birthday -> while:True",
    }
    assert not any(way.startswith("while:True") and "done" in way for way in ways(samples.Loops))


def test_tries_show_what_is_caught_ignored_and_raised() -> None:
    assert ways(samples.Tries) >= {
        "try -> tag:not told [ValueError]",
        "tag:told -> tag:went well",
        "tag:went well -> try#2",
        "tag:not told -> try#2",
        "try#2 -> score [LookupError is ignored]",
        "if:score() < 0 -> raise:RuntimeError [yes]",
    }


def test_branches_side_by_side_begin_at_a_fork_and_meet() -> None:
    assert ways(samples.Beside) >= {
        "gather -> _left/wait:hours=1",
        "gather -> tag:middle",
        "gather -> remind",
        "_left/send_email:left -> gather:joined",
        "remind/wait_for:Email Link Clicked -> gather:joined",
        "task -> _late/wait:days=1",
        "_late/wait:days=1 -> joined",
        "task#2 -> tag:meanwhile",
        "task#2 -> _own/wait:days=2",
        "_own/wait:days=2 -> joined#2",
        "gather#2 -> _each/tag:each * [for each name of (x, y)]",
    }


def test_helpers_are_drawn_where_they_are_called_with_the_caller_in_front() -> None:
    assert ways(samples.Helped) >= {
        "remind -> remind/wait_for:Email Link Clicked",
        "if:_is_warm() -> _warm/has_tag:vip [yes]",
        "_warm/has_tag:vip -> remind#3 [yes]",
        "remind#2 -> _warm/remind/wait_for:Email Link Clicked",
        "remind#3 -> remind/wait_for:Email Link Clicked#2",
        "remind/wait_for:Email Link Clicked#2 -> inner/tag:inner",
    }
    graph = read_map(samples.Helped)
    assert [node.words for node in graph.steps_called("remind")] == ["mail first", "mail warm", "mail second"]
    assert {node.file for node in graph.nodes} == {"tests/map/samples.py", "tests/map/elsewhere.py"}
    frames = {group.id: group for group in graph.groups}
    assert frames["group:steps/_warm/remind"].parent == "group:steps/_warm"
    assert frames["group:steps/_warm/remind"].words == "remind: One mail, and a week to answer it."


def test_inherited_steps_are_the_journeys_own() -> None:
    assert ways(samples.InheritsAll) >= {"_goodbye/tag:said goodbye -> end"}
    graph = read_map(samples.Inherits)
    assert [node.step for node in graph.nodes if node.step] == [
        "steps/tag:hello",
        "steps/steps/_goodbye/tag:said goodbye",
    ]


def test_early_returns_lead_to_the_end() -> None:
    assert ways(samples.Returns) >= {
        "wait_for:PAID -> enter:InheritsAll [not within 4 hours]",
        "enter:InheritsAll -> end",
        "absent:Complained -> tag:happy [not within 30 days]",
        "absent:Complained -> tag:unhappy [it happened]",
    }


def test_what_calls_itself_leads_back_to_its_beginning() -> None:
    assert ways(samples.Again) >= {
        "_again/again:_again -> _again/wait:days=1 [again]",
        "_again/again:_again -> end [done]",
    }


def test_what_cannot_be_seen_is_drawn_as_such() -> None:
    graph = read_map(samples.Unseen)
    computed = {node.words for node in graph.nodes if node.kind is NodeKind.COMPUTED}
    assert computed == {
        "announce(…)",
        "tag late, when a lambda is called",
        "_later, called by call",
        "_later, called by partial",
        "getattr(self, _la + ter)",
        "Temporal: workflow.wait_condition(lambda: contact == x)",
        "tag, called from elsewhere",
        "untag, called from elsewhere",
    }


@pytest.mark.parametrize("journey", ALL, ids=lambda journey: journey.__name__)
def test_every_node_can_be_reached_and_every_step_named(journey: type[Journey]) -> None:
    graph = read_map(journey)
    anywhere = {NodeKind.GOAL, NodeKind.EXIT}
    unreached = {node.id for node in graph.nodes if node.kind not in anywhere} - reached(graph)
    assert unreached <= ({"end"} if journey is samples.Loops else set())
    assert all(node.step or node.like for node in graph.nodes if node.verb)
    assert all(node.line > 0 for node in graph.nodes)
    assert Graph.model_validate_json(graph.model_dump_json()) == graph


def reached(graph: Graph) -> set[str]:
    seen = {node.id for node in graph.starts}
    todo = deque(seen)
    while todo:
        for edge in graph.out[todo.popleft()]:
            if edge.target not in seen:
                seen.add(edge.target)
                todo.append(edge.target)
    return seen
