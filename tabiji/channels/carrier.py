"""How a carrier says what became of a message, told apart by what may be done about it.

    Taken                  the other side has taken it, and says so
    CarrierError
    ├── PermanentFailure   the other side will never take this message
    ├── TemporaryFailure   it did not take it now: surely not delivered, try again
    │   └── Held           a rate of our own is used up: come back at the time it names
    └── Unclear            the line broke while it was taking it: delivered or not, nobody knows

Their texts carry codes alone. What the other side wrote may quote an address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from tabiji.domain.bounces import Kind

Lane = Literal["transactional", "journey", "broadcast"]
"""Who waits behind whom, where mails wait: what people have asked for goes first, what goes to everybody last."""

LANES: tuple[Lane, ...] = ("transactional", "journey", "broadcast")

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Taken:
    """A message was taken.

    Attributes:
        reply: The other side's last words.
        relay: Which of ours took it.
    """

    reply: str
    relay: str


class CarrierError(Exception):
    """A message did not get through, or may not have."""


class PermanentFailure(CarrierError):
    """The other side will never take this message. `kind` says why."""

    def __init__(self, said: str, kind: Kind = Kind.OTHER) -> None:
        super().__init__(said)
        self.kind = kind


class TemporaryFailure(CarrierError):
    """It was surely not delivered, and may be later.

    Attributes:
        kind: Why. `policy`, too, where it is not about the message but the relay: it says nothing of the person.
        after: How long to wait at least, where that is known.
    """

    def __init__(self, said: str, kind: Kind = Kind.OTHER, *, after: timedelta | None = None) -> None:
        super().__init__(said)
        self.kind = kind
        self.after = after


class Held(TemporaryFailure):
    """Nobody was asked: a rate of our own is used up for longer than a mail may hold others up."""


class Unclear(CarrierError):
    """It may have been delivered."""


def code_and_status(code: int, text: str) -> str:
    """An SMTP reply without its prose: ``550 5.1.1``, or ``550`` where there is no enhanced status."""
    status = _STATUS.match(text)
    return f"{code} {status.group()}" if status else str(code)
