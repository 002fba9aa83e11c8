"""The journal and open waits, without Temporal: what is kept comes back as it was; what is late changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter

from tabiji.domain.changes import Called
from tabiji.domain.conditions import on
from tabiji.domain.orders import Ending, Entered, Happened, Part, SendOutcome
from tabiji.domain.patterns import sequence
from tabiji.errors import InsertedStep, JourneyDefinitionError
from tabiji.journey.journal import IfPassed, Journal, Place
from tabiji.journey.verbs.base import kept_as
from tabiji.journey.verbs.composition import Approval, Finished
from tabiji.journey.waiting import Moved, Waiting

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
STEP = Place("steps/x", 1)


class Booking(BaseModel):
    """As an author may have it."""

    model_config = ConfigDict(strict=True, frozen=True)

    at: datetime
    seats: tuple[int, ...]
    price: Decimal
    id: UUID


@dataclass(frozen=True)
class Plain:
    """Another."""

    day: date
    lasts: timedelta


EVENT = Happened(
    event="B", seq=7, at=NOW, properties={"a": [1, {"b": None}]}, parts=(Part(event="A", seq=3, at=NOW),), took=(3, 7)
)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (datetime, NOW),
        (datetime | None, None),
        (Happened | None, EVENT),
        (tuple[str, Happened] | None, ("yes", EVENT)),
        (SendOutcome, SendOutcome(state="deferred", reason="quiet hours", until=NOW, message="m")),
        (Entered, Entered(refused="already in it")),
        (Finished | None, Finished(ending=Ending.GOAL, reason="Bought")),
        (Approval | None, Approval(approved=False, by="eve")),
        (Called, Called(ok=False, status=404, reason="not found")),
        (JsonValue, {"a": [1, 2.5, "x", None, {"b": True}]}),
        (float, 0.1),
        (Booking | None, Booking(at=NOW, seats=(1, 2), price=Decimal("12.50"), id=UUID(int=7))),
        (Plain | None, Plain(NOW.date(), timedelta(days=2, seconds=1))),
        (dict[int, frozenset[str]] | None, {1: frozenset({"a", "b"})}),
    ],
)
def test_what_a_step_came_to_comes_back_as_it_was(kind: Any, value: Any) -> None:
    adapter: TypeAdapter[Any] = kept_as(kind)
    journal, later = Journal(), Journal()
    journal.keep(STEP, adapter.dump_python(value, mode="json"))
    later.take_up(type(journal.carried()).model_validate_json(journal.carried().model_dump_json()))
    assert later.recall(STEP, adapter) == value


def test_what_newer_code_cannot_read_is_named_with_its_step() -> None:
    journal = Journal()
    journal.keep(STEP, {"state": "lost"})
    with pytest.raises(JourneyDefinitionError, match=r"steps/x.*not what the code returns now.*step='…'"):
        journal.recall(STEP, kept_as(SendOutcome))


@pytest.mark.parametrize(
    ("stands", "if_passed", "runs"),
    [({"old"}, "skip", False), ({"old"}, "run", True), (set[str](), None, True), (set[str](), "skip", True)],
)
def test_a_step_is_inserted_only_before_what_still_stands_in_the_code(
    stands: set[str], if_passed: IfPassed | None, runs: bool
) -> None:
    before, journal = Journal(), Journal()
    before.keep(Place("old", 1), None)
    journal.take_up(before.carried())
    assert journal.reach(Place("new", 1), if_passed, stands.__contains__) is runs


def test_an_inserted_step_of_which_nothing_is_said_is_refused() -> None:
    before, journal = Journal(), Journal()
    before.keep(Place("old", 1), None)
    journal.take_up(before.carried())
    with pytest.raises(InsertedStep, match=r"'new' was inserted before 'old'"):
        journal.reach(Place("new", 1), None, lambda _: True)


def test_a_signal_from_when_older_code_listened_here_answers_nothing() -> None:
    """Of what the look-back has seen the look-back has the last word, whether a signal came before it or after."""
    waiting = Waiting(on("A", plan="pro"), frozenset())
    waiting.offer(Happened(event="A", seq=5))
    waiting.up_to(6)
    waiting.offer(Happened(event="A", seq=6))
    waiting.offer(Happened(event="B", seq=9))
    assert answer(waiting) is None
    waiting.found(Happened(event="A", seq=4))
    waiting.offer(Happened(event="A", seq=8))
    assert answer(waiting) == 4


def test_a_signal_for_events_that_are_taken_answers_nothing() -> None:
    waiting = Waiting(sequence(on("A"), on("B")), frozenset({3}))
    waiting.offer(Happened(event="B", seq=7, took=(3, 7)))
    assert waiting.event is None


def test_a_change_that_comes_during_a_look_up_by_hand_is_not_lost() -> None:
    moved = Moved(on("Attribute Changed", name="visit"), frozenset())
    moved.offer(Happened(event="Attribute Changed", seq=9))
    moved.offer_by_hand(Happened(event="Attribute Changed", properties={"name": "visit"}), NOW)
    moved.up_to(8)
    assert answer(moved) == 9
    moved.up_to(9)
    assert answer(moved) is None


def answer(waiting: Waiting) -> int | None:
    return waiting.event.seq if waiting.event is not None else None
