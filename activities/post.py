"""The way every mail of ours goes: claimed in the ledger, handed to the carrier, written down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from activities.attempts import attempt
from activities.letters import Letter, Letterhead, Letters
from models.database import Database
from models.house import house_of
from models.ledger import Claim, Ledger, Posting, public_id
from models.reads.contacts import ContactShown, show_contact
from tabiji.channels.carrier import PermanentFailure, TemporaryFailure, Unclear
from tabiji.channels.email.compose import Mail
from tabiji.channels.email.links import Links
from tabiji.channels.email.render import Renderer
from tabiji.domain.orders import SendOutcome, StepOrder
from tabiji.domain.topics import Topics
from tabiji.errors import ChannelDown, DatabaseDown, UnknownContact
from tabiji.settings import Settings

log = structlog.stdlib.get_logger(__name__)

RESERVE = timedelta(seconds=5)
"""Of an attempt's time, what is kept for writing down how the sending ended."""
STALE = 5.0
"""Seconds after which a claim is looked at again before the message goes out: a worker that is cut off counts as dead
after ten, and another takes over."""
_PAUSE = 0.25


class Carrier(Protocol):
    """Anything that can carry a mail. Raises the errors of `tabiji.channels.carrier`."""

    async def send(
        self, mail: Mail, *, within: timedelta, before_data: Callable[[], Awaitable[None]] | None = None
    ) -> str:
        """Hand it over; `before_data` is awaited before it may be delivered. Returns the last words of the relay."""
        ...


class Post:
    """Sends each message once, whoever asks."""

    def __init__(self, database: Database, ledger: Ledger, letters: Letters, carrier: Carrier) -> None:
        self.database = database
        self.letters = letters
        self._ledger = ledger
        self._carrier = carrier

    @classmethod
    def of(
        cls, settings: Settings, database: Database, carrier: Carrier, *, secret: str, topics: Topics | None = None
    ) -> Post:
        """Put together what the settings ask for. `secret` signs links; whoever serves them must share it.

        Raises:
            ConfigurationError: An address in the settings is none.
        """
        house = house_of(settings, topics or Topics())
        letters = Letters(
            Renderer(settings.templates / "email"),
            Links(secret, settings.public_url),
            Letterhead.of(settings),
            house.topics,
        )
        return cls(database, Ledger(database, house), letters, carrier)

    async def begin(self, order: StepOrder) -> SendOutcome | ContactShown:
        """What became of an order's message, where that is settled; else the contact it is about.

        Raises:
            UnknownContact: The contact is gone. Not retried.
        """
        async with self.database.read() as tx:
            if (settled := await self._ledger.outcome(tx, order.key)) is not None:
                return _named(settled, order.key)
            contact = await show_contact(tx, UUID(order.contact_id))
        if contact is None:
            raise UnknownContact(order.contact_id)
        return contact

    async def send(self, posting: Posting, letter: Letter | None, deadline: float) -> SendOutcome:
        """Claim a message and send it.

        Args:
            posting: What it is, for the ledger.
            letter: What it says; None where nobody can be written to, which the ledger refuses.
            deadline: When the attempt is given up, on the loop's clock.

        Raises:
            Busy: Another attempt holds the message.
            Paused: It may not go out now.
            ChannelDown: The relay is away or asked for patience.
        """
        claim = await self._ledger.claim(posting, attempt())
        if isinstance(claim, SendOutcome):
            return _named(claim, posting.order.key)
        if letter is None:
            raise AssertionError("the ledger gives no claim to a mail that has not been written")
        claimed = _time()
        mail = self.letters.compose(letter, datetime.now(UTC))
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
            return _named(SendOutcome(state="failed", reason=reason), claim.key)
        except TemporaryFailure as failure:
            reason = str(failure)
            await _write_down(lambda: self._ledger.retry(claim, reason), deadline)
            raise ChannelDown(f"the mail was not taken: {reason}") from None
        except Unclear as unclear:
            # The claim stays as it is: the next attempt finds it and does what the order's delivery asks for.
            raise ChannelDown(f"the mail may or may not have been taken: {unclear}") from None
        await _write_down(lambda: self._ledger.sent(claim, reply), deadline)
        log.info("message.sent", **_context(posting, claim))
        return _named(SendOutcome(state="sent"), claim.key)


def _named(outcome: SendOutcome, key: str) -> SendOutcome:
    """With the name the message has in what it leads to: opened, clicked, replied."""
    return outcome.model_copy(update={"message": public_id(key)})


async def _write_down(mark: Callable[[], Awaitable[None]], deadline: float) -> None:
    """Note how a sending ended; a database that is away for a moment must not make the mail go out again."""
    while True:
        try:
            return await mark()
        except DatabaseDown:
            if _time() + _PAUSE >= deadline:
                raise
            await asyncio.sleep(_PAUSE)


def _context(posting: Posting, claim: Claim) -> dict[str, str]:
    return {
        "message": public_id(claim.key),
        "contact_id": posting.order.contact_id,
        "template": posting.template,
        "audience": posting.audience,
    }


def _time() -> float:
    return asyncio.get_running_loop().time()
