"""What the house says about writing to people."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from zoneinfo import ZoneInfo

from tabiji.domain.topics import Topics


@dataclass(frozen=True)
class House:
    """Settings and declarations, as far as they bear on whether a message may go out."""

    zone: ZoneInfo
    """Of contacts whose own is unknown."""
    quiet: tuple[time, time] | None = None
    mails_tests: bool = False
    """The relay delivers to nobody, so test enrollments may mail through it."""
    replies_pause: bool = True
    """Who has answered a mail gets no marketing until somebody has dealt with it."""
    topics: Topics = field(default_factory=Topics)
