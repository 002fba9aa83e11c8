"""What is known of a person that bears on whether they may be written to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Agreed:
    """The decision about one topic that is in force."""

    given: bool
    confirmed: bool = True
    """False: asked for, and not confirmed by the address yet. It gives no right to mail."""
    everything: bool = False
    """The decision was a no to every topic at once."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """An entry that keeps an address, or a whole domain, from being written to."""

    reason: str
    """hard_bounce, complaint, soft_bounces, manual, domain …"""
    transactional: bool = True
    """It stops transactional mail, too."""
    until: datetime | None = None
    """From when on it no longer counts; None: it stays until somebody lifts it."""


@dataclass(frozen=True, slots=True)
class Past:
    """A message that was sent, is being sent, or may have been: each counts against caps."""

    at: datetime
    topic: str
    channel: str = "email"
    journey: str = ""
    key: str = ""
    test: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message of theirs that has not gone out yet: rules hold it back until `at`, or the relay asked for patience."""

    at: datetime
    topic: str
    priority: int
    test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One contact.

    Attributes:
        address: Where the channel would reach them.
        zone: None is unknown; a setting decides.
        agreed: By topic, what is in force of those that bear on this message; absent: nobody has spoken of it.
        suppressed: Entries for their address or its domain.
        replied: A reply of theirs waits for its owner: marketing is paused until then, at the latest.
        country: Whose public holidays count; None is unknown, a setting decides.
        past: As far back as the longest cap that bears on this message, in any order.
        waiting: Messages that are held back.
        ahead: The highest priority among the journeys they are in; None: nobody has asked.
        held_out: Names of the holdouts they are in, of those that bear on this message.
    """

    address: str | None
    zone: ZoneInfo | None = None
    country: str | None = None
    agreed: Mapping[str, Agreed] = field(default_factory=dict[str, Agreed])
    suppressed: tuple[Suppressed, ...] = ()
    replied: datetime | None = None
    past: tuple[Past, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    ahead: int | None = None
    held_out: frozenset[str] = frozenset()
