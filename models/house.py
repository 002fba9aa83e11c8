"""What the settings and the topics of a project say about writing to people."""

from __future__ import annotations

from tabiji.domain.conditions import on
from tabiji.domain.experiments import Draw
from tabiji.domain.journeys import Catalog
from tabiji.domain.sending.held_out import holdout
from tabiji.domain.sending.house import House
from tabiji.domain.topics import Topics
from tabiji.settings import Settings


def house_of(settings: Settings, topics: Topics, catalog: Catalog | None = None) -> House:
    """The rules every decision about a message is made by, in workers and in the API.

    Args:
        settings: Of this process.
        topics: Those the project has declared.
        catalog: The journeys that are loaded: their priorities count under caps.
    """
    return House(
        zone=settings.zone,
        quiet=settings.quiet,
        quiet_days=settings.quiet_weekdays,
        holidays=settings.holidays,
        country=settings.country,
        caps=settings.caps.also(topics.caps),
        priorities={spec.name: spec.priority for spec in catalog or () if spec.priority},
        mails_tests=settings.smtp_catches_all,
        topics=topics,
        replies_pause=bool(settings.reply_pause),
        holdout=_holdout(settings),
    )


def _holdout(settings: Settings) -> Draw | None:
    if not settings.holdout:
        return None
    return holdout(settings.holdout, [on(settings.holdout_goal)], within=settings.holdout_window)
