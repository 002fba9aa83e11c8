"""What several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tabiji.settings import Settings


def asked_of(path: str) -> Any:
    """What the API says, or None where there is none to ask."""
    from tabiji.desk.look import Api
    from tabiji.errors import TabijiError

    try:
        with Api(settings()) as asked:
            return asked.get(path)
    except TabijiError:
        return None


def settings(process: str | None = None) -> Settings:
    """Read the settings, and set logging up for a process that logs."""
    from tabiji import log
    from tabiji.settings import load

    loaded = load()
    if process:
        log.configure(loaded.log_level, process=process)
    return loaded


def at_temporal() -> Settings:
    """Settings for a command that speaks to Temporal itself: at a desk its address follows from the port."""
    loaded = settings()
    if loaded.environment != "desk":
        return loaded
    from tabiji.desk.plan import Plan

    return Plan.make(loaded).settings
