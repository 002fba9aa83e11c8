"""What a verb costs in events of a Temporal history, for estimates before launch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tabiji.journey.vocabulary import VERBS, Kind

ACTIVITY: Final = 3
LOCAL_ACTIVITY: Final = 1
TIMER: Final = 2
SIGNAL: Final = 1
WORKFLOW_TASK: Final = 3

MOST_EVENTS: Final = 4_096
"""After so many Temporal asks a run to go on in a new one."""

_BY_KIND: Mapping[Kind, int] = {
    Kind.MAIL: ACTIVITY + WORKFLOW_TASK,
    Kind.WAIT: LOCAL_ACTIVITY + TIMER + SIGNAL + WORKFLOW_TASK,
    Kind.ACTION: ACTIVITY + WORKFLOW_TASK,
    Kind.READ: LOCAL_ACTIVITY,
    Kind.SPLIT: LOCAL_ACTIVITY,
    Kind.JOURNEY: ACTIVITY + WORKFLOW_TASK,
}

EVENTS: Final[Mapping[str, int]] = {verb: _BY_KIND[kind] for verb, kind in VERBS.items()} | {
    "wait": TIMER + WORKFLOW_TASK,
    "wait_until": LOCAL_ACTIVITY + TIMER + WORKFLOW_TASK,
    "now": 0,
    "sub_journey": 2 * (ACTIVITY + WORKFLOW_TASK) - 1,
    "approval": _BY_KIND[Kind.MAIL] + _BY_KIND[Kind.WAIT],
}
"""Events by verb, at most, when nothing goes wrong. Measured: `python -m bench.costs`."""
