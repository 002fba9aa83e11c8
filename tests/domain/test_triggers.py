"""Triggers, goals and exits: what they mean, and what is refused where it is declared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import JsonValue

from tabiji import (
    Journey,
    after,
    all_of,
    always,
    attribute_changed,
    form,
    joined,
    journey,
    left,
    mail_clicked,
    mail_opened,
    never,
    on,
    page,
    prop,
    score_fell_below,
    score_reached,
    segment_entered,
    segment_left,
    stage_reached,
    tag_added,
    tag_removed,
)
from tabiji.domain.conditions import Condition
from tabiji.domain.journeys import Catalog, Reentry, refuse_then
from tabiji.errors import JourneyDefinitionError


@journey(name="next-one")
class Next(Journey):
    """Something to hand over to."""

    async def steps(self) -> None: ...


@journey(trigger=form("a") | form("b"), goal=on("Bought", then=Next) | on("Left"), exit=tag_added("stop"))
class Either(Journey):
    """Two ways in."""

    async def steps(self) -> None: ...


@pytest.mark.parametrize(
    ("trigger", "event", "yes", "no"),
    [
        (form("x", prop("company").exists()), "Form Submitted", {"form": "x", "company": 1}, {"company": 1}),
        (page("/pricing"), "Page Viewed", {"path": "/pricing"}, {"path": "/pricing/team"}),
        (tag_added("vip"), "Tag Added", {"tag": "vip"}, {"tag": "VIP"}),
        (tag_removed("vip"), "Tag Removed", {"tag": "vip"}, {}),
        (joined("news"), "List Joined", {"list": "news"}, {"list": "n"}),
        (left("news"), "List Left", {"list": "news"}, {"list": "n"}),
        (segment_entered("hot"), "Segment Entered", {"segment": "hot"}, {"segment": "cold"}),
        (segment_left("hot"), "Segment Left", {"segment": "hot"}, {"segment": "cold"}),
        (score_reached(50), "Score Changed", {"before": 49, "after": 50}, {"before": 50, "after": 60}),
        (score_reached(50), "Score Changed", {"before": 0, "after": 90}, {"before": 60, "after": 40}),
        (score_fell_below(50), "Score Changed", {"before": 50, "after": 49}, {"before": 49, "after": 10}),
        (stage_reached("mql"), "Stage Changed", {"before": None, "after": "mql"}, {"before": "mql", "after": "sql"}),
        (attribute_changed("plan"), "Attribute Changed", {"name": "plan", "after": None}, {"name": "colour"}),
        (attribute_changed("plan", to="pro"), "Attribute Changed", {"name": "plan", "after": "pro"}, {"name": "plan"}),
        (attribute_changed("plan", to=None), "Attribute Changed", {"name": "plan", "after": None}, {"name": "plan"}),
        (mail_opened("demo/invitation"), "Email Opened", {"template": "demo/invitation"}, {"template": "x"}),
        (mail_clicked(None, prop("url").contains("/demo")), "Email Link Clicked", {"url": "https://x/demo"}, {"url": "https://x"}),
    ],
    ids=str,
)  # fmt: skip # one a line
def test_what_each_trigger_means(
    trigger: Condition, event: str, yes: dict[str, JsonValue], no: dict[str, JsonValue]
) -> None:
    assert trigger.matches(event, yes)
    assert not trigger.matches(event, no)
    assert not trigger.matches("Another", yes)


def test_a_trigger_without_a_name_is_refused() -> None:
    for make in (form, page, tag_added, joined, segment_entered, stage_reached, attribute_changed):
        with pytest.raises(ValueError, match=f"{make.__name__}.. takes a name, e.g. "):
            make(" ")


def test_either_of_two_triggers_is_two_triggers() -> None:
    assert [str(one) for one in Either.spec.triggers] == ["Form Submitted (form = a)", "Form Submitted (form = b)"]
    assert [goal.then for goal in Either.spec.goals] == ["next-one", None]
    assert [str(one) for one in Either.spec.exits] == ["Tag Added (tag = stop)"]
    assert len(Catalog([Either.spec, Next.spec]).started_by("Form Submitted")) == 2


@pytest.mark.parametrize(
    ("declaration", "said"),
    [
        ({"trigger": on("A").times(3)}, r"trigger asks for several events: A 3 times.*Wait for a pattern inside"),
        ({"goal": (on("A"), all_of(on("A"), on("B")))}, "goal asks for several events: A and B"),
        ({"exit": on("A") | on("B").times(2)}, r"exit asks for several events: \(?B 2 times"),
        ({"trigger": on("A", then=Next)}, "trigger A has then='next-one', which goals alone have"),
        ({"exit": on("A", then=Next)}, "exit A has then='next-one', which goals alone have"),
    ],
)
def test_what_a_declaration_cannot_mean_is_refused_with_the_way_out(declaration: dict[str, Any], said: str) -> None:
    class Wrong(Journey):
        """Never declared."""

        async def steps(self) -> None: ...

    with pytest.raises(JourneyDefinitionError, match=said):
        journey(**declaration)(Wrong)


@pytest.mark.parametrize(
    ("reentry", "words"),
    [
        (never, "never"),
        (always, "always"),
        (after(days=90), "after 90 days"),
        (always.per("order_id"), "always per order_id"),
        (after(hours=36).per("cart.id", at_once=3), "after 1 day 12 hours per cart.id, at most 3 at once"),
    ],
)
def test_a_reentry_rule_reads_as_words(reentry: Reentry, words: str) -> None:
    assert str(reentry) == words
    assert Reentry.model_validate_json(reentry.model_dump_json()) == reentry


@pytest.mark.parametrize(
    ("value", "key"),
    [("o-1", "o-1"), (7, "7"), (7.0, "7"), (7.5, "7.5"), (" ", None), ("x" * 201, None), (True, None), (None, None)],
)  # fmt: skip
def test_a_key_is_a_text_or_a_number_of_the_trigger(value: JsonValue, key: str | None) -> None:
    assert always.per("order.id").entry_key({"order": {"id": value}}) == key
    assert always.entry_key({}) == ""
    assert always.per("order.id").entry_key({}) is None


def test_a_key_does_not_change_when_somebody_may_come_again() -> None:
    now = datetime(2027, 1, 1, tzinfo=UTC)
    rule = after(days=2).per("order_id")

    assert not rule.allows(last_entered=now - timedelta(days=1), now=now)
    assert rule.allows(last_entered=now - timedelta(days=2), now=now)
    with pytest.raises(ValueError, match="at_once is 1 or more"):
        always.per("order_id", at_once=0)
    with pytest.raises(ValueError, match="takes the name of a property"):
        always.per("")


def test_a_wait_for_something_with_then_is_refused_with_the_way_out() -> None:
    with pytest.raises(
        JourneyDefinitionError, match=r"step 'steps/wait_for:bought' asks for Bought with then='next-one'"
    ):
        refuse_then("steps/wait_for:bought", on("A"), (on("B") | on("Bought", then=Next)).times(2))
    refuse_then("steps/wait_for:bought", on("A") | on("B"))
