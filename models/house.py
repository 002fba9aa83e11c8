"""What the settings and the topics of a project say about writing to people."""

from __future__ import annotations

from tabiji.domain.sending.house import House
from tabiji.domain.topics import Topics
from tabiji.settings import Settings


def house_of(settings: Settings, topics: Topics) -> House:
    """The rules every decision about a message is made by, in workers and in the API."""
    return House(
        zone=settings.zone,
        quiet=settings.quiet,
        mails_tests=settings.smtp_catches_all,
        topics=topics,
        replies_pause=bool(settings.reply_pause),
    )
