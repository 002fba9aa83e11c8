"""The class authors subclass, and the verbs they write with.

    @journey(trigger=on("Trial Started"), goal=on("Order Completed"))
    class TrialNurture(Journey):
        async def steps(self) -> None:
            await self.send_email("trial/welcome")
            if await self.wait_for(on("Feature Used"), timeout=days(3)):
                await self.send_email("trial/tips")

It is a Temporal workflow class: signals, queries, updates and `workflow.*` may be added. Take the time from
`self.now()`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from tabiji.domain.conditions import Condition
from tabiji.domain.durations import in_words
from tabiji.domain.journeys import JourneySpec
from tabiji.domain.orders import (
    DOING,
    SIGNAL,
    AdjustScore,
    Done,
    EnrollmentInput,
    Enter,
    Entered,
    Happened,
    NotifySales,
    Outcome,
    Score,
    SendEmail,
    SendOutcome,
    TagContact,
)
from tabiji.errors import JourneyDefinitionError
from tabiji.journey.story import instant
from tabiji.journey.travel import Place, Travel


class Journey:
    """One contact's way through one journey."""

    spec: ClassVar[JourneySpec]

    def __init__(self) -> None:
        self._travel = Travel(self.spec)

    async def steps(self) -> None:
        """The journey itself. Written by the author."""
        raise JourneyDefinitionError(f"journey {type(self).__name__} needs `async def steps(self) -> None`.")

    # What authors read

    @property
    def contact(self) -> str:
        """Id of the contact who travels."""
        return self._travel.enrollment.contact_id

    @property
    def trigger(self) -> Happened | None:
        """The event that started the journey, with the properties its trigger takes."""
        return self._travel.enrollment.trigger

    def now(self) -> datetime:
        """Journey time: the clock every wait and every order goes by. Aware, UTC."""
        return self._travel.now()

    # Verbs. Plain functions that return coroutines, so that the caller's place is known before gather()
    # or create_task() hides it.

    def send_email(
        self,
        template: str,
        *,
        topic: str = "marketing",
        delivery: Literal["at_least_once", "at_most_once"] = "at_least_once",
        step: str | None = None,
    ) -> Coroutine[Any, Any, SendOutcome]:
        """Send a template to the contact, once.

        Args:
            template: A file below templates/email, without its ending.
            topic: What the contact must have agreed to hear about.
            delivery: What to do when a worker dies between the relay's yes and our note of it:
                repeat under the same Message-ID, or rather not.
            step: A name of its own, where the template is computed or used twice in a function.

        Returns:
            Its fate. True in a condition when it went out.
        """
        return self._send_email(self._travel.place("send_email", step), template, topic, delivery)

    def wait(
        self,
        duration: timedelta | None = None,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        step: str | None = None,
    ) -> Coroutine[Any, Any, None]:
        """Do nothing for a while. The wait survives restarts, deploys and holidays."""
        span = (duration or timedelta(0)) + timedelta(days=days, hours=hours, minutes=minutes)
        return self._wait(self._travel.place("wait", step), span)

    def wait_for(
        self, condition: Condition, *, timeout: timedelta, step: str | None = None
    ) -> Coroutine[Any, Any, Happened | None]:
        """Wait until the person acts, or the timeout passes.

        What they did since they entered the journey counts, unless an earlier wait has taken it.

        Returns:
            The event, or None when the time was up.
        """
        return self._wait_for(self._travel.place("wait_for", step), condition, timeout)

    def adjust_score(self, points: int, *, reason: str, step: str | None = None) -> Coroutine[Any, Any, int]:
        """Add points to the contact's score, or subtract them. Returns the new score."""
        return self._adjust_score(self._travel.place("adjust_score", step), points, reason)

    def notify_sales(self, reason: str, *, step: str | None = None) -> Coroutine[Any, Any, SendOutcome]:
        """Tell sales about this contact: who, why, and what they did lately."""
        return self._notify_sales(self._travel.place("notify_sales", step), reason)

    def tag(self, tag: str, *, step: str | None = None) -> Coroutine[Any, Any, None]:
        """Put a tag on the contact."""
        return self._tag(self._travel.place("tag", step), tag)

    def enter(self, journey: type[Journey], *, step: str | None = None) -> Coroutine[Any, Any, Entered]:
        """Enter the contact into another journey and go on. Its re-entry rule decides whether they get in."""
        return self._enter(self._travel.place("enter", step), journey)

    # Temporal's side

    @workflow.signal(
        name=SIGNAL,
        description='An event of this contact. By hand, {"event": "Demo Attended"} counts for what is waited for now.',
    )
    def happened(self, event: Happened) -> None:
        """Take an event the outbox or a person at the Temporal UI sends. See `Travel.happened`."""
        self._travel.happened(event)

    @workflow.query(name=DOING, description="What goes on at this moment, in words")
    def doing(self) -> list[str]:
        """What the story says under "Now"."""
        return self._travel.goings_on

    async def travel(self, enrollment: EnrollmentInput) -> Outcome:
        """Run the steps to their end. Called by the `run` that `@journey` adds."""
        return await self._travel.run(enrollment, self.steps())

    # What the verbs do

    async def _send_email(
        self, place: Place, template: str, topic: str, delivery: Literal["at_least_once", "at_most_once"]
    ) -> SendOutcome:
        def order() -> SendEmail:
            return SendEmail(**self._travel.order(place), template=template, topic=topic, delivery=delivery)

        return await self._send(place, order, f"mail {template}")

    async def _notify_sales(self, place: Place, reason: str) -> SendOutcome:
        def order() -> NotifySales:
            return NotifySales(**self._travel.order(place), reason=reason)

        return await self._send(place, order, f"tell sales: {reason}")

    async def _send(self, place: Place, order: Callable[[], SendEmail | NotifySales], what: str) -> SendOutcome:
        while True:
            asked = order()
            with self._travel.doing(place, what):
                sent = await self._travel.effect(asked, SendOutcome, what[0].upper() + what[1:])
            # The ledger bounds this: it drops, with a reason, what it has deferred too often.
            if sent.state != "deferred" or sent.until is None:
                break
            # Against the time it was asked for, not against now: after an outage, or at a rehearsal's tempo, the
            # morning may have come before the answer.
            if sent.until <= asked.at:
                raise ApplicationError(
                    f"{what} was deferred to {instant(sent.until)}, which had passed", type="deferred_to_the_past"
                )
            later = f"not before {instant(sent.until)}"
            with self._travel.doing(place, f"{what}, {later} ({sent.reason})"):
                await self._travel.sleep_until(sent.until, f"{what}: {sent.reason}, {later}")
        self._travel.passed(place, f"{what}: {sent.state}{f' ({sent.reason})' if sent.reason else ''}")
        return sent

    async def _wait(self, place: Place, span: timedelta) -> None:
        if span <= timedelta(0):
            raise JourneyDefinitionError(f"step {place.step!r} waits for {span}. Say wait(days=2).")
        deadline = self.now() + span
        with self._travel.doing(place, f"waiting {in_words(span)}, until {instant(deadline)}"):
            await self._travel.sleep_until(deadline, f"Wait {in_words(span)}")
        self._travel.passed(place, f"waited {in_words(span)}")

    async def _wait_for(self, place: Place, condition: Condition, patience: timedelta) -> Happened | None:
        if patience <= timedelta(0):
            raise JourneyDefinitionError(f"step {place.step!r} has a timeout of {patience}. Say timeout=days(7).")
        deadline = self.now() + patience
        with self._travel.doing(place, f"waiting for {condition}, until {instant(deadline)}"):
            event = await self._travel.first(place, condition, patience)
        self._travel.passed(place, f"{condition} happened" if event else f"no {condition} within {in_words(patience)}")
        return event

    async def _adjust_score(self, place: Place, points: int, reason: str) -> int:
        with self._travel.doing(place, f"score {points:+d}: {reason}"):
            order = AdjustScore(**self._travel.order(place), points=points, reason=reason)
            score = await self._travel.effect(order, Score, f"Score {points:+d}: {reason}")
        self._travel.passed(place, f"score {points:+d} to {score.total}: {reason}")
        return score.total

    async def _tag(self, place: Place, tag: str) -> None:
        with self._travel.doing(place, f"tag {tag}"):
            await self._travel.effect(TagContact(**self._travel.order(place), tag=tag), Done, f"Tag {tag}")
        self._travel.passed(place, f"tagged {tag}")

    async def _enter(self, place: Place, journey: type[Journey]) -> Entered:
        name = journey.spec.name
        with self._travel.doing(place, f"enter {name}"):
            order = Enter(**self._travel.order(place), journey=name, wall=workflow.now())
            entered = await self._travel.effect(order, Entered, f"Enter {name}")
        self._travel.passed(place, f"entered {name}" if entered else f"did not enter {name}: {entered.refused}")
        return entered
