"""What authors write, and what their own tests of it are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta

import pytest

from tabiji import ContentTest, arm, content_test, days, on, weekday
from tabiji.domain.changes import Expose
from tabiji.domain.experiments import draw
from tabiji.domain.orders import SendEmail, SendOutcome
from tabiji.errors import JourneyDefinitionError
from tabiji.testing import JourneyEnvironment
from tests.experiments import journeys as played


async def test_an_arm_is_forced_and_sticks_to_the_person(journeys: JourneyEnvironment) -> None:
    journeys.force("welcome", "story")
    run = await journeys.start(played.Welcomed)
    await run.result()
    assert journeys.outbox == ["trial/story", "trial/story"]
    assert journeys.contact().tags == ["got story"]
    assert "story" in run.story[0]


async def test_a_send_time_is_waited_for(journeys: JourneyEnvironment) -> None:
    journeys.force("welcome", "evening")
    await (await journeys.start(played.Welcomed)).result()
    assert [mail.at.time() for mail in journeys.outbox] == [time(18), time(18)]


async def test_who_is_held_out_gets_what_they_asked_for_and_nothing_else(journeys: JourneyEnvironment) -> None:
    journeys.force("holdout of compared", "held_out")
    await (await journeys.start(played.Compared)).result()
    assert journeys.outbox == ["trial/receipt"]
    assert journeys.contact().tags == ["held_out"]


async def test_nobody_is_held_out_of_an_authors_test_by_chance(journeys: JourneyEnvironment) -> None:
    for number in range(30):
        await (await journeys.start(played.Compared, contact=f"c{number}")).result()
    assert len(journeys.outbox) == 60


def test_names_alone_make_a_test() -> None:
    short = content_test("subject", ("plain", "warm"))
    assert short == content_test("subject", {"plain": arm(), "warm": arm()})
    assert str(short) == "subject: plain, warm"
    assert not short.is_about_time


def test_a_test_is_small_in_histories_and_comes_back_the_same() -> None:
    whole = content_test(
        "subject",
        {"a": arm(weight=3), "b": arm(template="other"), "c": arm(at=weekday("tuesday", time(9)))},
        goal=on("Order Completed") | on("Demo Attended"),
        within=days(3),
        method="bandit",
    )
    assert ContentTest.model_validate_json(whole.model_dump_json()) == whole
    assert len(content_test("subject", ("plain", "warm")).model_dump_json()) < 80


def test_goals_of_the_journey_count_where_the_test_has_none() -> None:
    own, none = content_test("x", ("a", "b"), goal=on("Replied")), content_test("x", ("a", "b"))
    goals = (on("Order Completed", then=None, take=("total",)),)
    assert [one.event for one in own.draw(goals).design.goals] == ["Replied"]
    [kept] = none.draw(goals).design.goals
    assert (kept.event, kept.take) == ("Order Completed", ())


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: content_test("", ("a", "b")), "1 to 100 characters"),
        (lambda: content_test("x", ("a",)), "2 to 10 arms"),
        (lambda: content_test("x", ("a", "B")), "lower-case letters"),
        (lambda: content_test("x", ("a", "very_a")), "end alike"),
        (lambda: content_test("x", {"a": arm(weight=0), "b": arm(weight=0)}), "above 0"),
        (lambda: content_test("x", {"a": arm(weight=-1), "b": arm()}), "0 or more"),
        (lambda: content_test("x", ("a", "b"), within=timedelta()), "at most a year"),
        (lambda: content_test("x", ("a", "b"), at_least=0), "1 or more"),
        (lambda: content_test("x", ("a", "b"), method="bandit", winner="auto"), "proves no winner"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_does(make: Callable[[], ContentTest], says: str) -> None:
    with pytest.raises(JourneyDefinitionError, match=says):
        make()


def test_a_split_tells_what_it_is_to_find_out() -> None:
    """Kept with the experiment, so that reading it out needs no code."""
    order = Expose.model_validate(
        {"enrollment_id": "e", "contact_id": "c", "step": "s", "visit": 1, "at": "2026-03-01T12:00:00Z"}
        | {"experiment": "x", "arms": ("a", "b"), "weights": (1, 1)}
    )
    assert order.draw().design.within == days(7)
    assert draw(order.draw(), "c").arm in ("a", "b")


def test_orders_and_outcomes_of_before_are_still_read() -> None:
    """Histories hold them."""
    old = {"enrollment_id": "e", "contact_id": "c", "step": "s", "visit": 1, "at": "2026-03-01T12:00:00Z"}
    assert SendEmail.model_validate(old | {"template": "t"}).content is None
    assert SendOutcome.model_validate({"state": "sent"}).variant is None
