"""Would this code break or change somebody's journey? Histories are replayed on it, and what it asks for is compared.

Two kinds of answers. A *difference*: the code takes another way than the history, its worker would be stuck with
this person. A *change of meaning*: the way is the same, but a mail, a duration, a condition is another, which replay
alone does not see.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cache

from temporalio.client import WorkflowHistory
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.worker import Replayer

from tabiji.deploys.commands import Command, Key, in_history
from tabiji.deploys.meaning import Change, changes_of
from tabiji.deploys.watching import Source, Watched, Watching
from tabiji.domain.orders import Carried
from tabiji.journey.journey import Journey
from tabiji.plugin import JourneyPlugin, passed_through

NOTHING_MORE = "nothing more at this point"


@dataclass(frozen=True)
class Difference:
    """The first place where the code takes another way."""

    journey: str
    step: str | None
    """The step the code comes to there; None where it comes to none."""
    source: Source | None
    recorded: str
    """What the person did there, in words."""
    here: str
    """What the code does there, in words."""


@dataclass(frozen=True)
class Replayed:
    """One history, played on the code here."""

    name: str
    journey: str
    ended: bool
    difference: Difference | None = None
    changes: tuple[Change, ...] = ()
    behind: Carried = field(default_factory=Carried)
    """What the person had been through, as the code here sees it."""
    watched: Watched = field(default_factory=Watched, repr=False, compare=False)
    """All that the code asked for."""

    def has_passed(self, step: str) -> bool:
        """Whether a step is behind this person for good."""
        return self.ended or any(kept.step == step for kept in self.behind.journal)


class Replay:
    """Plays histories on journeys."""

    def __init__(self, journeys: Sequence[type[Journey]]) -> None:
        """Load them into a sandbox, as a worker does."""
        self._known = {journey.spec.name for journey in journeys}
        self._watching = Watching(passed_through(None))
        self._replayer = Replayer(
            workflows=[],
            plugins=[JourneyPlugin(journeys=journeys)],
            workflow_runner=self._watching,
            interceptors=[self._watching],
            runtime=_quiet(),
        )

    async def all(self, histories: AsyncIterator[WorkflowHistory]) -> AsyncGenerator[Replayed]:
        """One after the other."""
        missing: list[Replayed] = []

        async def known() -> AsyncIterator[WorkflowHistory]:
            async for history in histories:
                if (name := _journey(history)) in self._known:
                    yield history
                else:
                    missing.append(_gone(history, name))

        async with self._replayer.workflow_replay_iterator(known()) as results:
            async for result in results:
                yield self._compared(result.history, result.replay_failure)
        for gone in missing:
            yield gone

    async def one(self, history: WorkflowHistory) -> Replayed:
        """A single one."""

        async def alone() -> AsyncIterator[WorkflowHistory]:
            yield history

        async with aclosing(self.all(alone())) as results:
            return await anext(results)

    def _compared(self, history: WorkflowHistory, failure: Exception | None) -> Replayed:
        watched = self._watching.runs.pop(history.run_id, Watched())
        recorded = list(in_history(history.events))
        journey = _journey(history)
        return Replayed(
            name=history.workflow_id,
            journey=journey,
            ended=bool(recorded) and recorded[-1].kind == "end",
            difference=_difference(journey, recorded, watched, failure) if failure is not None else None,
            changes=tuple(changes_of(journey, recorded, watched)) if failure is None else (),
            behind=watched.behind,
            watched=watched,
        )


@cache
def _quiet() -> Runtime:
    """What the SDK would log of a difference, we say in better words."""
    filter = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=filter)))


def _difference(journey: str, recorded: Sequence[Command], watched: Watched, failure: Exception) -> Difference:
    met: set[Key] = set()
    for then in recorded:
        now = watched.commands.get(then.key)
        if now is None or not _same_way(then, now):
            return _differs(journey, then, _next(watched, met), watched)
        met.add(now.key)
    extra = _next(watched, met)
    if extra is not None:
        return _differs(journey, None, extra, watched)
    words = watched.failure or str(failure).splitlines()[0]
    return Difference(journey, watched.latest, _at(watched, watched.latest), "went on here", words)


def _differs(journey: str, then: Command | None, now: Command | None, watched: Watched) -> Difference:
    was = NOTHING_MORE if then is None else f"{then.step}: {then.words}" if then.step else then.words
    if watched.failure:
        return Difference(journey, watched.latest, _at(watched, watched.latest), was, watched.failure)
    step = watched.steps.get(now.key) if now is not None else None
    if step not in watched.sources:
        step = watched.latest  # it came to an end, or to nothing, after this one
    return Difference(journey, step, _at(watched, step), was, now.words if now is not None else NOTHING_MORE)


def _at(watched: Watched, step: str | None) -> Source | None:
    return (watched.failed_at if watched.failure else None) or watched.sources.get(step or "")


def _same_way(then: Command, now: Command) -> bool:
    """Whether Temporal would take one for the other, and the same step asks for it."""
    if (then.name, then.local) != (now.name, now.local):
        return False
    return then.step is None or then.step == now.step


def _next(watched: Watched, met: set[Key]) -> Command | None:
    """The first thing the code asked for that has not been met in the history."""
    return next((command for key, command in watched.commands.items() if key not in met), None)


def _journey(history: WorkflowHistory) -> str:
    return history.events[0].workflow_execution_started_event_attributes.workflow_type.name


def _gone(history: WorkflowHistory, journey: str) -> Replayed:
    gone = Difference(journey, None, None, f"people are in {journey}", "there is no such journey")
    return Replayed(history.workflow_id, journey, ended=False, difference=gone)
