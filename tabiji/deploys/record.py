"""Keeps histories for the check of later deploys: scrubbed, and proved to go the same way as before."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from tabiji.deploys.commands import Command, in_history, text_payload
from tabiji.deploys.meaning import compared
from tabiji.deploys.replay import Replay, Replayed
from tabiji.deploys.scrub import Scrubber, opened, tested_in
from tabiji.errors import Refused
from tabiji.journey.journey import Journey

RUNNING = "running"


@dataclass(frozen=True)
class Recorded:
    """A history that may be kept."""

    journey: str
    ending: str
    """How the enrollment ended; `running` while it has not."""
    way: str
    """Stands for the steps it went through: the same for all who went the same way."""
    workflow_id: str
    history: dict[str, Any]
    scrubbed: frozenset[str] = field(default_factory=frozenset[str])
    """Properties, attributes and activities whose values were replaced."""

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{self.journey}-{self.ending}-{self.way}"


class Recorder:
    """Scrubs histories of some journeys."""

    def __init__(self, journeys: Sequence[type[Journey]], *, keep: Collection[str] = ()) -> None:
        """Load the journeys.

        Args:
            journeys: As they were when the histories were made.
            keep: Properties, attributes and own activities whose values are nobody's and stay.
        """
        self._journeys = {journey.spec.name: journey for journey in journeys}
        self._replay = Replay(journeys)
        self._keep = frozenset(keep)

    async def record(self, history: WorkflowHistory) -> Recorded:
        """Scrub one history.

        Raises:
            Refused: It was made by other code than that here, or its way depends on what would be scrubbed.
        """
        before = await self._replay.one(history)
        if before.difference is not None:
            raise Refused(
                f"the code here goes another way than {history.workflow_id}: record it with the code it ran on "
                f"(was: {before.difference.recorded}; here: {before.difference.here})."
            )
        scrubber = Scrubber(tested=self._tested(before), keep=self._keep)
        made = scrubber.scrubbed(history.to_json_dict())
        workflow_id = scrubber.without_ids(history.workflow_id)
        scrubbed = WorkflowHistory.from_json(workflow_id, made)
        after = await self._replay.one(scrubbed)
        if after.difference is not None:
            names = ", ".join(sorted(scrubber.names))
            raise Refused(
                f"{history.workflow_id} goes another way once {names} are scrubbed: the code goes by one of them "
                f"(at {after.difference.source or after.difference.step}). If its values are nobody's, "
                "name it: --keep NAME."
            )
        _told_as_here(scrubbed, history, before, after)
        return Recorded(
            journey=before.journey,
            ending=_ending(made),
            way=_way(before),
            workflow_id=workflow_id,
            history=scrubbed.to_json_dict(),
            scrubbed=frozenset(scrubber.names),
        )

    def _tested(self, replayed: Replayed) -> frozenset[tuple[str, str]]:
        """What the conditions of the journey test, those it declares and those its steps wait for."""
        spec = self._journeys[replayed.journey].spec.model_dump(mode="json", serialize_as_any=True)
        asked = [command.arguments for command in replayed.watched.commands.values()]
        return frozenset(tested_in([spec, asked]))


def _told_as_here(scrubbed: WorkflowHistory, history: WorkflowHistory, before: Replayed, after: Replayed) -> None:
    """Put what the code tells its activities, given the placeholders, in the place of what it told them then.

    Only where nothing had changed in meaning before: such a change stays to be seen.
    """
    same = {
        then.key
        for then in in_history(history.events)
        if (now := before.watched.commands.get(then.key)) is not None and not list(compared(then, now))
    }
    for then in in_history(scrubbed.events):
        now = after.watched.commands.get(then.key)
        if now is not None and then.key in same:
            _tell(next(event for event in scrubbed.events if event.event_id == then.event), now)


def _tell(event: HistoryEvent, now: Command) -> None:
    if event.HasField("activity_task_scheduled_event_attributes"):
        payloads = event.activity_task_scheduled_event_attributes.input.payloads
        if payloads and now.arguments is not None:
            payloads[0].data = text_payload(now.arguments)
    if now.summary is not None and event.user_metadata.HasField("summary"):
        event.user_metadata.summary.data = text_payload(now.summary)


def _ending(history: dict[str, Any]) -> str:
    last = history["events"][-1]
    done = last.get("workflowExecutionCompletedEventAttributes")
    if done is not None:
        outcome = opened(done["result"]["payloads"][0])
        return str(outcome["ending"])
    kind = str(last["eventType"])
    for ending in ("failed", "canceled", "terminated", "continued_as_new", "timed_out"):
        if kind == f"EVENT_TYPE_WORKFLOW_EXECUTION_{ending.upper()}":
            return ending.replace("_", "-")
    return RUNNING


def _way(replayed: Replayed) -> str:
    asked = [f"{command.name} {replayed.watched.steps.get(key)}" for key, command in replayed.watched.commands.items()]
    return hashlib.sha256("\n".join(asked).encode()).hexdigest()[:6]
