"""What the ledger of messages is given and gives back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias
from uuid import UUID

from tabiji.domain.bounces import Kind
from tabiji.domain.calendar import TimeOfDay, Weekday
from tabiji.domain.content import ContentTest
from tabiji.domain.experiments import Draw, Drawn
from tabiji.domain.orders import SendOutcome, StepOrder
from tabiji.domain.sending.asked import MOST_DELAY, Asked
from tabiji.errors import Busy, Paused, UnknownContact

Audience = Literal["contact", "sales", "team"]
"""Whom a message is for: the contact, or people in the house."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who claims: one attempt of one activity of one run, and how long it can last at most."""

    run_id: str
    activity_id: str
    number: int
    span: timedelta


@dataclass(frozen=True, slots=True)
class Variant:
    """A test of a message's content, and the arm that was drawn for its contact before it was rendered."""

    content: ContentTest
    draw: Draw
    drawn: Drawn

    @property
    def send_at(self) -> TimeOfDay | Weekday | None:
        """When the arm goes out; None: at once."""
        return self.content.when(self.drawn.arm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """What is to be sent. Rendered already, for `address`; `subject` is None where nothing can be sent to it.

    Attributes:
        key: Of this message and no other, the same in every attempt.
        source: The journey's name, or the broadcast's.
        tested: The test of its content, and the arm it was written for. Whoever gets it has the arm from then on.
        holdout: Of its journey, where that has one.
        refusal: It cannot be written to this person, and why; it is refused unless the rules have an answer first.
    """

    key: str
    contact_id: UUID
    at: datetime
    template: str
    subject: str | None
    address: str | None
    enrollment_id: str | None = None
    broadcast_id: UUID | None = None
    source: str = ""
    step: str = ""
    visit: int = 1
    audience: Audience = "contact"
    topic: str | None = None
    summary: str | None = None
    variant: str | None = None
    delivery: Literal["at_least_once", "at_most_once"] = "at_least_once"
    delay: timedelta = MOST_DELAY
    priority: int = 0
    test: bool = False
    refusal: str | None = None
    tested: Variant | None = None
    holdout: Draw | None = None

    @classmethod
    def of(cls, order: StepOrder, *, template: str, subject: str | None, address: str | None, **more: Any) -> Posting:
        """For a step of a journey. `more`: other attributes."""
        return cls(
            key=order.key,
            contact_id=UUID(order.contact_id),
            at=order.at,
            template=template,
            subject=subject,
            address=address,
            enrollment_id=order.enrollment_id,
            source=order.enrollment_id.partition("/")[0],
            step=order.step,
            visit=order.visit,
            test=order.test,
            **more,
        )

    def asked(self, first_at: datetime, due_at: datetime | None = None) -> Asked:
        """As the rules see it; when it was asked for first, and from when on it could have gone out."""
        return Asked(
            topic=self.topic or "",
            at=self.at,
            first_at=first_at,
            delay=self.delay,
            priority=self.priority,
            journey=self.source,
            test=self.test,
            key=self.key,
            due_at=due_at,
            send_at=self.tested.send_at if self.tested is not None else None,
            holdout=self.holdout,
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send one message, until somebody else takes it over.

    `at` is the journey time of the attempt, `first_at` that at which the message was asked for first.
    """

    key: str
    token: str
    delivery: Literal["at_least_once", "at_most_once"]
    at: datetime
    first_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """How the sending of a claimed message ended.

    Attributes:
        reason: Of what did not go out.
        reply: The relay's last words.
        relay: Which of ours took it.
        kind: Why it never will be taken, or is not now.
        after: How long to wait at least before the next try, where that is known.
        held: No relay was asked: a rate of our own is used up.
    """

    claim: Claim
    state: Literal["on_wire", "sent", "failed", "retry"]
    reason: str | None = None
    reply: str | None = None
    relay: str | None = None
    kind: Kind | None = None
    after: timedelta | None = None
    held: bool = False


NotNow: TypeAlias = Busy | Paused | UnknownContact
"""Nothing was decided about a message, and why."""

Answer: TypeAlias = Claim | SendOutcome | NotNow
"""What a page of messages gets for each: send it now; what became of it; or nothing yet."""

Answers: TypeAlias = Mapping[str, Answer]


def public_id(key: str) -> str:
    """Names a message in links and in its Message-ID: the same in every attempt, and nothing can be read from it."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]
