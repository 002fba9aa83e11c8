"""Webhooks that go out: how patient we are, what is signed with what, and what is said. Pure."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import JsonValue

EVERYTHING: Final = "*"
"""Subscribes to whatever is recorded."""
PAUSES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Between the tries of one message: three days in all, then it is a dead letter."""
SPREAD: Final = 0.1
"""Of a pause: so that what failed together does not come again together."""
FAILING_FOR: Final = timedelta(days=5)
"""A receiver that has taken nothing for so long is sent nothing more until somebody enables it again."""
GRACE: Final = timedelta(hours=24)
"""A secret that was replaced signs beside its successor for so long."""
GONE: Final = 410
"""The receiver's way to say that it wants no more."""
TEST_EVENT: Final = "tabiji.test"
"""Type of the message that only tries whether one arrives."""


def next_pause(tries: int, *, asked: timedelta | None = None, chance: float = 0.5) -> timedelta | None:
    """How long to wait after a try that failed.

    Args:
        tries: So far, this one included.
        asked: What the receiver's Retry-After says.
        chance: From 0 to 1.

    Returns:
        None: it was the last one.
    """
    if tries > len(PAUSES):
        return None
    pause = PAUSES[tries - 1] * (1 + SPREAD * (2 * chance - 1))
    return max(pause, asked) if asked is not None else pause


def signing_secret(root: str, webhook: UUID, generation: int) -> str:
    """A subscription's secret. It is made from ours and kept nowhere, so that no copy of the database holds it."""
    made = hmac.new(root.encode(), f"webhook:{webhook}:{generation}".encode(), hashlib.sha256).digest()
    return "whsec_" + b64encode(made).decode()


def secrets_in_force(
    root: str, webhook: UUID, generation: int, rotated_at: datetime | None, *, now: datetime
) -> list[str]:
    """What a message is signed with now: the newest secret, and the one before while its time of grace lasts."""
    secrets = [signing_secret(root, webhook, generation)]
    if rotated_at is not None and now < rotated_at + GRACE:
        secrets.append(signing_secret(root, webhook, generation - 1))
    return secrets


def message(
    id: str,
    event: str,
    at: datetime,
    *,
    contact: UUID,
    user_ids: Sequence[str],
    email: str | None = None,
    include_email: bool = False,
    properties: Mapping[str, JsonValue],
    only: Collection[str] | None = None,
) -> dict[str, JsonValue]:
    """What one subscription is sent of one event.

    Args:
        id: Of the message: the same however often it is sent.
        event: Its name.
        at: When it happened.
        contact: Whom it is about.
        user_ids: What web apps call them.
        email: Their address, if they have one.
        include_email: The subscription asks for it.
        properties: Of the event.
        only: Of these, the ones the subscription asks for; None: all.
    """
    who: dict[str, JsonValue] = {"id": str(contact), "user_ids": [*user_ids]}
    if include_email:
        who["email"] = email
    kept = {name: value for name, value in properties.items() if only is None or name in only}
    return {
        "id": id,
        "type": event,
        "timestamp": at.isoformat(),
        "data": {"event": event, "properties": kept, "contact": who},
    }


def fields_sent(*, include_email: bool, only: Sequence[str] | None) -> list[str]:
    """What a subscription is sent, for the register of who is told what."""
    properties = ["properties.*"] if only is None else [f"properties.{name}" for name in only]
    return ["event", "timestamp", *properties, "contact.id", "contact.user_ids", *(["contact.email"] * include_email)]
