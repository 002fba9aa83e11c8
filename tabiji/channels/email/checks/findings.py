"""How the answer to one question is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it stands."""

    OK = "ok"
    ADVICE = "advice"
    """It works, and could be better."""
    WRONG = "wrong"
    UNKNOWN = "could not ask"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it stands, and what to do about it."""

    about: str
    state: State
    words: str
    todo: str | None = None
