"""Signed links by which people decide what they are sent: unsubscribe, preferences, confirmation.

A link to leave by never ends: mails are read years later. Those by which somebody may agree to something carry when
they were sent and a mark of the address they were sent to: who had that address before cannot speak for who has
another now.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tabiji.channels.email.signing import loaded, signer, text

PREFERENCES_LAST = timedelta(days=90)
"""After that a link to the preferences offers to send a new one."""
CONFIRMATION_LASTS = timedelta(days=7)
"""Nobody is asked again sooner, so that who asks for a topic always has a good link or gets one."""


@dataclass(frozen=True)
class Unsubscribing:
    """Somebody opened, or posted to, the unsubscribe link of a mail."""

    contact_id: UUID
    topic: str
    message: str


@dataclass(frozen=True)
class Deciding:
    """Somebody opened a link that lets them decide.

    Attributes:
        contact_id: Whose it is.
        mark: Of the address it was sent to, see `ConsentLinks.was_sent_to`.
        at: When it was made, by the wall's clock.
        topic: Of a confirmation.
    """

    contact_id: UUID
    mark: str
    at: datetime
    topic: str = ""


class ConsentLinks:
    """Makes and reads them."""

    def __init__(self, secret: str, public_url: str) -> None:
        self._base = public_url.rstrip("/")
        self._key = hashlib.sha256(f"tabiji.mail.address\n{secret}".encode()).digest()
        self._leave, self._choose, self._confirm = (
            signer(secret, kind) for kind in ("unsubscribe", "preferences", "confirm")
        )

    def unsubscribe(self, contact_id: UUID, topic: str, message: str) -> str:
        """Address where this contact can take back their consent to this topic."""
        return f"{self._base}/u/{text(self._leave.dumps([contact_id.hex, topic, message]))}"

    def read_unsubscribe(self, token: str) -> Unsubscribing | None:
        """What an unsubscribe link's token says; None when we did not sign it."""
        match loaded(self._leave, token):
            case [str(contact), str(topic), str(message)]:
                return Unsubscribing(UUID(contact), topic, message)
            case _:
                return None

    def preferences(self, contact_id: UUID, address: str, *, at: datetime) -> str:
        """Address of the page where a contact says what they want to hear about.

        Args:
            contact_id: Whom.
            address: Theirs, where this is sent to.
            at: When, by the wall's clock.
        """
        said = [contact_id.hex, self._mark(address), int(at.timestamp())]
        return f"{self._base}/preferences/{text(self._choose.dumps(said))}"

    def read_preferences(self, token: str) -> Deciding | None:
        """What a preferences link's token says; None when we did not sign it. It may have expired."""
        match loaded(self._choose, token):
            case [str(contact), str(mark), int(at)]:
                return Deciding(UUID(contact), mark, datetime.fromtimestamp(at, UTC))
            case _:
                return None

    def confirm(self, contact_id: UUID, topic: str, address: str, *, at: datetime) -> str:
        """Address where an address confirms that it wants a topic."""
        said = [contact_id.hex, topic, self._mark(address), int(at.timestamp())]
        return f"{self._base}/confirm/{text(self._confirm.dumps(said))}"

    def read_confirm(self, token: str) -> Deciding | None:
        """What a confirmation link's token says; None when we did not sign it. It may have expired."""
        match loaded(self._confirm, token):
            case [str(contact), str(topic), str(mark), int(at)]:
                return Deciding(UUID(contact), mark, datetime.fromtimestamp(at, UTC), topic)
            case _:
                return None

    def was_sent_to(self, link: Deciding, address: str | None) -> bool:
        """Whether the link was sent to this address."""
        return address is not None and hmac.compare_digest(link.mark, self._mark(address))

    def _mark(self, address: str) -> str:
        return hmac.new(self._key, address.strip().lower().encode(), hashlib.sha256).hexdigest()[:20]
