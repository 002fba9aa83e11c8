"""The desk's local inbox, read as a program does."""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import dataclass

import httpx2

PIXEL = re.compile(r'<img[^>]+src="([^"]+/o/[^"]+\.gif)"')
LINK = re.compile(r'<a[^>]+href="([^"]+/c/[^"]+)"')


@dataclass(frozen=True)
class Mail:
    """A mail somebody received."""

    to: str
    subject: str
    message_id: str
    text: str
    html: str

    @property
    def public_id(self) -> str:
        """How the API calls it."""
        return self.message_id.strip("<>").partition("@")[0]

    @property
    def pixel(self) -> str | None:
        """What a mail program fetches when it shows the mail."""
        return _first(PIXEL, self.html)

    @property
    def link(self) -> str | None:
        """The first link that leads through us."""
        return _first(LINK, self.html)


class Inbox:
    """Every mail that arrived. Mails never change, so each is fetched once."""

    def __init__(self, address: str) -> None:
        self._http = httpx2.AsyncClient(base_url=address, timeout=10)
        self._known: dict[str, Mail] = {}

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.aclose()

    async def mails(self, to: str | None = None) -> list[Mail]:
        """Oldest first, repeated ones as often as they came."""
        listed = await self._http.get("/api/messages", params={"to": to} if to else {})
        listed.raise_for_status()
        return [await self._mail(one["id"]) for one in reversed(listed.json())]

    async def _mail(self, id: str) -> Mail:
        if id not in self._known:
            answer = await self._http.get(f"/api/messages/{id}")
            answer.raise_for_status()
            shown = answer.json()
            self._known[id] = Mail(
                to=shown["to"],
                subject=shown["subject"],
                message_id=str(shown["headers"].get("Message-ID", "")),
                text=shown["text"],
                html=shown["html"],
            )
        return self._known[id]


def repeats(mails: list[Mail]) -> dict[str, int]:
    """How often each Message-ID came more than once."""
    counted = Counter(mail.message_id for mail in mails)
    return {message_id: count - 1 for message_id, count in counted.items() if count > 1}


def _first(pattern: re.Pattern[str], body: str) -> str | None:
    found = pattern.search(body)
    return html.unescape(found[1]) if found else None
