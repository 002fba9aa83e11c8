"""Where ingestion takes journey time from. Given at composition, so that rehearsals and tests can move it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells two times: the wall's, and journey time at the entrance."""

    def wall(self) -> datetime:
        """The clock the workflows' own clocks run by."""
        ...

    def now(self) -> datetime:
        """Journey time of what happens now."""
        ...


class SystemClock:
    """The machine's clock; journey time may be shifted against it for rehearsals."""

    def __init__(self, shift: timedelta = timedelta(0)) -> None:
        self._shift = shift

    def wall(self) -> datetime:
        """See `Clock`."""
        return datetime.now(UTC)

    def now(self) -> datetime:
        """See `Clock`."""
        return datetime.now(UTC) + self._shift
