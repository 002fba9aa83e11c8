"""Whether a message may go out now: asked in the transaction that claims it, under the contact's lock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.consents import latest_first
from models.contact import Consent
from models.database import AnyRow, table
from tabiji.domain.orders import SendOutcome, StepOrder
from tabiji.domain.quiet import allowed_from

TRANSACTIONAL = "transactional"
"""The topic that needs no consent and knows no quiet hours: receipts, and what the person asked for."""


@dataclass(frozen=True)
class House:
    """What the house's settings say about mailing."""

    zone: ZoneInfo
    """Of contacts whose own is unknown."""
    quiet: tuple[time, time] | None = None
    mails_tests: bool = False
    """The relay delivers to nobody, so test enrollments may mail through it."""


async def decide_for_contact(
    tx: AsyncConnection, contact: AnyRow, topic: str, order: StepOrder, house: House
) -> SendOutcome | None:
    """Decide about a mail to a contact.

    Args:
        tx: Holds the contact's lock.
        contact: Their row, read under it.
        topic: What the mail is about.
        order: When and for which enrollment; its `at` is journey time.
        house: The house's rules.

    Returns:
        None: send it now. Else refused with a reason, or deferred to a later journey time.
    """
    if contact.email is None:
        return SendOutcome(state="refused", reason="no_address")
    if topic != TRANSACTIONAL and not await _has_consented(tx, contact.id, topic):
        return SendOutcome(state="refused", reason="no_consent")
    if (refused := decide_about_test(order, house)) is not None:
        return refused
    if topic == TRANSACTIONAL:
        return None
    zone = ZoneInfo(contact.timezone) if contact.timezone else house.zone
    allowed = allowed_from(order.at, zone, house.quiet)
    if allowed > order.at:
        return SendOutcome(state="deferred", until=allowed, reason="quiet hours")
    return None


def decide_about_test(order: StepOrder, house: House) -> SendOutcome | None:
    """A rehearsal mails nobody real. The rule for everybody who is not a contact, too."""
    if order.test and not house.mails_tests:
        return SendOutcome(state="refused", reason="test_recipient_not_allowed")
    return None


async def _has_consented(tx: AsyncConnection, contact_id: UUID, topic: str) -> bool:
    consents = table(Consent)
    latest = await tx.scalar(
        select(consents.c.given)
        .where(consents.c.contact_id == contact_id, consents.c.topic == topic)
        .order_by(*latest_first(consents))
        .limit(1)
    )
    return bool(latest)
