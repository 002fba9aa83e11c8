"""Verbs that change what we know of the contact, and that bring other people and systems in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar, overload

from pydantic import JsonValue

from tabiji.domain.changes import (
    AddToAttribute,
    Called,
    CallWebhook,
    Changed,
    ClearAttribute,
    Created,
    CreateTask,
    JoinList,
    LeaveList,
    OwnOrder,
    SetAttribute,
    SetStage,
    Untag,
)
from tabiji.domain.orders import AdjustScore, Done, Score, StepOrder, TagContact
from tabiji.journey.journal import IfPassed, Place
from tabiji.journey.travel import Travel
from tabiji.journey.verbs.base import NOTHING, Verb, Verbs, kept_as

A = TypeVar("A")

_NUMBER = kept_as(float)
_SCORE = kept_as(int)
_TASK = kept_as(str | None)
_CALLED = kept_as(Called)


class Contacts(Verbs):
    """Score, tags, lists, attributes, stage, tasks, webhooks, own activities. Each counts once per visit."""

    def adjust_score(
        self, points: int, *, reason: str, if_passed: IfPassed | None = None, step: str | None = None
    ) -> Verb[int]:
        """Add points to the contact's score, or subtract them. Returns the new score."""
        place = self._travel.place("adjust_score", step)

        async def act() -> int:
            def order() -> AdjustScore:
                return AdjustScore(**self._travel.order(place), points=points, reason=reason)

            score = await _effect(self._travel, place, order, Score, f"score {points:+d}: {reason}")
            self._travel.passed(place, f"score {points:+d} to {score.total}: {reason}")
            return score.total

        return self._travel.once(place, _SCORE, act, if_passed=if_passed, skipped=lambda: 0)

    def tag(self, tag: str, *, if_passed: IfPassed | None = None, step: str | None = None) -> Verb[None]:
        """Put a tag on the contact."""
        place = self._travel.place("tag", step)
        return _change(
            self._travel,
            place,
            lambda: TagContact(**self._travel.order(place), tag=tag),
            Done,
            f"tag {tag}",
            if_passed=if_passed,
        )

    def untag(self, tag: str, *, if_passed: IfPassed | None = None, step: str | None = None) -> Verb[None]:
        """Take a tag off the contact."""
        place = self._travel.place("untag", step)
        return _change(
            self._travel,
            place,
            lambda: Untag(**self._travel.order(place), tag=tag),
            Changed,
            f"untag {tag}",
            if_passed=if_passed,
        )

    def join(self, name: str, *, if_passed: IfPassed | None = None, step: str | None = None) -> Verb[None]:
        """Put the contact on a list."""
        place = self._travel.place("join", step)
        return _change(
            self._travel,
            place,
            lambda: JoinList(**self._travel.order(place), list=name),
            Changed,
            f"join list {name}",
            if_passed=if_passed,
        )

    def leave(self, name: str, *, if_passed: IfPassed | None = None, step: str | None = None) -> Verb[None]:
        """Take the contact off a list."""
        place = self._travel.place("leave", step)
        return _change(
            self._travel,
            place,
            lambda: LeaveList(**self._travel.order(place), list=name),
            Changed,
            f"leave list {name}",
            if_passed=if_passed,
        )

    def set_attribute(
        self, name: str, value: JsonValue, *, if_passed: IfPassed | None = None, step: str | None = None
    ) -> Verb[None]:
        """Write one attribute of the contact. The value is kept in the Temporal history."""
        place = self._travel.place("set_attribute", step)
        return _change(
            self._travel,
            place,
            lambda: SetAttribute(**self._travel.order(place), name=name, value=value),
            Changed,
            f"set {name}",
            if_passed=if_passed,
        )

    def add_to_attribute(
        self, name: str, amount: float, *, if_passed: IfPassed | None = None, step: str | None = None
    ) -> Verb[float]:
        """Add to a number the contact has; none counts as 0. Returns the new number."""
        place = self._travel.place("add_to_attribute", step)

        async def act() -> float:
            def order() -> AddToAttribute:
                return AddToAttribute(**self._travel.order(place), name=name, amount=amount)

            done = await _effect(self._travel, place, order, Changed, f"add {amount:+g} to {name}")
            self._travel.passed(place, f"{name} {amount:+g}")
            return float(done.value) if isinstance(done.value, int | float) else 0.0

        return self._travel.once(place, _NUMBER, act, if_passed=if_passed, skipped=lambda: 0.0)

    def clear_attribute(self, name: str, *, if_passed: IfPassed | None = None, step: str | None = None) -> Verb[None]:
        """Remove one attribute of the contact."""
        place = self._travel.place("clear_attribute", step)
        return _change(
            self._travel,
            place,
            lambda: ClearAttribute(**self._travel.order(place), name=name),
            Changed,
            f"clear {name}",
            if_passed=if_passed,
        )

    def set_stage(self, stage: str, *, if_passed: IfPassed | None = None, step: str | None = None) -> Verb[None]:
        """Move the contact to a stage of life, e.g. ``mql`` or ``customer``."""
        place = self._travel.place("set_stage", step)
        return _change(
            self._travel,
            place,
            lambda: SetStage(**self._travel.order(place), stage=stage),
            Changed,
            f"stage {stage}",
            if_passed=if_passed,
        )

    def create_task(
        self,
        title: str,
        *,
        who: str,
        due: datetime | None = None,
        if_passed: IfPassed | None = None,
        step: str | None = None,
    ) -> Verb[str | None]:
        """Give somebody something to do about this contact.

        When it is done comes as an event: ``on("Task Done", task=task)``.

        Args:
            title: What is to be done.
            who: A team or a person, as your settings know them.
            due: Aware; until when.
            if_passed: For a step added later: what it means for people who are past it.
            step: A name of its own.

        Returns:
            The task's id.
        """
        place = self._travel.place("create_task", step)

        async def act() -> str | None:
            def order() -> CreateTask:
                return CreateTask(**self._travel.order(place), title=title, who=who, due=due)

            created = await _effect(self._travel, place, order, Created, f"task for {who}: {title}")
            self._travel.passed(place, f"task for {who}: {title}")
            return created.id

        return self._travel.once(place, _TASK, act, if_passed=if_passed, skipped=lambda: None)

    def call_webhook(
        self,
        url: str,
        data: dict[str, JsonValue] | None = None,
        *,
        if_passed: IfPassed | None = None,
        step: str | None = None,
    ) -> Verb[Called]:
        """Post JSON to another system, signed, with a key by which a repeat is recognised.

        Returns:
            What it said. True in a condition when it was taken; a refusal (4xx) is an answer, not an error.
        """
        place = self._travel.place("call_webhook", step)

        async def act() -> Called:
            def order() -> CallWebhook:
                return CallWebhook(**self._travel.order(place), url=url, data=data or {})

            called = await _effect(self._travel, place, order, Called, f"webhook {_host(url)}")
            self._travel.passed(place, f"webhook {_host(url)}: {called.reason or called.status}")
            return called

        skipped = Called(ok=False, status=0, reason="was past this step when it was added")
        return self._travel.once(place, _CALLED, act, if_passed=if_passed, skipped=lambda: skipped)

    @overload
    def do(
        self, activity: str, payload: JsonValue = ..., *, if_passed: IfPassed | None = ..., step: str | None = ...
    ) -> Verb[None]: ...
    @overload
    def do(
        self,
        activity: str,
        payload: JsonValue = ...,
        *,
        answer: type[A],
        if_passed: IfPassed | None = ...,
        step: str | None = ...,
    ) -> Verb[A | None]: ...
    def do(
        self,
        activity: str,
        payload: JsonValue = None,
        *,
        answer: Any = None,
        if_passed: IfPassed | None = None,
        step: str | None = None,
    ) -> Verb[Any]:
        """Carry out an activity of your own. It is given an `OwnOrder`: contact, key, time and this payload.

        Args:
            activity: The name it is registered under.
            payload: JSON; ids rather than rows, it is kept in the Temporal history.
            answer: What it returns: a pydantic model or a plain type.
            if_passed: For a step added later: what it means for people who are past it.
            step: A name of its own.

        Returns:
            The answer; None where the step was skipped.
        """
        place = self._travel.place("do", step)

        async def act() -> Any:
            def order() -> OwnOrder:
                return OwnOrder(**self._travel.order(place), payload=payload)

            with self._travel.doing(place, activity):
                done = await self._travel.effect(
                    place, order, answer or type(None), activity[0].upper() + activity[1:], activity=activity
                )
            self._travel.passed(place, f"{activity} done")
            return done

        kind = kept_as(answer | None) if answer is not None else NOTHING
        return self._travel.once(place, kind, act, if_passed=if_passed, skipped=lambda: None)


def _change(
    travel: Travel,
    place: Place,
    order: Callable[[], StepOrder],
    answer: type[Any],
    what: str,
    *,
    if_passed: IfPassed | None,
) -> Verb[None]:
    async def act() -> None:
        await _effect(travel, place, order, answer, what)
        travel.passed(place, what)

    return travel.once(place, NOTHING, act, if_passed=if_passed, skipped=lambda: None)


async def _effect(travel: Travel, place: Place, order: Callable[[], StepOrder], answer: type[A], what: str) -> A:
    with travel.doing(place, what):
        return await travel.effect(place, order, answer, what[0].upper() + what[1:])


def _host(url: str) -> str:
    """Of an address, what may be read by everybody."""
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2] or "?"
