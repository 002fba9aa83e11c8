"""What a mail is told besides who it is for: the same names the activities give it, with invented values."""

from __future__ import annotations

from datetime import UTC, datetime

from tabiji.channels.email.compose import Mailbox
from tabiji.channels.email.facts import Facts
from tabiji.domain.brand import Brand
from tabiji.settings import Settings

_AT = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)


def way_out(settings: Settings) -> str:
    """Stands for the unsubscribe link. It leads to a page that says that the link is none."""
    return f"{settings.public_url}/u/test"


def facts_of(settings: Settings, brand: Brand, person: Facts, *, refusable: bool = True) -> dict[str, object]:
    """Everything a template may read.

    Args:
        settings: Sender and addresses are taken from them.
        brand: Its address.
        person: Who gets the mail.
        refusable: It shows the way out.

    Raises:
        ConfigurationError: The sender in the settings is none.
    """
    sender = Mailbox.parse(settings.mail_from, "TABIJI_MAIL_FROM")
    url = settings.public_url
    facts: dict[str, object] = {
        "contact": person,
        "journey": Facts("journey", {"name": "a-journey"}),
        "sender": Facts("sender", {"name": sender.name or sender.email, "email": sender.email}),
        "public_url": url,
        "postal_address": brand.address or settings.postal_address,
        "preferences_url": f"{url}/preferences/test",
    }
    if refusable:
        return {**facts, "unsubscribe_url": way_out(settings)}
    confirm = {"url": f"{url}/confirm/test", "title": "News", "purpose": "A mail a month."}
    return {**facts, "confirm": Facts("confirm", confirm)}


def team_facts(settings: Settings) -> dict[str, object]:
    """What notices to a team are told besides."""
    return {
        "reason": "Looked at pricing three times",
        "score": 42,
        "events": [{"name": "Page Viewed", "at": _AT, "about": "/pricing"}],
        "link": f"{settings.temporal_ui}/workflows",
        "question": "May we send the offer?",
        "until": _AT,
        "answer_url": f"{settings.public_url}/a/test",
    }
