"""What a test of journeys plays with: a real Temporal server that skips time, and a house in memory around it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from pydantic import JsonValue
from temporalio.client import WorkflowHistory

from tabiji.domain.calendar import DAYS
from tabiji.domain.caps import Caps
from tabiji.domain.changes import Called
from tabiji.domain.consents import Decision
from tabiji.domain.holidays import is_country
from tabiji.domain.orders import Control, Outcome, Passed, SendOutcome
from tabiji.domain.params import Param
from tabiji.domain.topics import EVERYTHING
from tabiji.errors import ConfigurationError, JourneyDefinitionError
from tabiji.journey.discovery import discover, discover_topics
from tabiji.journey.journey import Journey
from tabiji.testing.findings import Findings
from tabiji.testing.memory.house import House
from tabiji.testing.memory.outside import Question, Task, Webhook
from tabiji.testing.memory.recording import Deed
from tabiji.testing.memory.state import Person
from tabiji.testing.mistakes import Mistake
from tabiji.testing.people import Persona, of_the_trigger
from tabiji.testing.rehearsal import HouseClock, Rehearsal
from tabiji.testing.run import Run
from tabiji.testing.server import Server
from tabiji.testing.templates import Templates

__tracebackhide__ = True

T = TypeVar("T")
P = TypeVar("P", bound=timedelta | int | float | Decimal | str)

BEGINS = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""When the time of a test begins, where it does not say: a Monday morning."""


class JourneyEnvironment(Findings):
    """The fixture `journeys`.

        run = await journeys.start(TrialNurture, contact="c1")
        await run.advance(days(2))
        assert journeys.outbox == ["trial/welcome"]

    People are known by ids of your choice. Whoever is not described is somebody with an address who has agreed to
    everything. Every `await` returns when nothing is under way any more.
    """

    def __init__(self, server: Server, *, templates: Path | None = None) -> None:
        self._server = server
        self._templates = Templates(templates)
        self._numbers = count(1)
        self._begin(BEGINS)

    # Before it begins

    def begins(self, at: datetime) -> None:
        """Say when the time of this test begins. Aware; before anything has happened."""
        if self._rehearsal.house.state.events or self._rehearsal.house.state.enrollments:
            raise Mistake("begins(…) comes before anything has happened.")
        self._begin(at.astimezone(UTC))

    def loads(self, *journeys: type[Journey]) -> None:
        """Say which journeys play in this test; with those they lead to. `start` does it for the one it starts.

        A test that names none and sends an event has all of `workflows/`.
        """
        self._house.recording.catalog = self._rehearsal.cast.add(journeys)

    def quiet_hours(self, start: time, end: time) -> None:
        """Nobody is mailed between these times of day, on their own clock."""
        self._rules(quiet=(start, end))

    def quiet_days(self, *days: str) -> None:
        """Nobody is mailed on these days of the week: ``journeys.quiet_days("saturday", "sunday")``."""
        wrong = [day for day in days if day not in DAYS]
        if wrong:
            raise Mistake(f"{wrong[0]!r} is no day of the week, e.g. journeys.quiet_days('saturday', 'sunday').")
        self._rules(quiet_days=frozenset(map(DAYS.index, days)))

    def holidays(self, country: str | None = None) -> None:
        """Nobody is mailed on a public holiday of their country: their attribute `country`, else the region of their
        locale, else this one.
        """
        if country is not None and not is_country(country):
            raise Mistake(f"{country!r} is no country whose holidays are known, e.g. JP or US-CA.")
        self._rules(holidays=True, country=country)

    def caps(self, caps: str) -> None:
        """So many mails a person gets at most: ``journeys.caps("2 per 1d, 6 per 7d; newsletter: 1 per 7d")``."""
        try:
            self._rules(caps=Caps.parse(caps))
        except ValueError as problem:
            raise Mistake(f"{problem}.") from None

    def replace(self, activity: str, function: Callable[..., Any]) -> None:
        """Say who plays an own activity: a plain function, which is given what the journey gives.

        Annotate its first parameter with `OwnOrder` to be told who and when, too.
        """
        self._rehearsal.own_activities.played_by[activity] = function

    def force(self, experiment: str, arm: StrEnum | str) -> None:
        """Put everybody into this arm of an experiment: of a `split`, or of a test of a mail's content."""
        self._house.state.arms.forced[experiment] = str(arm)

    def sets(self, param: Param[P], value: P) -> None:
        """Turn a parameter, as marketers do.

        Raises:
            InvalidParam: It may not have this value.
        """
        kept = param.dump(value)
        param.parse(kept)
        self._house.outside.params[param.name] = kept

    def webhooks_answer(self, answer: Callable[[Webhook], Called]) -> None:
        """Say what outside systems answer. Without it they take everything."""
        self._house.outside.webhook_answers = answer

    def comes_back(self, template: str, reason: str = "550 no such user") -> None:
        """The next mail made from this template is refused by the relay."""
        failed = SendOutcome(state="failed", reason=reason)
        self._house.sending.answers.setdefault(template, []).append(failed)

    def person(
        self,
        contact: str = "c1",
        *,
        email: str | None = "",
        consent: bool | Mapping[str, bool] = True,
        timezone: str | None = None,
        locale: str | None = None,
        attributes: Mapping[str, JsonValue] | None = None,
        tags: tuple[str, ...] = (),
        lists: tuple[str, ...] = (),
        segments: tuple[str, ...] = (),
        score: int = 0,
        stage: str | None = None,
    ) -> Person:
        """Describe somebody before they do anything.

        Args:
            contact: Their id.
            email: None: they have no address.
            consent: To everything, to nothing, or by topic.
            timezone: IANA name, e.g. ``Asia/Tokyo``. UTC where it is not known.
            locale: A language tag.
            attributes: What is known of them.
            tags: Theirs.
            lists: They are on.
            segments: They are in. Segments are not computed here.
            score: Their points.
            stage: Of their life.
        """
        persona = Persona(email, consent, timezone, locale, attributes or {}, tags, lists, segments, score, stage)
        self._house.state.people[contact] = made = persona.person(contact)
        return made

    # What happens

    async def start(
        self,
        journey: type[Journey],
        *,
        contact: str = "c1",
        event: Mapping[str, JsonValue] | None = None,
        **person: Any,
    ) -> Run:
        """Have somebody enter a journey, by its first trigger that is an event, or by hand where it has none.

        Args:
            journey: Which.
            contact: Who. Described by the other arguments as in `person`.
            event: Properties of the event that enters them. What the trigger asks for is added.
            **person: See `person`.
        """
        self.loads(journey)
        self._present(contact, person)
        if not journey.spec.triggers:
            return await self._enter_by_hand(journey, contact)
        trigger, properties = of_the_trigger(journey.spec, event)
        runs = await self.happens(trigger.event, contact=contact, properties=properties)
        begun = [run for run in runs if run.journey == journey.spec.name]
        if not begun:
            raise Mistake(
                f"{contact} did not enter {journey.spec.name}: its rule for entering again says no "
                f"({journey.spec.reentry})."
            )
        return begun[0]

    async def happens(
        self,
        event: str,
        /,
        *,
        contact: str = "c1",
        properties: Mapping[str, JsonValue] | None = None,
        **more: JsonValue,
    ) -> tuple[Run, ...]:
        """Somebody acts. Returns the runs this began; what waits for it has been told."""
        return await self._record(contact, event, {**(properties or {}), **more})

    async def identify(self, contact: str = "c1", **traits: JsonValue) -> tuple[Run, ...]:
        """Somebody says who they are, or their attributes change somewhere else."""
        return await self._record(contact, "Identified", {}, kind="identify", traits=traits)

    async def unsubscribes(self, contact: str = "c1", topic: str = "marketing") -> tuple[Run, ...]:
        """Somebody wants no more mails about this."""
        return await self._decide(contact, "Unsubscribed", Decision(topic, given=False))

    async def asks(self, contact: str = "c1", topic: str = "marketing") -> tuple[Run, ...]:
        """Somebody types their address into a form and ticks a topic; where that must be confirmed it is asked for."""
        if self._house.sending.rules.topics.must_confirm(topic):
            return await self._decide(contact, "Consent Requested", Decision(topic, given=True, confirmed=False))
        return await self.confirms(contact, topic)

    async def confirms(self, contact: str = "c1", topic: str = "marketing") -> tuple[Run, ...]:
        """Somebody agrees for certain: by the link in a confirmation mail, or on their preference page."""
        return await self._decide(contact, "Consent Given", Decision(topic, given=True))

    async def withdraws(self, contact: str = "c1", topic: str | None = None) -> tuple[Run, ...]:
        """Somebody takes their consent to a topic back and a person notes it; to everything, where none is named."""
        return await self._decide(contact, "Consent Withdrawn", Decision(topic or EVERYTHING, given=False))

    async def advance(self, span: timedelta) -> None:
        """Time passes, for everybody."""
        await self._server.loop.run(self._rehearsal.advance(span))

    async def approves(self, question: Question | None = None, *, by: str = "ann", note: str | None = None) -> None:
        """Somebody in the team says yes: to the latest question, where none is named."""
        await self._answers(question, approved=True, by=by, note=note)

    async def declines(self, question: Question | None = None, *, by: str = "ann", note: str | None = None) -> None:
        """Somebody in the team says no."""
        await self._answers(question, approved=False, by=by, note=note)

    async def completes(self, task: Task | None = None, *, by: str = "ann") -> None:
        """Somebody has done a task: the latest one, where none is named."""
        found = task or _latest(self.tasks, "task has been given to anybody")
        self._house.outside.done(found, by=by, at=self.now)
        await self._server.loop.run(self._rehearsal.settle())

    # What has come of it

    @property
    def runs(self) -> list[Run]:
        """Everybody's ways through every journey, in the order they began."""
        return [self._run(one.id) for one in self._house.state.enrollments.values()]

    def run(self, journey: type[Journey], contact: str = "c1") -> Run:
        """The latest way of somebody through a journey, such as one that another journey began."""
        found = [run for run in self.runs if (run.journey, run.contact) == (journey.spec.name, contact)]
        return _latest(found, f"enrollment of {contact} in {journey.spec.name}")

    # For runs

    def way(self, id: str) -> tuple[Passed, ...]:
        """See `Run.way`."""
        return self._rehearsal.watch.path(self._rehearsal.workflow_id(id))

    def doing(self, id: str) -> list[str]:
        """See `Run.doing`."""
        return self._rehearsal.watch.doing(self._rehearsal.workflow_id(id))

    def is_over(self, id: str) -> bool:
        """See `Run.over`."""
        return self._rehearsal.is_over(id)

    async def result(self, id: str) -> Outcome:
        """See `Run.result`."""
        return await self._server.loop.run(self._rehearsal.until_over(id))

    async def history(self, id: str) -> WorkflowHistory:
        """See `Run.history`."""
        return await self._server.loop.run(self._rehearsal.history(id))

    async def cancel(self, id: str) -> Outcome:
        """See `Run.cancel`."""
        await self._server.loop.run(self._rehearsal.cancel(id))
        return self._rehearsal.outcomes[id]

    async def control(self, id: str, control: Control, **properties: JsonValue) -> None:
        """See `Run.skip`."""
        self._house.control(id, control, **properties)
        await self._server.loop.run(self._rehearsal.settle())

    async def pause(self, id: str) -> None:
        """See `Run.pause`."""
        self._house.pause(id)

    async def resume(self, id: str) -> None:
        """See `Run.resume`."""
        self._house.resume(id)
        await self._server.loop.run(self._rehearsal.settle())

    # The end

    def close(self) -> None:
        """End the test's time. Raises what went wrong since the last call."""
        try:
            self._server.loop.wait(self._rehearsal.close())
        finally:
            self._server.carrier = None

    # Inside

    def _begin(self, at: datetime) -> None:
        wall = self._server.loop.wait(self._server.temporal.get_current_time())
        clock = HouseClock(at, wall)
        house = House(clock, topics=discover_topics())
        self._rehearsal = self._server.carrier = Rehearsal(self._server, house, clock, self._templates)

    def _present(self, contact: str, person: Mapping[str, Any]) -> None:
        if person or contact not in self._house.state.people:
            self.person(contact, **person)

    async def _enter_by_hand(self, journey: type[Journey], contact: str) -> Run:
        entered = self._house.recording.enroll(journey.spec.name, contact)
        if entered.enrollment_id is None:
            raise Mistake(f"{contact} did not enter {journey.spec.name}: {entered.refused}.")
        await self._server.loop.run(self._rehearsal.settle())
        return self._run(entered.enrollment_id)

    async def _record(
        self,
        contact: str,
        name: str,
        properties: Mapping[str, JsonValue],
        *,
        kind: str = "track",
        traits: Mapping[str, JsonValue] | None = None,
        decisions: tuple[Decision, ...] = (),
    ) -> tuple[Run, ...]:
        if not self._rehearsal.cast:
            self._load_the_project(name)
        self._present(contact, {})
        deed = Deed(
            contact,
            name,
            f"test-{next(self._numbers)}",
            self._rehearsal.clock.now(),
            kind=kind,
            properties=dict(properties),
            traits=dict(traits or {}),
            decisions=decisions,
        )
        before = set(self._house.state.enrollments)
        await self._server.loop.run(self._rehearsal.record([deed]))
        return tuple(run for run in self.runs if run.id not in before)

    async def _decide(self, contact: str, name: str, decision: Decision) -> tuple[Run, ...]:
        return await self._record(contact, name, {"topic": decision.topic}, kind="mail", decisions=(decision,))

    def _load_the_project(self, event: str) -> None:
        try:
            self.loads(*discover())
        except (ConfigurationError, JourneyDefinitionError, ImportError) as error:
            raise Mistake(
                f"nobody can say which journeys {event!r} concerns: there is no workflows/ to load here ({error}). "
                "Name them first: journeys.loads(…)."
            ) from None

    async def _answers(self, question: Question | None, *, approved: bool, by: str, note: str | None) -> None:
        found = question or _latest(self.questions, "question has been asked")
        self._house.outside.answered(found, approved=approved, by=by, note=note, at=self.now)
        await self._server.loop.run(self._rehearsal.settle())

    def _rules(self, **changed: Any) -> None:
        self._house.sending.rules = dataclasses.replace(self._house.sending.rules, **changed)

    def _run(self, id: str) -> Run:
        return Run(self, id, self._house.state.enrollments[id].contact)


def _latest(things: Sequence[T], what: str) -> T:
    if not things:
        raise Mistake(f"no {what} yet.")
    return things[-1]
