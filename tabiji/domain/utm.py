"""Campaign parameters (UTM) on links to sites of our own, so that their statistics know where people come from.

Utm(source="tabiji", campaign="trial-nurture").on("https://www.example.com/offer#top")
-> https://www.example.com/offer?utm_source=tabiji&utm_medium=email&utm_campaign=trial-nurture#top
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote_plus, urlsplit


@dataclass(frozen=True, slots=True)
class Utm:
    """What is added.

    Attributes:
        campaign: The journey's or broadcast's name.
        content: The variant, where the content is tested.
        sites: Hosts, or host:port, whose links get it. None: every one.
    """

    source: str
    medium: str = "email"
    campaign: str | None = None
    content: str | None = None
    sites: frozenset[str] | None = None

    def on(self, url: str) -> str:
        """A link with what it does not say itself. Nothing an author has written is changed."""
        parts = urlsplit(url)
        if self.sites is not None and not {(parts.hostname or "").lower(), parts.netloc.lower()} & self.sites:
            return url
        said = {unquote_plus(one.partition("=")[0]).lower() for one in parts.query.split("&")}
        ours = {
            "utm_source": self.source,
            "utm_medium": self.medium,
            "utm_campaign": self.campaign,
            "utm_content": self.content,
        }
        added = "&".join(
            f"{name}={quote(value, safe='')}" for name, value in ours.items() if value and name not in said
        )
        if not added:
            return url
        page, hash_, place = url.partition("#")
        # An empty query, or one that ends in an ampersand, is as its author left it.
        joint = "" if page.endswith(("?", "&")) else "&" if "?" in page else "?"
        return f"{page}{joint}{added}{hash_}{place}"
