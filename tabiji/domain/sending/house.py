"""What the house says about writing to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from zoneinfo import ZoneInfo

from tabiji.domain.caps import Caps
from tabiji.domain.experiments import Draw
from tabiji.domain.topics import Topics


@dataclass(frozen=True)
class House:
    """Settings and declarations, as far as they bear on whether a message may go out."""

    zone: ZoneInfo
    """Of contacts whose own is unknown."""
    quiet: tuple[time, time] | None = None
    quiet_days: frozenset[int] = frozenset()
    """Weekdays on which nobody is mailed; Monday is 0."""
    holidays: bool = False
    """Nobody is mailed on a public holiday of their country."""
    country: str | None = None
    """Of contacts whose own is unknown."""
    caps: Caps = field(default_factory=Caps)
    priorities: Mapping[str, int] = field(default_factory=dict[str, int])
    """Of journeys, by name; absent: 0."""
    mails_tests: bool = False
    """The relay delivers to nobody, so test enrollments may mail through it."""
    replies_pause: bool = True
    """Who has answered a mail gets no marketing until somebody has dealt with it."""
    topics: Topics = field(default_factory=Topics)
    holdout: Draw | None = None
    """Who gets no marketing at all, for comparison."""
