"""What mails say: the facts a template may read, for a contact and for sales."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import table
from models.event import Event
from models.reads.contacts import ContactShown
from tabiji.channels.email.addresses import Returns
from tabiji.channels.email.compose import Mail, Mailbox, ascii_address, compose
from tabiji.channels.email.counting import Tracking
from tabiji.channels.email.facts import Facts, Fixed, contact_facts
from tabiji.channels.email.links import Links
from tabiji.channels.email.providers import headers_for
from tabiji.channels.email.render import Rendered, Renderer
from tabiji.domain.facts import KIND
from tabiji.domain.orders import SendEmail, StepOrder
from tabiji.domain.topics import Topics
from tabiji.errors import UnknownSegment
from tabiji.settings import Settings

SALES_TEMPLATE = "sales/notice"
TEAM_TEMPLATE = "team/notice"
LAST_EVENTS = 10
_TELLING = ("path", "url", "form", "template", "name", "title", "total", "product")


@dataclass(frozen=True)
class Letter:
    """One message's content and addressee, known before it is claimed."""

    public_id: str
    rendered: Rendered
    recipient: str
    unsubscribe_url: str | None = None
    answered: bool = False
    """People answer it to us, not to who stands on it."""


@dataclass(frozen=True)
class Letterhead:
    """What stands on every letter of the house."""

    sender: Mailbox
    public_url: str
    postal_address: str
    ui: str
    returns: Returns | None = None
    """Makes the addresses that mail comes back to, where there is a domain for them."""
    tracking: Tracking = field(default_factory=Tracking)
    providers: frozenset[str] = frozenset()
    """Those that tell what becomes of mails."""

    @classmethod
    def of(cls, settings: Settings) -> Letterhead:
        """Take it from the settings.

        Raises:
            ConfigurationError: An address in them is none.
        """
        return cls(
            sender=Mailbox.parse(settings.mail_from, "TABIJI_MAIL_FROM"),
            public_url=settings.public_url,
            postal_address=settings.postal_address,
            returns=Returns(settings.signing_secret, settings.return_domain) if settings.return_domain else None,
            ui=f"{settings.temporal_ui}/namespaces/{quote(settings.temporal_namespace, safe='')}/workflows",
            tracking=Tracking.by(settings),
            providers=frozenset(settings.carrier_secrets),
        )


class Letters:
    """Writes letters. Rendering comes before claiming: what cannot be written is not begun."""

    def __init__(self, renderer: Renderer, links: Links, head: Letterhead, topics: Topics) -> None:
        self._renderer = renderer
        self.links = links
        self._head = head
        self.topics = topics

    def to_contact(
        self, contact: ContactShown, order: SendEmail, public_id: str, *, variant: str | None = None
    ) -> Letter | None:
        """Write to a contact, with tracked links, an open pixel and a way out. `variant` is the arm of a test of what
        it says.

        Returns:
            None when there is no address to write to.

        Raises:
            TemplateError: Template or variable is missing.
            UnknownSegment: The template asks for a segment there is not.
        """
        recipient = ascii_address(contact.email) if contact.email else None
        if recipient is None:
            return None
        facts: dict[str, object] = {**self._common(order), "contact": _facts(contact)}
        facts |= self._choices(contact, order)
        way_out = None
        if not self.topics.is_transactional(order.topic):
            facts["unsubscribe_url"] = way_out = self.links.unsubscribe(contact.id, order.topic, public_id)
        if asked := self._renderer.segments(order.template):
            # Nothing defines segments yet: the answer is an error that says so, not a no.
            raise UnknownSegment(min(asked))
        rendered = self._renderer.render(order.template, facts, variant)
        how = self._head.tracking.of(self.topics.get(order.topic), campaign=order.enrollment_id, variant=variant)
        html = how.on(self.links, rendered.html, public_id, untouched=_own_links(facts))
        return Letter(public_id, replace(rendered, html=html), recipient, way_out, answered=True)

    def _choices(self, contact: ContactShown, order: SendEmail) -> dict[str, object]:
        """Where they say what they want, and where they confirm it: good for their address, from now on for a while."""
        now, address = datetime.now(UTC), contact.email or ""
        facts: dict[str, object] = {"preferences_url": self.links.preferences(contact.id, address, at=now)}
        if order.confirms is not None:
            topic = self.topics.get(order.confirms)
            url = self.links.confirm(contact.id, order.confirms, address, at=now)
            title = topic.title_in(contact.locale) if topic is not None else order.confirms
            purpose = topic.purpose_in(contact.locale) if topic is not None else ""
            facts["confirm"] = Facts("confirm", {"url": url, "title": title, "purpose": purpose})
        return facts

    def to_team(
        self,
        contact: ContactShown,
        order: StepOrder,
        *,
        public_id: str,
        address: str,
        template: str,
        facts: Mapping[str, object],
    ) -> Letter:
        """Write to somebody in the house about a contact. Nothing in it is tracked.

        Raises:
            TemplateError: Template or variable is missing.
        """
        about = {
            "contact": _facts(contact),
            "link": f"{self._head.ui}/{quote(order.enrollment_id, safe='')}",
        }
        rendered = self._renderer.render(template, {**self._common(order), **about, **facts})
        return Letter(public_id, rendered, address)

    def compose(self, letter: Letter, date: datetime) -> Mail:
        """Put a letter into its envelope. `date` is the wall's."""
        returns = self._head.returns
        return compose(
            letter.rendered,
            public_id=letter.public_id,
            sender=self._head.sender,
            recipient=letter.recipient,
            date=date,
            unsubscribe_url=letter.unsubscribe_url,
            envelope_sender=returns.bounce(letter.public_id) if returns else None,
            reply_to=returns.reply(letter.public_id) if returns and letter.answered else None,
            more=headers_for(self._head.providers, letter.public_id),
        )

    def _common(self, order: StepOrder) -> dict[str, object]:
        sender = self._head.sender
        return {
            "journey": Facts("journey", {"name": order.enrollment_id.partition("/")[0]}),
            "sender": Facts("sender", {"name": Fixed(sender.name or sender.email), "email": Fixed(sender.email)}),
            "public_url": Fixed(self._head.public_url),
            "postal_address": Fixed(self._renderer.brand.address or self._head.postal_address),
        }


async def last_events(tx: AsyncConnection, contact_id: UUID) -> list[dict[str, object]]:
    """What a contact did lately, newest first: name, at, and what tells most about it in a few words."""
    events = table(Event)
    rows = await tx.execute(
        select(events.c.name, events.c.properties, events.c.at)
        .where(events.c.contact_id == contact_id, events.c.kind != KIND)
        .order_by(events.c.seq.desc())
        .limit(LAST_EVENTS)
    )
    return [{"name": row.name, "at": row.at, "about": _about(row.properties)} for row in rows]


def _about(properties: Mapping[str, object]) -> str:
    return next(
        (str(properties[key])[:120] for key in _TELLING if isinstance(properties.get(key), str | int | float)), ""
    )


def _facts(contact: ContactShown) -> Facts:
    return contact_facts(
        contact.attributes,
        id=str(contact.id),
        email=contact.email,
        locale=contact.locale,
        timezone=contact.timezone,
        tags=contact.tags,
        lists=contact.lists,
    )


def _own_links(facts: Mapping[str, object]) -> frozenset[str]:
    """Links by which people decide. Nobody counts who follows them, and no click stands between."""
    confirm = facts.get("confirm")
    found = [facts.get("unsubscribe_url"), facts.get("preferences_url")]
    found += [confirm["url"]] if isinstance(confirm, Facts) else []
    return frozenset(url for url in found if isinstance(url, str))
