"""Plays people through a journey, one after the other, each with a clock of their own."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import JsonValue

from tabiji.domain.examples import examples_of
from tabiji.domain.orders import Outcome
from tabiji.errors import ConfigurationError
from tabiji.journey.journey import Journey
from tabiji.simulation.behaviour import Behaviour
from tabiji.simulation.plan import Plan
from tabiji.simulation.recorded import RecordedEvent
from tabiji.testing import JourneyEnvironment, Mail, Run
from tabiji.testing.memory.house import CARRIERS
from tabiji.testing.server import Server

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Life:
    """What became of one person. `outcome` is None for somebody who was still under way at the horizon."""

    contact: str
    journey: str
    entered_at: datetime
    outcome: Outcome | None
    mails: tuple[Mail, ...]
    took: timedelta
    stuck_at: str | None = None

    @property
    def path(self) -> tuple[str, ...]:
        """What happened to them, in words, in order."""
        return tuple(passed.result for passed in self.outcome.path) if self.outcome is not None else ()


@contextmanager
def stage() -> Generator[Server]:
    """A server that skips time. Nobody is mailed: what reaches people is carried out in memory."""
    server = Server(tuple(CARRIERS))
    server.start()
    try:
        yield server
    finally:
        server.stop()


async def simulate(
    journey: type[Journey],
    behaviour: Behaviour,
    server: Server,
    *,
    begins: datetime,
    horizon: timedelta,
    templates: Path | None = None,
    progress: Progress = lambda _done, _all: None,
) -> list[Life]:
    """Invented people enter one journey at the same moment of their own clocks.

    Raises:
        Mistake: The journey has a bug; names the author's line.
        ConfigurationError: Nobody can guess what the event has that lets people in.
    """
    lives: list[Life] = []
    for number in range(behaviour.people):
        environment = JourneyEnvironment(server, templates=templates)
        environment.begins(begins)
        try:
            lives.append(await _live(environment, journey, behaviour, number, horizon))
        finally:
            environment.close()
        progress(number + 1, behaviour.people)
    return lives


async def _live(
    environment: JourneyEnvironment, journey: type[Journey], behaviour: Behaviour, number: int, horizon: timedelta
) -> Life:
    plan = Plan(behaviour, number, environment.now)
    kind = plan.kind
    run = await environment.start(
        journey,
        contact=f"person-{number + 1}",
        timezone=kind.timezone,
        locale=kind.locale,
        score=kind.score,
        stage=kind.stage,
        tags=kind.tags,
        lists=kind.lists,
        segments=kind.segments,
        attributes=kind.attributes,
        event=_entry(journey, behaviour),
    )
    entered = environment.now
    stuck = await _until_over(environment, run, plan, entered + horizon)
    return Life(
        contact=run.contact,
        journey=run.journey,
        entered_at=entered,
        outcome=await run.result() if run.over else None,
        mails=tuple(environment.outbox),
        took=environment.now - entered,
        stuck_at=stuck,
    )


def _entry(journey: type[Journey], behaviour: Behaviour) -> dict[str, JsonValue]:
    """What the event has that lets them in: what the file says, else what its tests ask for."""
    found = (examples_of(trigger, behaviour.entry) for trigger in journey.spec.triggers)
    guessed = next((some[0] for some in found if some), behaviour.entry)
    if journey.spec.triggers and not any(trigger.matches(trigger.event, guessed) for trigger in journey.spec.triggers):
        asked = " or ".join(map(str, journey.spec.triggers))
        raise ConfigurationError(
            f"{journey.spec.name} is entered by {asked}: say in the behaviour file what that event has, "
            'e.g. entry = { path = "/pricing" }.'
        )
    return guessed


async def _until_over(environment: JourneyEnvironment, run: Run, plan: Plan, until: datetime) -> str | None:
    """Returns what somebody waits for who would wait for ever."""
    while not run.over:
        timer = environment.next_timer
        for mail in environment.outbox:
            plan.gets(mail)
        for wait, pattern in environment.waits(run.id):
            plan.meets(wait, pattern, environment.now, timer)
        moments = [moment for moment in (plan.next, timer) if moment is not None]
        if not moments:
            return " and ".join(run.doing)
        if min(moments) > until:
            return None
        await environment.advance(max(min(moments) - environment.now, timedelta(0)))
        while plan.next is not None and plan.next <= environment.now:
            deed = plan.pop()
            await environment.happens(deed.event, contact=run.contact, properties=deed.properties)
    return None


async def replay_events(
    journeys: Sequence[type[Journey]],
    events: Iterable[RecordedEvent],
    server: Server,
    *,
    horizon: timedelta,
    templates: Path | None = None,
    progress: Progress = lambda _done, _all: None,
) -> list[Life]:
    """What happened, played through journeys: who would have entered, and got what, when.

    Each contact's events come in the order of their times, on a clock that begins with the first.
    """
    by_contact: dict[str, list[RecordedEvent]] = {}
    for event in events:
        by_contact.setdefault(event.contact, []).append(event)
    lives: list[Life] = []
    for number, (contact, theirs) in enumerate(by_contact.items()):
        environment = JourneyEnvironment(server, templates=templates)
        environment.begins(min(one.at for one in theirs).astimezone(UTC))
        environment.loads(*journeys)
        try:
            lives += await _relive(environment, contact, sorted(theirs, key=lambda one: one.at), horizon)
        finally:
            environment.close()
        progress(number + 1, len(by_contact))
    return lives


async def _relive(
    environment: JourneyEnvironment, contact: str, events: Sequence[RecordedEvent], horizon: timedelta
) -> list[Life]:
    begun: dict[str, datetime] = {}
    ended: dict[str, datetime] = {}

    def look() -> None:
        for run in environment.runs:
            begun.setdefault(run.id, environment.now)
            if run.over:
                ended.setdefault(run.id, environment.now)

    for event in events:
        await _advance_to(environment, event.at, look)
        if event.traits:
            await environment.identify(contact, **event.traits)
        if event.event is not None:
            await environment.happens(event.event, contact=contact, properties=event.properties)
        look()
    await _advance_to(environment, environment.now + horizon, look)
    return [
        Life(
            contact=contact,
            journey=run.journey,
            entered_at=begun[run.id],
            outcome=await run.result() if run.over else None,
            mails=tuple(mail for mail in environment.outbox if mail.enrollment == run.id),
            took=ended.get(run.id, environment.now) - begun[run.id],
        )
        for run in environment.runs
    ]


async def _advance_to(environment: JourneyEnvironment, moment: datetime, look: Callable[[], None]) -> None:
    """From timer to timer, so that it is seen when a journey ended."""
    while (timer := environment.next_timer) is not None and timer < moment:
        await environment.advance(max(timer - environment.now, timedelta(0)))
        look()
    await environment.advance(max(moment - environment.now, timedelta(0)))
    look()
