"""What a mail that came back means for its address: kinds of failures, and what each leads to.

    kind_of("5.1.1")                          hard_bounce: the address does not exist
    effect(Kind.HARD_BOUNCE, permanent=True)  suppress
    soft_in_a_row(fates, now=…, rule=…)       how often in a row mail to an address has come back for now

Only an address that does not exist is given up at once. A full mailbox, or a server with trouble of its own, counts
towards the rule for soft bounces. What was refused for how it looked or whom it came from says nothing of the person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
_EVIDENCE = re.compile(r"(?:[245]\d\d)?(?:(?:^|[ -])[245]\.\d{1,3}\.\d{1,3})?")


class Kind(StrEnum):
    """Why a mail did not arrive."""

    HARD_BOUNCE = "hard_bounce"
    """The address, or its domain, does not exist."""
    MAILBOX_FULL = "mailbox_full"
    POLICY = "policy"
    """Whom it came from, or how: reputation, authentication, rates."""
    CONTENT = "content"
    """How it looked: size, spam, viruses."""
    OTHER = "other"


class Effect(StrEnum):
    """What a failure does to its address."""

    SUPPRESS = "suppress"
    COUNT = "count"
    """It counts towards the rule for soft bounces."""
    NOTHING = "nothing"


EFFECTS: dict[tuple[Kind, bool], Effect] = {
    (Kind.HARD_BOUNCE, True): Effect.SUPPRESS,
    (Kind.HARD_BOUNCE, False): Effect.COUNT,
    (Kind.MAILBOX_FULL, True): Effect.COUNT,
    (Kind.MAILBOX_FULL, False): Effect.COUNT,
    (Kind.POLICY, True): Effect.NOTHING,
    (Kind.POLICY, False): Effect.NOTHING,
    (Kind.CONTENT, True): Effect.NOTHING,
    (Kind.CONTENT, False): Effect.NOTHING,
    (Kind.OTHER, True): Effect.COUNT,
    (Kind.OTHER, False): Effect.COUNT,
}
"""By kind, and whether it is for good."""

NAMES: dict[Effect, str] = {Effect.SUPPRESS: "hard", Effect.COUNT: "soft", Effect.NOTHING: "blocked"}
"""What a message is marked with that came back."""

_BY_DETAIL: dict[tuple[int, int], Kind] = {
    (1, 1): Kind.HARD_BOUNCE,
    (1, 2): Kind.HARD_BOUNCE,
    (1, 3): Kind.HARD_BOUNCE,
    (1, 6): Kind.HARD_BOUNCE,
    (1, 7): Kind.POLICY,
    (1, 8): Kind.POLICY,
    (1, 10): Kind.HARD_BOUNCE,
    (2, 1): Kind.HARD_BOUNCE,
    (2, 2): Kind.MAILBOX_FULL,
    (2, 3): Kind.CONTENT,
    (3, 4): Kind.CONTENT,
}
_BY_SUBJECT: dict[int, Kind] = {6: Kind.CONTENT, 7: Kind.POLICY}


def effect(kind: Kind, *, permanent: bool) -> Effect:
    """What a failure of that kind does to the address."""
    return EFFECTS[kind, permanent]


def kind_of(status: str | None) -> Kind:
    """What an enhanced status (RFC 3463) says of why, whatever its class: ``5.1.1``."""
    found = _STATUS.fullmatch((status or "").strip())
    if found is None:
        return Kind.OTHER
    subject, detail = int(found[2]), int(found[3])
    return _BY_DETAIL.get((subject, detail)) or _BY_SUBJECT.get(subject, Kind.OTHER)


def evidence_of(text: str | None) -> str | None:
    """Code and status without prose, which may quote anything: ``550 5.1.1``; None where there is neither."""
    found = _EVIDENCE.match((text or "").strip())
    return found[0].replace("-", " ").strip() or None if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftRule:
    """When mail that comes back for now is enough.

    Attributes:
        times: So many messages in a row …
        within: … that went out in this time …
        lasts: … and nothing more goes to that address for so long. Then it is tried again.
        settled: A message that has not come back after so long counts as delivered.
    """

    times: int = 5
    within: timedelta = timedelta(days=30)
    lasts: timedelta = timedelta(days=30)
    settled: timedelta = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of one message to an address.

    Attributes:
        at: When it went out.
        bounce: hard, soft or blocked, where it came back.
        alive: Somebody opened, clicked or answered it.
    """

    at: datetime
    bounce: str | None = None
    alive: bool = False


def soft_in_a_row(fates: Iterable[Fate], *, now: datetime, rule: SoftRule) -> int:
    """How many of the last messages to an address came back for now, with no delivery between.

    What was blocked says nothing of the address, and neither does what went out a moment ago.

    Args:
        fates: Of its messages, in any order.
        now: On the clock the messages' times are of.
        rule: How far back to look, and when silence is delivery.
    """
    count = 0
    # Of the same moment, a soft bounce is the earliest.
    for fate in sorted(fates, key=lambda one: (one.at, one.bounce != NAMES[Effect.COUNT]), reverse=True):
        if fate.at < now - rule.within:
            break
        if fate.bounce == NAMES[Effect.COUNT]:
            count += 1
        elif fate.alive or (fate.bounce is None and fate.at <= now - rule.settled):
            break
    return count


def soft_until(fates: Iterable[Fate], *, now: datetime, rule: SoftRule) -> datetime | None:
    """Until when nothing more goes to the address; None: it may go on."""
    return now + rule.lasts if soft_in_a_row(fates, now=now, rule=rule) >= rule.times else None
