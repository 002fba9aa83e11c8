"""The way every mail of ours goes: claimed in the ledger, handed to the carrier, written down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import structlog

from activities.attempts import attempt, tried_for
from activities.brake import Brake
from activities.carrying import Carrier, Carrying, in_the_end
from activities.letters import Letter, Letterhead, Letters
from models.database import Database
from models.experiments import drawn
from models.house import house_of
from models.ledger import Fate, Ledger, Posting, public_id, superseded
from models.posting import Variant
from models.reads.contacts import ContactShown, show_contact
from models.returns import Records, Returns, Rules
from tabiji import crash
from tabiji.channels.carrier import Lane
from tabiji.channels.email.links import Links
from tabiji.channels.email.render import Renderer
from tabiji.domain.content import ContentTest
from tabiji.domain.journeys import Catalog
from tabiji.domain.orders import SendOutcome, StepOrder
from tabiji.domain.topics import Topics
from tabiji.errors import ChannelDown, DatabaseDown, UnknownContact
from tabiji.settings import Settings

log = structlog.stdlib.get_logger(__name__)

_PAUSE = 0.25
SENT_OR_TRIED = ("sent", "failed", "unknown")
"""Fates of a message that an arm of a test was chosen for."""


class Post:
    """Sends each message once, whoever asks."""

    def __init__(
        self, database: Database, ledger: Ledger, letters: Letters, carrier: Carrier, returns: Returns | None = None
    ) -> None:
        self.database = database
        self.letters = letters
        self.ledger = ledger
        self.carrying = Carrying(ledger, carrier, Brake(database))
        self._returns = returns

    @classmethod
    def of(
        cls,
        settings: Settings,
        database: Database,
        carrier: Carrier,
        *,
        secret: str,
        topics: Topics | None = None,
        recorder: Records | None = None,
        catalog: Catalog | None = None,
    ) -> Post:
        """Put together what the settings ask for. `secret` signs links; whoever serves them must share it. `recorder`
        takes the events of mails that came back; `catalog` has the journeys and with them their priorities.

        Raises:
            ConfigurationError: An address in the settings is none.
        """
        house = house_of(settings, topics or Topics(), catalog)
        letters = Letters(
            Renderer(settings.templates / "email"),
            Links(secret, settings.public_url),
            Letterhead.of(settings),
            house.topics,
        )
        rules = Rules.of(settings, house.topics)
        returns = Returns(database, recorder, rules) if recorder is not None else None
        return cls(database, Ledger(database, house, rules), letters, carrier, returns)

    async def begin(self, order: StepOrder) -> SendOutcome | ContactShown:
        """What became of an order's message, where that is settled; else the contact it is about.

        Raises:
            UnknownContact: The contact is gone. Not retried.
        """
        async with self.database.read() as tx:
            if (settled := await self.ledger.outcome(tx, order.key)) is not None:
                return _named(settled, order.key)
            contact = await show_contact(tx, UUID(order.contact_id))
        if contact is None:
            raise UnknownContact(order.contact_id)
        return contact

    async def tested(self, content: ContentTest | None, contact: ContactShown) -> Variant | None:
        """The arm a contact has in a test of content, or would be given now: what to write is known before the claim.

        Raises:
            InvalidChange: Nobody can be assigned to such arms.
        """
        if content is None:
            return None
        asked = content.draw()
        async with self.database.read() as tx:
            found = await drawn(tx, asked, [contact.id])
        return Variant(content, asked, found[contact.id])

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
        crash.point("message.rendered")
        claim = await self.ledger.claim(posting, attempt())
        if isinstance(claim, SendOutcome):
            return _named(claim, posting.key, posting.variant if claim.state in SENT_OR_TRIED else None)
        if letter is None:
            raise AssertionError("the ledger gives no claim to a mail that has not been written")
        crash.point("message.claimed")
        mail = self.letters.compose(letter, datetime.now(UTC))
        fate = await self.carrying.carry(claim, mail, deadline, self._lane(posting))
        fate = in_the_end(fate, tried_for())
        await _write_down(lambda: self._mark(fate), deadline)
        crash.point("message.marked")
        if fate.state == "retry":
            raise ChannelDown(f"the mail was not taken: {fate.reason}", retry_after=fate.after)
        if fate.state == "failed":
            log.warning("message.failed", **_context(posting), reason=fate.reason)
            await self.tell([fate])
            return _named(SendOutcome(state="failed", reason=fate.reason), claim.key, posting.variant)
        log.info("message.sent", **_context(posting))
        return _named(SendOutcome(state="sent"), claim.key, posting.variant)

    async def tell(self, fates: Sequence[Fate]) -> None:
        """Record of messages that failed for good that they came back: journeys may wait for that."""
        for fate in fates:
            if self._returns is not None and fate.kind is not None:
                about, kind = public_id(fate.claim.key), fate.kind
                await self._returns.bounced(about, kind, evidence=fate.reason, source="smtp", at=fate.claim.at)

    def _lane(self, posting: Posting) -> Lane:
        asked_for = posting.topic is not None and self.letters.topics.is_transactional(posting.topic)
        return "transactional" if asked_for else "journey"

    async def _mark(self, fate: Fate) -> None:
        if await self.ledger.mark([fate]):
            raise superseded(fate.claim)


def _named(outcome: SendOutcome, key: str, variant: str | None = None) -> SendOutcome:
    """With the name the message has in what it leads to: opened, clicked, replied; and the arm it was written for."""
    told = {"message": public_id(key)} | ({"variant": variant} if variant is not None else {})
    return outcome.model_copy(update=told)


async def _write_down(mark: Callable[[], Awaitable[None]], deadline: float) -> None:
    """Note how a sending ended; a database that is away for a moment must not make the mail go out again."""
    while True:
        try:
            return await mark()
        except DatabaseDown:
            if _time() + _PAUSE >= deadline:
                raise
            await asyncio.sleep(_PAUSE)


def _context(posting: Posting) -> dict[str, str]:
    return {
        "message": public_id(posting.key),
        "contact_id": str(posting.contact_id),
        "template": posting.template,
        "audience": posting.audience,
    }


def _time() -> float:
    return asyncio.get_running_loop().time()
