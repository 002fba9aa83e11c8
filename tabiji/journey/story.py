"""The story a person in operations reads in the Temporal UI: what a journey waits for and what happened so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from tabiji.domain.orders import Passed

SHOWN = 40
"""Steps shown; the rest is in the contact's timeline."""


def story(title: str, now: Iterable[str], path: Sequence[Passed], ending: str | None = None) -> str:
    """Markdown for the workflow's current details."""
    lines = [f"**{title}**", ""]
    if ending is not None:
        lines.append(f"**Ended:** {ending}")
    else:
        # A list needs an empty line before it, or the UI shows its hyphens.
        lines += ["**Now:**", "", *([f"- {doing}" for doing in now] or ["- working"])]
    if path:
        lines += ["", "**So far:**", ""]
        if len(path) > SHOWN:
            lines.append(f"- … {len(path) - SHOWN} earlier steps")
        lines += [f"- {instant(passed.at)} {passed.result}" for passed in path[-SHOWN:]]
    return "\n".join(lines)


def instant(at: datetime) -> str:
    """A point in time for a reader, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
