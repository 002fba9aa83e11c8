"""What of a mail is counted, and what is added to its links: as the settings and its topic say."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tabiji.channels.email.tracking import TrackedLinks
from tabiji.domain.topics import Topic
from tabiji.domain.utm import Utm
from tabiji.settings import Settings

EVERY_SITE = "*"


@dataclass(frozen=True)
class Tracking:
    """Of one house; `of` says it for one mail."""

    opens: bool = True
    clicks: bool = True
    utm: Utm | None = None

    @classmethod
    def by(cls, settings: Settings) -> Tracking:
        """As the settings say."""
        utm = None
        if settings.utm_source:
            sites = settings.utm_sites or settings.sites
            everywhere = EVERY_SITE in sites
            utm = Utm(settings.utm_source, sites=None if everywhere else frozenset(map(str.lower, sites)))
        return cls(settings.track_opens, settings.track_clicks, utm)

    def of(self, topic: Topic | None, *, campaign: str, variant: str | None = None) -> Tracking:
        """For one mail.

        Args:
            topic: Its own; what is off for the house stays off.
            campaign: The enrollment's or broadcast's name; the journey is the first part of it.
            variant: The arm of a test of its content.
        """
        opens = self.opens and (topic is None or topic.track_opens is not False)
        clicks = self.clicks and (topic is None or topic.track_clicks is not False)
        name = campaign.partition("/")[0]
        utm = replace(self.utm, campaign=name, content=variant) if self.utm is not None else None
        return Tracking(opens, clicks, utm)

    def on(self, links: TrackedLinks, html: str, message: str, *, untouched: frozenset[str]) -> str:
        """A mail's HTML with it."""
        return links.track(html, message, untouched=untouched, utm=self.utm, opens=self.opens, clicks=self.clicks)
