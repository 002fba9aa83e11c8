"""Crash points: named places where a process can be made to die, for tests that count what was lost.

    crash.point("message.claimed")            in the code: does nothing
    TABIJI_CRASH_AT=message.claimed python worker.py      dies there with -9, the first time it comes by
    TABIJI_CRASH_AT=message.claimed:3,record.committed …  the third time; or at the other

Nothing is flushed, closed or said: as when the machine goes dark. Refused in production.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

from tabiji.errors import ConfigurationError

_armed: dict[str, int] = {}
_passed: Counter[str] = Counter()


def arm(where: str | None) -> None:
    """Choose where to die, from ``name`` or ``name:times``, several with commas; None: nowhere.

    Raises:
        ConfigurationError: It cannot be read.
    """
    _armed.clear()
    _passed.clear()
    for one in filter(None, (part.strip() for part in (where or "").split(","))):
        name, _, times = one.partition(":")
        if not (times or "1").isdecimal():
            raise ConfigurationError(f"TABIJI_CRASH_AT: {one!r} is not of the form name or name:times.")
        _armed[name] = int(times or "1")


def point(name: str) -> None:
    """Die here, if that was chosen."""
    if name not in _armed:
        return
    _passed[name] += 1
    if _passed[name] == _armed[name]:
        os.kill(os.getpid(), signal.SIGKILL)
