"""Signed links in mails: open pixel, click, unsubscribe, approval.

A token carries all its link needs to know, signed with the secret and a salt of its own kind: a click
cannot be bent to another target, nor a pixel's token used to unsubscribe somebody. Tokens do not expire;
mails are read years later. Only a visit's does, which says to a site of ours by which mail somebody came.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from tabiji.channels.email.consent_links import ConsentLinks
from tabiji.channels.email.signing import loaded, signer, text
from tabiji.channels.email.tracking import Clicked, Opened, TrackedLinks, is_web_address

__all__ = ["VISIT", "VISIT_COUNTS_FOR", "Clicked", "Links", "Opened", "is_web_address"]

VISIT = "tbj"
"""The parameter a visit's token stands in. The script of our pages takes it out of the address bar."""
VISIT_COUNTS_FOR = timedelta(minutes=5)
"""From the click to the page's first word to us."""


class Links(ConsentLinks, TrackedLinks):
    """Makes and reads the links of mails: those that count in `tracking`, those by which people decide in
    `consent_links`.
    """

    def __init__(self, secret: str, public_url: str) -> None:
        ConsentLinks.__init__(self, secret, public_url)
        TrackedLinks.__init__(self, secret, public_url)
        self._public_url = public_url.rstrip("/")
        self._approval, self._visit = (signer(secret, kind) for kind in ("approval", "visit"))

    def visit(self, message: str, url: str, *, at: datetime) -> str:
        """The address of a page, told by which mail somebody comes. For sites of ours alone: it says who they are.

        Args:
            message: The message's public id.
            url: Where the link leads.
            at: When it was clicked, by the wall's clock.
        """
        token = text(self._visit.dumps([message, int(at.timestamp())]))
        page, hash_, place = url.partition("#")
        return f"{page}{'&' if '?' in page else '?'}{VISIT}={token}{hash_}{place}"

    def read_visit(self, token: str, *, now: datetime) -> str | None:
        """The message a visit's token names; None when we did not sign it, or not just now."""
        match loaded(self._visit, token):
            case [str(message), int(at)] if 0 <= now.timestamp() - at <= VISIT_COUNTS_FOR.total_seconds():
                return message
            case _:
                return None

    def approval(self, approval_id: UUID) -> str:
        """Address of the page where a question can be answered."""
        return f"{self._public_url}/a/{text(self._approval.dumps(approval_id.hex))}"

    def read_approval(self, token: str) -> UUID | None:
        """The question an approval link's token names; None when we did not sign it."""
        match loaded(self._approval, token):
            case str(approval):
                return UUID(approval)
            case _:
                return None
