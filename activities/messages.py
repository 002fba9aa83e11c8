"""Activities that write to people: mails to contacts, notices to sales. Each goes out once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

import structlog
from temporalio import activity

from activities.letters import SALES_TEMPLATE, Letter, Letterhead, Letters, last_events
from models.database import Database
from models.ledger import Attempt, Claim, Ledger, Posting, public_id
from models.permission import House
from models.reads.contacts import ContactShown, show_contact
from tabiji.channels.carrier import PermanentFailure, TemporaryFailure, Unclear
from tabiji.channels.email.compose import Mail
from tabiji.channels.email.links import Links
from tabiji.channels.email.render import Renderer
from tabiji.domain.orders import NotifySales, SendEmail, SendOutcome
from tabiji.errors import ChannelDown, DatabaseDown, UnknownContact
from tabiji.settings import Settings

log = structlog.stdlib.get_logger(__name__)

Order = TypeVar("Order", SendEmail, NotifySales)

RESERVE = timedelta(seconds=5)
"""Of an attempt's time, what is kept for writing down how the sending ended."""
STALE = 5.0
"""Seconds after which a claim is looked at again before the message goes out: a worker that is cut off counts as dead
after ten, and another takes over."""
_UNLIMITED = timedelta(minutes=5)
_PAUSE = 0.25


class Carrier(Protocol):
    """Anything that can carry a mail. Raises the errors of `tabiji.channels.carrier`."""

    async def send(
        self, mail: Mail, *, within: timedelta, before_data: Callable[[], Awaitable[None]] | None = None
    ) -> str:
        """Hand it over; `before_data` is awaited before it may be delivered. Returns the last words of the relay."""
        ...


class Messages:
    """Activities that speak to contacts, and to sales about them."""

    def __init__(self, database: Database, ledger: Ledger, letters: Letters, carrier: Carrier) -> None:
        self._database = database
        self._ledger = ledger
        self._letters = letters
        self._carrier = carrier

    @classmethod
    def of(cls, settings: Settings, database: Database, carrier: Carrier, *, secret: str) -> Messages:
        """Put together what the settings ask for. `secret` signs links; whoever serves them must share it.

        Raises:
            ConfigurationError: An address in the settings is none.
        """
        house = House(zone=settings.zone, quiet=settings.quiet, mails_tests=settings.smtp_catches_all)
        letters = Letters(
            Renderer(settings.templates / "email"), Links(secret, settings.public_url), Letterhead.of(settings)
        )
        return cls(database, Ledger(database, house), letters, carrier)

    @activity.defn(name="send_email")
    async def send_email(self, order: SendEmail) -> SendOutcome:
        """Send one mail, unless this step and visit has sent its own before.

        Temporal runs an activity at least once. The message is claimed before the SMTP conversation and marked
        after it, so a retry after the mark does nothing; a crash between the two repeats the mail under the same
        Message-ID, or leaves it at `unknown` where the order says at most once.

        Raises:
            UnknownContact: The contact is gone. Not retried.
            TemplateError: Template or variable is missing. Nothing was sent.
            Busy: Another attempt holds the message.
            ChannelDown: The relay is away or asked for patience.
        """
        deadline, order = _deadline(), _by_now(order)
        async with self._database.read() as tx:
            if (settled := await self._ledger.outcome(tx, order.key)) is not None:
                return settled
            contact = await show_contact(tx, UUID(order.contact_id))
        contact = _known(contact, order.contact_id)
        letter = self._letters.to_contact(contact, order, public_id(order.key))
        posting = Posting(
            order=order,
            template=order.template,
            subject=letter.rendered.subject if letter else None,
            address=contact.email,
            topic=order.topic,
            delivery=order.delivery,
        )
        return await self._post(posting, letter, deadline)

    @activity.defn(name="notify_sales")
    async def notify_sales(self, order: NotifySales) -> SendOutcome:
        """Tell sales about a contact, once: who, why, what they did lately, and where to look.

        Raises:
            UnknownContact: The contact is gone. Not retried.
            TemplateError: Template or variable is missing. Nothing was sent.
            Busy: Another attempt holds the message.
            ChannelDown: The relay is away or asked for patience.
        """
        deadline, order = _deadline(), _by_now(order)
        async with self._database.read() as tx:
            if (settled := await self._ledger.outcome(tx, order.key)) is not None:
                return settled
            contact = _known(await show_contact(tx, UUID(order.contact_id)), order.contact_id)
            events = await last_events(tx, contact.id)
        letter = self._letters.to_sales(contact, events, order, public_id(order.key))
        posting = Posting(
            order=order,
            template=SALES_TEMPLATE,
            subject=letter.rendered.subject,
            address=letter.recipient,
            audience="sales",
            summary=order.reason,
        )
        return await self._post(posting, letter, deadline)

    async def _post(self, posting: Posting, letter: Letter | None, deadline: float) -> SendOutcome:
        claim = await self._ledger.claim(posting, _attempt())
        if isinstance(claim, SendOutcome):
            return claim
        if letter is None:
            raise AssertionError("the ledger gives no claim to a mail that has not been written")
        claimed = _time()
        mail = self._letters.compose(letter, datetime.now(UTC))
        within = timedelta(seconds=max(deadline - _time(), 0)) - RESERVE
        try:
            reply = await self._carrier.send(
                mail,
                within=within,
                before_data=lambda: self._ledger.on_wire(claim, stale=_time() - claimed > STALE),
            )
        except PermanentFailure as failure:
            reason = str(failure)
            await _write_down(lambda: self._ledger.failed(claim, reason), deadline)
            log.warning("message.failed", **_context(posting, claim), reason=reason)
            return SendOutcome(state="failed", reason=reason)
        except TemporaryFailure as failure:
            reason = str(failure)
            await _write_down(lambda: self._ledger.retry(claim, reason), deadline)
            raise ChannelDown(f"the mail was not taken: {reason}") from None
        except Unclear as unclear:
            # The claim stays as it is: the next attempt finds it and does what the order's delivery asks for.
            raise ChannelDown(f"the mail may or may not have been taken: {unclear}") from None
        await _write_down(lambda: self._ledger.sent(claim, reply), deadline)
        log.info("message.sent", **_context(posting, claim))
        return SendOutcome(state="sent")


async def _write_down(mark: Callable[[], Awaitable[None]], deadline: float) -> None:
    """Note how a sending ended; a database that is away for a moment must not make the mail go out again."""
    while True:
        try:
            return await mark()
        except DatabaseDown:
            if _time() + _PAUSE >= deadline:
                raise
            await asyncio.sleep(_PAUSE)


def _known(contact: ContactShown | None, contact_id: str) -> ContactShown:
    if contact is None:
        raise UnknownContact(contact_id)
    return contact


def _context(posting: Posting, claim: Claim) -> dict[str, str]:
    return {
        "message": public_id(claim.key),
        "contact_id": posting.order.contact_id,
        "template": posting.template,
        "audience": posting.audience,
    }


def _time() -> float:
    return asyncio.get_running_loop().time()


def _span() -> timedelta:
    return activity.info().start_to_close_timeout or _UNLIMITED


def _deadline() -> float:
    """When Temporal gives this attempt up, on the loop's clock."""
    return _time() + _span().total_seconds()


def _by_now(order: Order) -> Order:
    """The order at the journey time of this attempt.

    An order keeps its time over all its retries. Ordered at nine in the evening and carried out when the relay is
    back at midnight, it would pass for nine in the evening. Both instants are the server's, skipped time included.
    """
    info = activity.info()
    waited = max(info.started_time - info.scheduled_time, timedelta(0))
    return order.model_copy(update={"at": order.at + waited * order.tempo})


def _attempt() -> Attempt:
    info = activity.info()
    return Attempt(run_id=info.workflow_run_id or "", activity_id=info.activity_id, number=info.attempt, span=_span())
