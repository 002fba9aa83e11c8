"""What `tabiji simulate` does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from tabiji.errors import UnknownJourney
from tabiji.journey.journey import Journey
from tabiji.simulation.behaviour import Behaviour
from tabiji.simulation.play import Progress, replay_events, simulate, stage
from tabiji.simulation.recorded import read_events
from tabiji.simulation.report import Report, report


def run(
    journeys: Sequence[type[Journey]],
    name: str,
    *,
    behaviour: Behaviour,
    events: Path | None,
    begins: datetime,
    horizon: timedelta,
    templates: Path,
    progress: Progress,
) -> Report:
    """Play one journey of a project.

    Args:
        journeys: All there are.
        name: Which.
        behaviour: Of invented people.
        events: A file of recorded ones instead.
        begins: When invented people enter. Aware.
        horizon: How long they are followed; after the last of the recorded events.
        templates: Folder of the mails' templates, to notice those that are not there.
        progress: Called with people done and all people.

    Raises:
        UnknownJourney: There is none of that name.
        ConfigurationError: The file cannot be read; names line and field.
        Mistake: The journey has a bug; names the author's line.
    """
    by_name = {journey.spec.name: journey for journey in journeys}
    if name not in by_name:
        raise UnknownJourney(name, tuple(sorted(by_name)))
    journey = by_name[name]
    told = list(read_events(events)) if events is not None else None
    with stage() as server:
        if told is not None:
            lives = asyncio.run(
                replay_events([journey], told, server, horizon=horizon, templates=templates, progress=progress)
            )
        else:
            lives = asyncio.run(
                simulate(
                    journey,
                    behaviour,
                    server,
                    begins=begins,
                    horizon=horizon,
                    templates=templates,
                    progress=progress,
                )
            )
    return report(lives, each_mail=events is not None)
