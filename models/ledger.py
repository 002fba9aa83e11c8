"""The ledger that makes a step's message go out once.

    absent | deferred | retry ──claim──▶ refused
                                         deferred
                                         claimed ──on_wire──▶ on_wire ──▶ sent | failed | retry

At-least-once goes straight to `on_wire`, which saves a commit. Every change is a compare-and-set on `token`, fresh
in each attempt: where no row changes, a newer attempt has taken over. `claimed` and `on_wire` are taken over by a
later attempt of the same activity, which Temporal starts when the earlier one is over or its worker gives no sign of
life, or after the lease. A worker that was only cut off stops at its next change, before DATA if it is late.

A message found `on_wire` may have gone out. At-least-once repeats it under the same Message-ID and counts that;
at-most-once leaves it at `unknown`. What is settled stays settled: a reset in the Temporal UI mails nobody again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, cast
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.control import gate
from models.database import AnyRow, Database, insert, lease, lock_contacts, table
from models.message import Message
from models.standing import standings
from tabiji.domain.orders import SendOutcome, StepOrder
from tabiji.domain.sending.asked import MOST_DELAY, Asked
from tabiji.domain.sending.decide import decide, not_a_rehearsal
from tabiji.domain.sending.house import House
from tabiji.domain.sending.standing import Standing
from tabiji.errors import Busy, Superseded

Audience = Literal["contact", "sales", "team"]
"""Whom a message is for: the contact, or people in the house."""

MOST_DEFERRALS = 5
SETTLED = ("sent", "refused", "failed", "unknown")
_AT_ONCE = timedelta(milliseconds=100)


@dataclass(frozen=True)
class Attempt:
    """Who claims: one attempt of one activity of one run, and how long it can last at most."""

    run_id: str
    activity_id: str
    number: int
    span: timedelta


@dataclass(frozen=True)
class Posting:
    """What is to be sent. Rendered already, for `address`; `subject` is None where nothing can be sent to it."""

    order: StepOrder
    template: str
    subject: str | None
    address: str | None
    audience: Audience = "contact"
    topic: str | None = None
    summary: str | None = None
    delivery: Literal["at_least_once", "at_most_once"] = "at_least_once"
    delay: timedelta = MOST_DELAY
    priority: int = 0

    def asked(self, first_at: datetime) -> Asked:
        """As the rules see it."""
        return Asked(
            topic=self.topic or "",
            at=self.order.at,
            first_at=first_at,
            delay=self.delay,
            priority=self.priority,
            journey=self.order.enrollment_id.partition("/")[0],
            test=self.order.test,
        )


@dataclass(frozen=True)
class Claim:
    """The right to send one message, until somebody else takes it over."""

    key: str
    token: str
    delivery: Literal["at_least_once", "at_most_once"]


def public_id(key: str) -> str:
    """Names a message in links and in its Message-ID: the same in every attempt, and nothing can be read from it."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


class Ledger:
    """Claims messages and writes down what became of them."""

    def __init__(self, database: Database, house: House) -> None:
        self._database = database
        self._house = house

    async def outcome(self, tx: AsyncConnection, key: str) -> SendOutcome | None:
        """What became of a message, once that is settled."""
        messages = table(Message)
        row = (await tx.execute(select(messages.c.state, messages.c.reason).where(messages.c.key == key))).one_or_none()
        return SendOutcome(state=row.state, reason=row.reason) if row is not None and row.state in SETTLED else None

    async def claim(self, posting: Posting, attempt: Attempt) -> Claim | SendOutcome:
        """Claim a message and decide about it, in one transaction under the contact's lock.

        Returns:
            A claim: send it now. Else what became of it, now or in an earlier attempt.

        Raises:
            UnknownContact: The contact is gone.
            Busy: Another attempt holds it, or the contact's address has changed since the mail was rendered.
            Paused: It may not go out now.
        """
        return await self._database.transact(lambda tx: self._claim(tx, posting, attempt))

    async def on_wire(self, claim: Claim, *, stale: bool = False) -> None:
        """Write down that the message may be delivered from now on. At-least-once did that when it claimed.

        Args:
            claim: The right to send it.
            stale: The claim is so old that another attempt may have taken over: look, whatever the delivery.

        Raises:
            Superseded: A newer attempt has taken over.
        """
        if stale or claim.delivery == "at_most_once":
            await self._mark(claim, state="on_wire")

    async def sent(self, claim: Claim, reply: str) -> None:
        """The relay has taken it.

        Raises:
            Superseded: A newer attempt has taken over.
        """
        await self._mark(claim, state="sent", reason=None, reply=reply[:500], stamp=True)

    async def failed(self, claim: Claim, reason: str) -> None:
        """The relay will never take it.

        Raises:
            Superseded: A newer attempt has taken over.
        """
        await self._mark(claim, state="failed", reason=reason[:200])

    async def retry(self, claim: Claim, reason: str) -> None:
        """It surely was not delivered; the next attempt is as good as a first one.

        Raises:
            Superseded: A newer attempt has taken over.
        """
        await self._mark(claim, state="retry", reason=reason[:200])

    async def _claim(self, tx: AsyncConnection, posting: Posting, attempt: Attempt) -> Claim | SendOutcome:
        order, messages = posting.order, table(Message)
        contact = (await lock_contacts(tx, [UUID(order.contact_id)]))[UUID(order.contact_id)]
        # Locked too: an attempt that is about to be superseded may be marking it right now.
        query = select(messages).where(messages.c.key == order.key).with_for_update()
        row = (await tx.execute(query)).one_or_none()
        now = await self._database.now(tx)
        maybe_sent = False
        if row is not None:
            left = _left_by_earlier(row, order, attempt, now)
            if isinstance(left, SendOutcome):
                return left
            maybe_sent = left
        await gate(tx, order, contact.id)
        verdict = await self._verdict(tx, posting, contact, row, maybe_sent=maybe_sent)
        claim = Claim(order.key, uuid4().hex, posting.delivery)
        values = _decided(posting, attempt, claim, verdict, now) | {"contact_id": contact.id}
        if row is None:
            values |= _identity(posting) | {"recorded_at": now}
            values |= {"deferrals": int(values["state"] == "deferred"), "maybe_twice": 0, "asked_at": order.at}
            await tx.execute(insert(tx, Message).values(**values))
        else:
            values["deferrals"] = row.deferrals + (values["state"] == "deferred")
            values["maybe_twice"] = row.maybe_twice + (maybe_sent and verdict is None)
            await tx.execute(update(messages).where(messages.c.key == order.key).values(**values))
        return claim if verdict is None else verdict

    async def _verdict(
        self, tx: AsyncConnection, posting: Posting, contact: AnyRow, row: AnyRow | None, *, maybe_sent: bool
    ) -> SendOutcome | None:
        if maybe_sent and posting.delivery == "at_most_once":
            return SendOutcome(state="unknown", reason="the first attempt ended while it was sending")
        verdict = await self._decide(tx, posting, contact, posting.order.at if row is None else row.asked_at)
        if verdict is None:
            return None
        if maybe_sent:
            return SendOutcome(state="unknown", reason=f"perhaps sent before, not repeated: {verdict.reason}")
        if verdict.state == "deferred" and row is not None and row.deferrals >= MOST_DEFERRALS:
            return SendOutcome(state="refused", reason="deferred_too_often")
        return verdict

    async def _decide(
        self, tx: AsyncConnection, posting: Posting, contact: AnyRow, first_at: datetime
    ) -> SendOutcome | None:
        asked = posting.asked(first_at)
        if posting.audience != "contact":
            return not_a_rehearsal(Standing(address=posting.address), asked, self._house)
        if contact.email != posting.address:
            raise Busy("the contact's address has just changed; the mail is rendered again", retry_after=_AT_ONCE)
        known = await standings(tx, [contact], self._house, topics=[asked.topic])
        verdict = decide(known[contact.id], asked, self._house)
        if verdict is None and posting.subject is None:
            return SendOutcome(state="refused", reason="invalid_address")
        return verdict

    async def _mark(self, claim: Claim, *, state: str, stamp: bool = False, **values: object) -> None:
        messages = table(Message)
        # Marking again what is marked already is no change of hands: the first commit's answer may have been lost.
        # `unknown` under the same token was written by a journey that ended meanwhile; what is known now is better.
        mine = ("claimed", "on_wire", "unknown", state)

        async def work(tx: AsyncConnection) -> int:
            if stamp:
                values["sent_at"] = await self._database.now(tx)
            changed = await tx.execute(
                update(messages)
                .where(
                    messages.c.key == claim.key,
                    messages.c.token == claim.token,
                    messages.c.state.in_(mine),
                )
                .values(state=state, **values)
            )
            return changed.rowcount

        if await self._database.transact(work) == 0:
            raise Superseded(f"message {public_id(claim.key)} is in the hands of a newer attempt")


def _left_by_earlier(row: AnyRow, order: StepOrder, attempt: Attempt, now: datetime) -> SendOutcome | bool:
    """What earlier attempts left: an outcome that stands, or whether the message may have gone out already."""
    if row.state in SETTLED:
        return SendOutcome(state=row.state, reason=row.reason)
    if row.state == "dropped" and row.run_id == attempt.run_id:
        # The journey is over. After a reset another run may send it all the same.
        return SendOutcome(state="refused", reason=row.reason)
    if row.state == "deferred" and row.not_before > order.at:
        return SendOutcome(state="deferred", until=row.not_before, reason=row.reason)
    if row.state not in ("claimed", "on_wire"):
        return False
    same = (row.run_id, row.activity_id) == (attempt.run_id, attempt.activity_id)
    if not (same and attempt.number > row.attempt) and now < row.lease_until:
        rest = cast("timedelta", row.lease_until - now)
        raise Busy(f"message {row.public_id} is held by another attempt", retry_after=rest)
    return bool(row.state == "on_wire")


def _decided(
    posting: Posting, attempt: Attempt, claim: Claim, verdict: SendOutcome | None, now: datetime
) -> dict[str, Any]:
    going = "on_wire" if posting.delivery == "at_least_once" else "claimed"
    return {
        "template": posting.template,
        "recipient": posting.address,
        "priority": posting.priority,
        "topic": posting.topic,
        "subject": posting.subject and posting.subject[:500],
        "summary": posting.summary and posting.summary[:500],
        "state": going if verdict is None else verdict.state,
        "reason": None if verdict is None else verdict.reason,
        "not_before": None if verdict is None else verdict.until,
        "token": claim.token,
        "run_id": attempt.run_id,
        "activity_id": attempt.activity_id,
        "attempt": attempt.number,
        "lease_until": lease(now, attempt.span),
        "at": posting.order.at,
    }


def _identity(posting: Posting) -> dict[str, Any]:
    order = posting.order
    return {
        "key": order.key,
        "public_id": public_id(order.key),
        "enrollment_id": order.enrollment_id,
        "step": order.step,
        "visit": order.visit,
        "audience": posting.audience,
        "channel": "email",
        "test": order.test,
    }
