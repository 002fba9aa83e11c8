"""What mails say: the facts a template may read, for a contact and for sales."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import table
from models.event import Event
from models.permission import TRANSACTIONAL
from models.reads.contacts import ContactShown
from tabiji.channels.email.compose import Mail, Mailbox, ascii_address, compose
from tabiji.channels.email.links import Links
from tabiji.channels.email.render import Facts, Rendered, Renderer
from tabiji.domain.orders import NotifySales, SendEmail, StepOrder
from tabiji.errors import ConfigurationError
from tabiji.settings import Settings

SALES_TEMPLATE = "sales/notice"
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
    sales: str
    public_url: str
    postal_address: str
    ui: str

    @classmethod
    def of(cls, settings: Settings) -> Letterhead:
        """Take it from the settings.

        Raises:
            ConfigurationError: An address in them is none.
        """
        sales = ascii_address(settings.sales_email)
        if sales is None:
            raise ConfigurationError("TABIJI_SALES_EMAIL must be an address such as sales@example.com.")
        return cls(
            sender=Mailbox.parse(settings.mail_from, "TABIJI_MAIL_FROM"),
            sales=sales,
            public_url=settings.public_url,
            postal_address=settings.postal_address,
            ui=f"{settings.temporal_ui}/namespaces/{quote(settings.temporal_namespace, safe='')}/workflows",
        )


class Letters:
    """Writes letters. Rendering comes before claiming: what cannot be written is not begun."""

    def __init__(self, renderer: Renderer, links: Links, head: Letterhead) -> None:
        self._renderer = renderer
        self._links = links
        self._head = head

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
        if order.topic != TRANSACTIONAL:
            facts["unsubscribe_url"] = way_out = self._links.unsubscribe(contact.id, order.topic, public_id)
        rendered = self._renderer.render(order.template, facts)
        html = self._links.track(rendered.html, public_id, untouched=frozenset({way_out} if way_out else ()))
        return Letter(public_id, Rendered(rendered.subject, html, rendered.text), recipient, way_out)

    def to_sales(
        self, contact: ContactShown, events: Sequence[Mapping[str, object]], order: NotifySales, public_id: str
    ) -> Letter:
        """Tell sales who, why, and what they did lately.

        Raises:
            TemplateError: Template or variable is missing.
        """
        facts: dict[str, object] = {
            **self._common(order),
            "contact": _facts(contact),
            "reason": order.reason,
            "score": contact.score,
            "events": events,
            "link": f"{self._head.ui}/{quote(order.enrollment_id, safe='')}",
        }
        return Letter(public_id, self._renderer.render(SALES_TEMPLATE, facts), self._head.sales)

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
        .where(events.c.contact_id == contact_id)
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
