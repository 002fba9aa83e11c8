"""What journeys change about a contact: each change counts once for its step and visit, and is told as an event."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, JsonValue

from tabiji.domain.attributes import (
    IDENTITIES,
    LARGEST_SCORE,
    LONGEST_NAME,
    PROFILE,
    added,
    problem_with,
    problem_with_all,
    problem_with_name,
)
from tabiji.domain.changes import (
    AddToAttribute,
    Changed,
    ClearAttribute,
    JoinList,
    LeaveList,
    SetAttribute,
    SetStage,
    Untag,
)
from tabiji.domain.facts import Fact
from tabiji.domain.orders import AdjustScore, Done, Score, StepOrder, TagContact
from tabiji.errors import InvalidChange
from tabiji.testing.memory.recording import (
    Deed,
    Recording,
    attribute,
    changed,
    changed_attribute,
    same,
    write_attribute,
)
from tabiji.testing.memory.state import Person, Properties

A = TypeVar("A", bound=BaseModel)


class Knowing:
    """Score, stage, tags, lists and attributes."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def adjust_score(self, order: AdjustScore) -> Score:
        """Add points. A second attempt returns what the first one made of it."""

        def work(person: Person) -> tuple[Score, list[Deed]]:
            before, total = person.score, person.score + order.points
            if abs(total) > LARGEST_SCORE:
                raise InvalidChange("score", f"may lie between ±{LARGEST_SCORE}")
            person.score = total
            properties: Properties = {
                "before": before,
                "after": person.score,
                "points": order.points,
                "reason": order.reason[:500],
            }
            told = [_told(order, Fact.SCORE_CHANGED, properties)] if order.points else []
            return Score(total=person.score), told

        return self._once(order, Score, work)

    def tag(self, order: TagContact) -> Done:
        """Put a tag on; one that is there already stays as it is."""
        self._put(order, order.tag, lambda person: person.tags, Fact.TAG_ADDED, "tag")
        return Done()

    def untag(self, order: Untag) -> Changed:
        """Take a tag off."""
        return self._take(order, order.tag, lambda person: person.tags, Fact.TAG_REMOVED, "tag")

    def join_list(self, order: JoinList) -> Changed:
        """Put on a list."""
        return self._put(order, order.list, lambda person: person.lists, Fact.LIST_JOINED, "list")

    def leave_list(self, order: LeaveList) -> Changed:
        """Take off a list."""
        return self._take(order, order.list, lambda person: person.lists, Fact.LIST_LEFT, "list")

    def set_attribute(self, order: SetAttribute) -> Changed:
        """Write one attribute; null removes it."""
        return self._once(order, Changed, lambda person: self._set(order, person, order.name, order.value))

    def clear_attribute(self, order: ClearAttribute) -> Changed:
        """Remove one attribute."""

        def work(person: Person) -> tuple[Changed, list[Deed]]:
            done, told = self._set(order, person, order.name, None)
            return Changed(changed=done.changed), told

        return self._once(order, Changed, work)

    def add_to_attribute(self, order: AddToAttribute) -> Changed:
        """Add to a number; none counts as 0."""

        def work(person: Person) -> tuple[Changed, list[Deed]]:
            if not math.isfinite(order.amount):
                raise InvalidChange(f"attribute {order.name!r}", "what is added must be a finite number")
            total = added(attribute(person, order.name), order.amount)
            if total is None:
                raise InvalidChange(f"attribute {order.name!r}", "is no number, so nothing can be added to it")
            _, told = self._set(order, person, order.name, total)
            return Changed(changed=order.amount != 0, value=total), told

        return self._once(order, Changed, work)

    def set_stage(self, order: SetStage) -> Changed:
        """Move to a stage of life."""

        def work(person: Person) -> tuple[Changed, list[Deed]]:
            _check_name("stage", order.stage)
            before, person.stage = person.stage, order.stage
            if before == order.stage:
                return Changed(changed=False, value=order.stage), []
            told = _told(order, Fact.STAGE_CHANGED, {"before": before, "after": order.stage})
            return Changed(changed=True, value=order.stage), [told]

        return self._once(order, Changed, work)

    def _set(self, order: StepOrder, person: Person, name: str, value: JsonValue) -> tuple[Changed, list[Deed]]:
        _check_attribute(name, value)
        before = attribute(person, name)
        if same(before, value):
            return Changed(changed=False, value=value), []
        after = {**person.attributes, name: value}
        if value is not None and name not in PROFILE and (problem := problem_with_all(after)) is not None:
            raise InvalidChange(f"attribute {name!r}", problem)
        write_attribute(person, name, value)
        told = changed_attribute(order.key, person.id, order.at, name, before=before, after=value)
        return Changed(changed=True, value=value), [told]

    def _put(self, order: StepOrder, what: str, where: Callable[[Person], list[str]], fact: Fact, key: str) -> Changed:
        def work(person: Person) -> tuple[Changed, list[Deed]]:
            _check_name(key, what)
            held = where(person)
            if what in held:
                return Changed(changed=False), []
            held.append(what)
            return Changed(changed=True), [_told(order, fact, {key: what})]

        return self._once(order, Changed, work)

    def _take(self, order: StepOrder, what: str, where: Callable[[Person], list[str]], fact: Fact, key: str) -> Changed:
        def work(person: Person) -> tuple[Changed, list[Deed]]:
            held = where(person)
            if what not in held:
                return Changed(changed=False), []
            held.remove(what)
            return Changed(changed=True), [_told(order, fact, {key: what})]

        return self._once(order, Changed, work)

    def _once(self, order: StepOrder, kind: type[A], work: Callable[[Person], tuple[A, list[Deed]]]) -> A:
        state = self._recording.state
        person = state.person(order.contact_id)
        known = state.answers.get(order.key)
        if isinstance(known, kind):
            return known
        answer, told = work(person)
        state.answers[order.key] = answer
        self._recording.tell(told)
        return answer


def _told(order: StepOrder, fact: Fact, properties: Properties) -> Deed:
    return changed(order.key, order.contact_id, order.at, fact, properties)


def _check_name(what: str, name: str) -> None:
    if (problem := problem_with_name(name)) is not None:
        raise InvalidChange(f"{what} {name[:LONGEST_NAME]!r}", problem)


def _check_attribute(name: str, value: JsonValue) -> None:
    if name in IDENTITIES:
        raise InvalidChange(f"attribute {name!r}", "says who somebody is; POST /v1/identify changes that")
    problem = problem_with_name(name) if value is None else problem_with(name, value)
    if problem is not None:
        raise InvalidChange(f"attribute {name[:LONGEST_NAME]!r}", problem)
