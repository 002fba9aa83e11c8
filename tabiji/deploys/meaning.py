"""Changes of meaning: the same way through a journey, but with another mail, wait, condition, weight or text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from pydantic import JsonValue

from tabiji.deploys.commands import Command
from tabiji.deploys.watching import Source, Watched
from tabiji.domain.durations import in_words

NEAR = timedelta(seconds=1)
"""Timers that differ by less are the same: the SDK rounds."""
OF_THE_RUN = frozenset(
    {"enrollment_id", "contact_id", "step", "visit", "at", "wall", "tempo", "test", "consumed", "done"}
)
"""What an order says of who, where and when: no part of its meaning."""
NOTHING = "nothing"
BY_SUMMARY = {
    "listen": "condition",
    "look_back": "condition",
    "look_up": "what it reads",
    "expose": "arms and weights",
    "appoint": "moment",
}
"""What the summary of a local activity tells, by its name."""


@dataclass(frozen=True)
class Change:
    """What one step did, and what it does here."""

    journey: str
    step: str
    what: str
    """The template, the duration, the condition …"""
    old: str
    new: str
    source: Source | None = None

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """The same change in another history, or in what was accepted."""
        return self.journey, self.step, self.what, self.old, self.new


def changes_of(journey: str, recorded: Sequence[Command], watched: Watched) -> Iterator[Change]:
    """Compare what a history holds with what the code asked for while it was replayed."""
    for then in recorded:
        now = watched.commands.get(then.key)
        if now is None:
            continue
        step = watched.steps.get(then.key) or then.step or then.words
        for what, old, new in compared(then, now):
            yield Change(journey, step, what, old, new, watched.sources.get(step))


def compared(then: Command, now: Command) -> Iterator[tuple[str, str, str]]:
    """What differs in meaning between a recorded command and the code's: what it is, old, new."""
    if then.step is not None and now.step is not None and then.step != now.step:
        yield "the step itself", f"{then.step}: {then.words}", f"{now.step}: {now.words}"
    elif then.kind == "timer":
        yield from _timers(then, now)
    elif then.local:
        # What it was told is in no history, but its summary says the essence.
        if then.summary is not None and now.summary is not None and then.summary != now.summary:
            yield BY_SUMMARY.get(then.name, "what it says"), then.summary, now.summary
    elif then.kind == "activity":
        yield from _arguments(then.arguments, now.arguments)


def _timers(then: Command, now: Command) -> Iterator[tuple[str, str, str]]:
    if then.summary and now.summary and then.summary != now.summary:
        yield "wait", then.summary, now.summary
    elif then.duration is not None and now.duration is not None and abs(then.duration - now.duration) > NEAR:
        yield "duration", in_words(then.duration), in_words(now.duration)


def _arguments(then: JsonValue, now: JsonValue, path: str = "") -> Iterator[tuple[str, str, str]]:
    if isinstance(then, dict) and isinstance(now, dict):
        for name in sorted({*then, *now} - (OF_THE_RUN if not path else set())):
            yield from _arguments(then.get(name), now.get(name), f"{path}.{name}" if path else name)
    elif then != now and (then is not None or now):
        # What was told nothing and is told nothing much now was told by code that did not know it yet.
        yield path or "argument", _shown(then), _shown(now)


def _shown(value: JsonValue) -> str:
    return NOTHING if value is None else str(cast("object", value))
