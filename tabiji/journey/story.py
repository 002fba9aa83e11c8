"""The story a person in operations reads in the Temporal UI: what a journey waits for and what happened so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from tabiji.domain.orders import Passed

SHOWN = 40
"""Steps shown; the rest is in the contact's timeline."""


def story(title: str, now: Iterable[str], path: Sequence[Passed], ending: str | None = None) -> str:
    """Markdown for the workflow's current details."""
    parts = [f"**{title}**"]
    if ending is not None:
        parts.append(f"**Ended:** {ending}")
    else:
        parts += [f"**Now:** {doing}" for doing in now] or ["**Now:** working"]
    if path:
        steps = [f"- {instant(passed.at)} {passed.result}" for passed in path[-SHOWN:]]
        if len(path) > SHOWN:
            steps.insert(0, f"- … {len(path) - SHOWN} earlier steps")
        parts += ["**So far:**", "\n".join(steps)]
    # The UI takes hyphens for a list only where an empty line comes before them.
    return "\n\n".join(parts)


def instant(at: datetime) -> str:
    """A point in time for a reader, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
