"""What people do on the pages, and what is kept of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from models.event import Event
from tests.api.conftest import Door

ADDRESS = "hanako@example.jp"


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


async def signs_up(door: Door, address: str = ADDRESS, **more: str) -> UUID:
    """A visitor fills in the newsletter form."""
    sent = await door.nobody.post("/f/newsletter", data={"email": address, "consent": "yes", **more})
    assert sent.status_code == 303, sent.text
    return UUID((await door.contact(email=address))["id"])


def confirm_link(door: Door, contact: UUID, *, at: datetime | None = None, address: str = ADDRESS) -> str:
    url = door.parts.links.confirm(contact, "newsletter", address, at=at or door.parts.clock.wall())
    return path_of(url)


def choices_link(door: Door, contact: UUID, *, at: datetime | None = None, address: str = ADDRESS) -> str:
    return path_of(door.parts.links.preferences(contact, address, at=at or door.parts.clock.wall()))


async def consents(door: Door, contact: UUID) -> dict[str, Any]:
    answer = await door.full.get(f"/v1/contacts/{contact}/consents")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def agreed(door: Door, contact: UUID) -> dict[str, str]:
    """By topic: yes, no, asked."""
    found = await consents(door, contact)
    return {
        one["topic"]: "no" if not one["given"] else "yes" if one["confirmed"] else "asked" for one in found["in_force"]
    }


async def events(door: Door, *names: str) -> list[tuple[str, dict[str, Any]]]:
    return [(row.name, row.properties) for row in await door.all(Event) if row.name in names]
