"""Enters a contact into a journey. Re-entry is decided here alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tabiji.domain.conditions import Condition
from tabiji.domain.journeys import JourneySpec
from tabiji.domain.orders import EXIT_STEP, GOAL_STEP, Entered, Happened
from tabiji.testing.memory.state import Enrollment, Listener, Pending, State


@dataclass(frozen=True)
class Entry:
    """Who enters, why and when.

    `cause` makes an entry count once; `parent` waits for its end; what happened after `entry_seq` counts.
    """

    contact: str
    entered_at: datetime
    entered_wall: datetime
    trigger: Happened | None = None
    cause: str | None = None
    parent: str | None = None
    entry_seq: int | None = None
    entry_key: str = ""


def enroll(state: State, spec: JourneySpec, entry: Entry) -> Entered:
    """Keep the enrollment, its goals and exits, and the start that must reach Temporal."""
    if entry.cause is not None:
        for known in state.enrollments.values():
            if known.cause == entry.cause:
                return Entered(enrollment_id=known.id)
    earlier = [e for e in state.enrollments.values() if (e.contact, e.journey) == (entry.contact, spec.name)]
    if (refusal := _refusal(spec, entry, earlier)) is not None:
        return Entered(refused=refusal)
    n = len(earlier) + 1
    trigger_seq = entry.trigger.seq if entry.trigger else None
    enrollment = Enrollment(
        id=f"{spec.name}/{entry.contact}/{n}",
        journey=spec.name,
        contact=entry.contact,
        n=n,
        entry_key=entry.entry_key,
        entry_seq=entry.entry_seq or trigger_seq or state.last_seq(entry.contact),
        cause=entry.cause,
        parent=entry.parent,
        trigger=entry.trigger,
        entered_at=entry.entered_at,
        entered_wall=entry.entered_wall,
    )
    state.enrollments[enrollment.id] = enrollment
    listen_for_ends(state, enrollment, spec.goals, spec.exits)
    state.outbox.append(Pending("start", enrollment.id))
    return Entered(enrollment_id=enrollment.id)


def listen_for_ends(
    state: State, enrollment: Enrollment, goals: tuple[Condition, ...], exits: tuple[Condition, ...]
) -> None:
    """Goals and exits listen from the first moment to the last."""
    for step, ends in ((GOAL_STEP, goals), (EXIT_STEP, exits)):
        for place, end in enumerate(ends):
            state.listeners[enrollment.id, step, place] = Listener(
                enrollment.id, enrollment.contact, step, place, end, since=enrollment.entry_seq
            )


def _refusal(spec: JourneySpec, entry: Entry, earlier: list[Enrollment]) -> str | None:
    same = [enrollment for enrollment in earlier if enrollment.entry_key == entry.entry_key]
    if any(enrollment.state == "running" for enrollment in same):
        return "already in it"
    last = max((enrollment.entered_at for enrollment in same), default=None)
    if not spec.reentry.allows(last_entered=last, now=entry.entered_at):
        return "has been in it before" if spec.reentry.rule == "never" else "was in it too recently"
    running = sum(enrollment.state == "running" for enrollment in earlier)
    if spec.reentry.at_once is not None and running >= spec.reentry.at_once:
        return "is in it as often as may be at once"
    return None
