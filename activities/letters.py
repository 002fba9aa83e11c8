"""What mails say: the facts a template may read, for a contact and for sales."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import table
from models.event import Event
from models.reads.contacts import ContactShown
from tabiji.channels.email.compose import Mail, Mailbox, ascii_address, compose
from tabiji.channels.email.links import Links
from tabiji.channels.email.render import Facts, Rendered, Renderer
from tabiji.domain.facts import KIND
from tabiji.domain.orders import SendEmail, StepOrder
from tabiji.domain.topics import Topics
from tabiji.settings import Settings

SALES_TEMPLATE = "sales/notice"
TEAM_TEMPLATE = "team/notice"
LAST_EVENTS = 10
_TELLING = ("path", "url", "form", "template", "name", "title", "total", "product")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Letter:
    """One message's content and addressee, known before it is claimed."""

    public_id: str
    rendered: Rendered
    recipient: str
    unsubscribe_url: str | None = None


@dataclass(frozen=True)
class Letterhead:
    """What stands on every letter of the house."""

    sender: Mailbox
    public_url: str
    postal_address: str
    ui: str

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
            ui=f"{settings.temporal_ui}/namespaces/{quote(settings.temporal_namespace, safe='')}/workflows",
        )


class Letters:
    """Writes letters. Rendering comes before claiming: what cannot be written is not begun."""

    def __init__(self, renderer: Renderer, links: Links, head: Letterhead, topics: Topics) -> None:
        self._renderer = renderer
        self.links = links
        self._head = head
        self._topics = topics

    def to_contact(self, contact: ContactShown, order: SendEmail, public_id: str) -> Letter | None:
        """Write to a contact, with tracked links, an open pixel and a way out.

        Returns:
            None when there is no address to write to.

        Raises:
            TemplateError: Template or variable is missing.
        """
        recipient = ascii_address(contact.email) if contact.email else None
        if recipient is None:
            return None
        facts: dict[str, object] = {**self._common(order), "contact": _facts(contact)}
        way_out = None
        if not self._topics.is_transactional(order.topic):
            facts["unsubscribe_url"] = way_out = self.links.unsubscribe(contact.id, order.topic, public_id)
        rendered = self._renderer.render(order.template, facts)
        html = self.links.track(rendered.html, public_id, untouched=frozenset({way_out} if way_out else ()))
        return Letter(public_id, Rendered(rendered.subject, html, rendered.text), recipient, way_out)

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
        return compose(
            letter.rendered,
            public_id=letter.public_id,
            sender=self._head.sender,
            recipient=letter.recipient,
            date=date,
            unsubscribe_url=letter.unsubscribe_url,
        )

    def _common(self, order: StepOrder) -> dict[str, object]:
        sender = self._head.sender
        return {
            "journey": Facts("journey", {"name": order.enrollment_id.partition("/")[0]}),
            "sender": Facts("sender", {"name": sender.name or sender.email, "email": sender.email}),
            "public_url": self._head.public_url,
            "postal_address": self._head.postal_address,
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
    # Web apps send firstName as often as first_name: a template need not care.
    plain = {_HUMP.sub("_", key).lower(): value for key, value in contact.attributes.items()}
    return Facts(
        "contact",
        {
            **plain,
            **contact.attributes,
            "id": str(contact.id),
            "email": contact.email,
            "locale": contact.locale,
            "timezone": contact.timezone,
            "tags": contact.tags,
            "attributes": {key: value for key, value in contact.attributes.items() if value is not None},
        },
    )
