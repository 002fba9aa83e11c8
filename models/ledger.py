"""The ledger that makes a message go out once, whether a step of a journey asks for it or a broadcast.

    absent | deferred | retry ──claim──▶ refused
                                         deferred
                                         claimed ──on_wire──▶ on_wire ──▶ sent | failed | retry

At-least-once goes straight to `on_wire`, which saves a commit. Every change is a compare-and-set on `token`, fresh
in each attempt: where no row changes, a newer attempt has taken over. `claimed` and `on_wire` are taken over by a
later attempt of the same activity, which Temporal starts when the earlier one is over or its worker gives no sign of
life, or after the lease. A worker that was only cut off stops at its next change, before DATA if it is late.

A message found `on_wire` may have gone out. At-least-once repeats it under the same Message-ID and counts that;
at-most-once leaves it at `unknown`. What is settled stays settled: a reset in the Temporal UI mails nobody again.

A page of messages takes as many statements as one, which is a page of one.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contact import Contact
from models.control import Effect, met_by
from models.database import AnyRow, Database, lock_contacts, table
from models.giving import Decided, give_arms
from models.ledger_rows import Found, existing, mark, mark_on_wire, write_down
from models.message import Message
from models.posting import (
    Answer,
    Attempt,
    Audience,
    Claim,
    Fate,
    Posting,
    public_id,
)
from models.recent import Moment
from models.returns import Failed, Rules, failed
from models.standing import standings
from tabiji.domain.bounces import Kind
from tabiji.domain.experiments import Draw
from tabiji.domain.orders import SendOutcome
from tabiji.domain.sending.decide import decide, not_a_rehearsal
from tabiji.domain.sending.house import House
from tabiji.domain.sending.pace import PRIORITY
from tabiji.domain.sending.standing import Past, Standing
from tabiji.errors import Busy, Superseded, UnknownContact

__all__ = ["Answer", "Attempt", "Audience", "Claim", "Fate", "Ledger", "Posting", "public_id", "superseded"]

MOST_DEFERRALS = 5
SETTLED = ("sent", "refused", "failed", "unknown")
_AT_ONCE = timedelta(milliseconds=100)

Guard = Callable[[AsyncConnection], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class _Considered:
    """A posting with what was found about it, under its contact's lock."""

    posting: Posting
    contact: AnyRow
    found: Found | None
    maybe_sent: bool = False

    @property
    def first_at(self) -> datetime:
        return self.posting.at if self.found is None else self.found.asked_at

    @property
    def due_at(self) -> datetime:
        """Since when it could have gone out. Who has let others go first has waited already."""
        found = self.found
        if found is None or found.state != "deferred" or PRIORITY in (found.reason or ""):
            return self.first_at
        return found.not_before or self.first_at


class Ledger:
    """Claims messages and writes down what became of them."""

    def __init__(self, database: Database, house: House, rules: Rules | None = None) -> None:
        """`rules`: of what is suppressed when mail is refused for good."""
        self._database = database
        self._house = house
        self._rules = rules

    async def outcome(self, tx: AsyncConnection, key: str) -> SendOutcome | None:
        """What became of a message, once that is settled."""
        messages = table(Message)
        told = select(messages.c.state, messages.c.reason, messages.c.variant).where(messages.c.key == key)
        row = (await tx.execute(told)).one_or_none()
        if row is None or row.state not in SETTLED:
            return None
        return SendOutcome(state=row.state, reason=row.reason, variant=None if row.state == "refused" else row.variant)

    async def claim(self, posting: Posting, attempt: Attempt) -> Claim | SendOutcome:
        """Claim a message and decide about it, in one transaction under the contact's lock.

        Returns:
            A claim: send it now. Else what became of it, now or in an earlier attempt.

        Raises:
            UnknownContact: The contact is gone.
            Busy: Another attempt holds it, or the contact's address has changed since the mail was rendered.
            Paused: It may not go out now.
        """
        [answer] = await self.claim_page([posting], attempt)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def claim_page(
        self, postings: Sequence[Posting], attempt: Attempt, *, guard: Guard | None = None
    ) -> list[Answer]:
        """Claim many messages in one transaction; of each what `claim` returns or raises, in their order.

        Args:
            postings: No two with the same key.
            attempt: Who claims.
            guard: Asked first in the transaction: what it raises stops all of it.
        """

        async def work(tx: AsyncConnection) -> list[Answer]:
            if guard is not None:
                await guard(tx)
            return await self._claim(tx, postings, attempt)

        return await self._database.transact(work)

    async def on_wire(self, claim: Claim, *, stale: bool = False) -> None:
        """Write down that the message may be delivered from now on. At-least-once did that when it claimed.

        Args:
            claim: The right to send it.
            stale: The claim is so old that another attempt may have taken over: look, whatever the delivery.

        Raises:
            Superseded: A newer attempt has taken over.
        """
        if not stale and claim.delivery == "at_least_once":
            return
        if not await self._database.transact(lambda tx: mark_on_wire(tx, claim)):
            raise superseded(claim)

    async def sent(self, claim: Claim, reply: str, relay: str | None = None) -> None:
        """The relay has taken it.

        Raises:
            Superseded: A newer attempt has taken over.
        """
        await self._mark_one(Fate(claim=claim, state="sent", reply=reply, relay=relay))

    async def failed(self, claim: Claim, reason: str, kind: Kind | None = None) -> None:
        """The relay will never take it. By its kind the address may be suppressed.

        Raises:
            Superseded: A newer attempt has taken over.
        """
        await self._mark_one(Fate(claim=claim, state="failed", reason=reason, kind=kind))

    async def retry(self, claim: Claim, reason: str) -> None:
        """It surely was not delivered; the next attempt is as good as a first one.

        Raises:
            Superseded: A newer attempt has taken over.
        """
        await self._mark_one(Fate(claim=claim, state="retry", reason=reason))

    async def mark(self, fates: Sequence[Fate]) -> set[str]:
        """Write down how many messages' sending ended. Returns the keys of those a newer attempt has taken over."""

        async def work(tx: AsyncConnection) -> set[str]:
            marked = await mark(tx, fates)
            failures = [fate for fate in fates if fate.state == "failed" and fate.claim.key in marked]
            if failures:
                await failed(
                    tx,
                    [Failed(public_id(one.claim.key), one.kind or Kind.OTHER, one.reason) for one in failures],
                    at=max(one.claim.at for one in failures),
                    rules=self._rules,
                )
            return marked

        marked = await self._database.transact(work)
        return {fate.claim.key for fate in fates} - marked

    async def _mark_one(self, fate: Fate) -> None:
        if await self.mark([fate]):
            raise superseded(fate.claim)

    async def _claim(self, tx: AsyncConnection, postings: Sequence[Posting], attempt: Attempt) -> list[Answer]:
        contacts = await _locked(tx, {posting.contact_id for posting in postings})
        answers: dict[str, Answer] = {
            posting.key: UnknownContact(posting.contact_id)
            for posting in postings
            if posting.contact_id not in contacts
        }
        there = [posting for posting in postings if posting.contact_id in contacts]
        rows = await existing(tx, there, contacts)
        now = await self._database.now(tx)
        open_: list[_Considered] = []
        had: set[tuple[UUID, UUID]] = set()
        for posting in there:
            contact = contacts[posting.contact_id]
            considered = _considered(posting, contact, rows.get(posting.key), attempt, now)
            if posting.broadcast_id is not None:
                if (posting.broadcast_id, contact.id) in had:
                    considered = SendOutcome(state="refused", reason="merged")
                had.add((posting.broadcast_id, contact.id))
            if isinstance(considered, _Considered):
                open_.append(considered)
            else:
                answers[posting.key] = considered
        met = await met_by(tx, [_effect(one) for one in open_]) if open_ else []
        free = [one for one, pause in zip(open_, met, strict=True) if pause is None]
        answers |= {one.posting.key: pause for one, pause in zip(open_, met, strict=True) if pause is not None}
        answers |= await self._decide_about(tx, free, attempt, now)
        return [answers[posting.key] for posting in postings]

    async def _decide_about(
        self, tx: AsyncConnection, free: Sequence[_Considered], attempt: Attempt, now: datetime
    ) -> dict[str, Answer]:
        known = await self._known(tx, free)
        answers: dict[str, Answer] = {}
        decided: list[tuple[_Considered, SendOutcome | None]] = []
        for one in free:
            verdict = self._verdict(one, known.get(one.contact.id))
            if isinstance(verdict, Busy):
                answers[one.posting.key] = verdict
                continue
            if verdict is None and one.contact.id in known:
                known[one.contact.id] = _with(known[one.contact.id], one.posting)
            decided.append((one, verdict))
        elsewhere = await self._give_arms(tx, decided, known, now)
        new: list[dict[str, Any]] = []
        again: list[dict[str, Any]] = []
        for one, verdict in decided:
            if one.posting.key in elsewhere:
                answers[one.posting.key] = Busy(
                    "the contact has just been given another arm of the test; the mail is rendered again",
                    retry_after=_AT_ONCE,
                )
                continue
            claim = Claim(one.posting.key, uuid4().hex, one.posting.delivery, one.posting.at, one.first_at)
            answers[one.posting.key] = claim if verdict is None else verdict
            (new if one.found is None else again).append(_row(one, attempt, claim, verdict, now))
        await write_down(tx, new, again)
        return answers

    async def _give_arms(
        self,
        tx: AsyncConnection,
        decided: Sequence[tuple[_Considered, SendOutcome | None]],
        known: Mapping[UUID, Standing],
        now: datetime,
    ) -> set[str]:
        asked = [
            Decided(one.posting, one.contact.id, known[one.contact.id], verdict)
            for one, verdict in decided
            if one.contact.id in known and one.posting.audience == "contact"
        ]
        return await give_arms(tx, asked, self._house, now)

    async def _known(self, tx: AsyncConnection, free: Sequence[_Considered]) -> dict[UUID, Standing]:
        asked = [one for one in free if one.posting.audience == "contact"]
        if not asked:
            return {}
        contacts = {one.contact.id: one.contact for one in asked}
        topics = {one.posting.topic or "" for one in asked}
        moment = Moment(min(one.posting.at for one in asked), min(one.posting.priority for one in asked))
        return await standings(
            tx, list(contacts.values()), self._house, topics=topics, moment=moment, holdouts=_holdouts(asked)
        )

    def _verdict(self, one: _Considered, known: Standing | None) -> SendOutcome | Busy | None:
        if one.maybe_sent and one.posting.delivery == "at_most_once":
            return SendOutcome(state="unknown", reason="the first attempt ended while it was sending")
        verdict = self._decide(one, known)
        if verdict is None or isinstance(verdict, Busy):
            return verdict
        if one.maybe_sent:
            return SendOutcome(state="unknown", reason=f"perhaps sent before, not repeated: {verdict.reason}")
        if verdict.state == "deferred" and one.found is not None and one.found.deferrals >= MOST_DEFERRALS:
            return SendOutcome(state="refused", reason="deferred_too_often")
        return verdict

    def _decide(self, one: _Considered, known: Standing | None) -> SendOutcome | Busy | None:
        posting, asked = one.posting, one.posting.asked(one.first_at, one.due_at)
        if known is None or posting.audience != "contact":
            return not_a_rehearsal(Standing(address=posting.address), asked, self._house)
        if one.contact.email != posting.address:
            return Busy("the contact's address has just changed; the mail is rendered again", retry_after=_AT_ONCE)
        verdict = decide(known, asked, self._house)
        if verdict is None and posting.refusal is not None:
            return SendOutcome(state="refused", reason=posting.refusal[:200])
        if verdict is None and posting.subject is None:
            return SendOutcome(state="refused", reason="invalid_address")
        return verdict


async def _locked(tx: AsyncConnection, ids: set[UUID]) -> dict[UUID, AnyRow]:
    """The contacts, locked; without those that are gone."""
    try:
        return await lock_contacts(tx, ids)
    except UnknownContact:
        contacts = table(Contact)
        there = (await tx.execute(select(contacts.c.id).where(contacts.c.id.in_(ids)))).scalars().all()
        return await lock_contacts(tx, there)


def _considered(
    posting: Posting, contact: AnyRow, found: Found | None, attempt: Attempt, now: datetime
) -> _Considered | Answer:
    if found is None:
        return _Considered(posting, contact, None)
    if found.key != posting.key:
        return SendOutcome(state="refused", reason="merged")
    left = _left_by_earlier(found, posting.at, attempt, now)
    return _Considered(posting, contact, found, left) if isinstance(left, bool) else left


def _left_by_earlier(row: Found, at: datetime, attempt: Attempt, now: datetime) -> SendOutcome | Busy | bool:
    """What earlier attempts left: an outcome that stands, or whether the message may have gone out already."""
    if row.state in SETTLED:
        return SendOutcome.model_validate({"state": row.state, "reason": row.reason})
    if row.state == "dropped" and row.run_id == attempt.run_id:
        # The journey is over. After a reset another run may send it all the same.
        return SendOutcome(state="refused", reason=row.reason)
    if row.state == "deferred" and row.not_before is not None and row.not_before > at:
        return SendOutcome(state="deferred", until=row.not_before, reason=row.reason)
    if row.state not in ("claimed", "on_wire"):
        return False
    same = (row.run_id, row.activity_id) == (attempt.run_id, attempt.activity_id)
    if not (same and attempt.number > row.attempt) and now < row.lease_until:
        rest = row.lease_until - now
        return Busy(f"message {public_id(row.key)} is held by another attempt", retry_after=rest)
    return row.state == "on_wire"


def _with(known: Standing, posting: Posting) -> Standing:
    """What counts for the next message of a page to the same person."""
    past = Past(posting.at, posting.topic or "", journey=posting.source, key=posting.key, test=posting.test)
    return replace(known, past=(*known.past, past))


def _holdouts(asked: Sequence[_Considered]) -> list[Draw]:
    """Of the journeys of a page, each once."""
    found = {one.posting.holdout.experiment: one.posting.holdout for one in asked if one.posting.holdout is not None}
    return list(found.values())


def _effect(one: _Considered) -> Effect:
    posting, contact_id = one.posting, str(one.contact.id)
    return Effect(
        contact_id,
        frozenset({str(posting.contact_id), contact_id}),
        posting.enrollment_id,
        str(posting.broadcast_id) if posting.broadcast_id is not None else None,
        key=posting.key,
        at=posting.at,
        test=posting.test,
    )


def _row(
    one: _Considered, attempt: Attempt, claim: Claim, verdict: SendOutcome | None, now: datetime
) -> dict[str, Any]:
    posting, found = one.posting, one.found
    going = "on_wire" if posting.delivery == "at_least_once" else "claimed"
    state = going if verdict is None else verdict.state
    return {
        "key": posting.key,
        "public_id": public_id(posting.key),
        "enrollment_id": posting.enrollment_id,
        "broadcast_id": posting.broadcast_id,
        "contact_id": one.contact.id,
        "step": posting.step,
        "visit": posting.visit,
        "audience": posting.audience,
        "channel": "email",
        "test": posting.test,
        "asked_at": one.first_at,
        "recorded_at": now,
        "template": posting.template,
        "experiment": posting.tested.draw.experiment if posting.tested is not None else None,
        "variant": posting.variant,
        "recipient": posting.address,
        "priority": posting.priority,
        "topic": posting.topic,
        "subject": posting.subject and posting.subject[:500],
        "summary": posting.summary and posting.summary[:500],
        "state": state,
        "reason": None if verdict is None else verdict.reason and verdict.reason[:200],
        "not_before": None if verdict is None else verdict.until,
        "token": claim.token,
        "run_id": attempt.run_id,
        "activity_id": attempt.activity_id,
        "attempt": attempt.number,
        "lease_until": now + attempt.span,
        "at": posting.at,
        "deferrals": (found.deferrals if found else 0) + (state == "deferred"),
        "maybe_twice": (found.maybe_twice if found else 0) + (one.maybe_sent and verdict is None),
    }


def superseded(claim: Claim) -> Superseded:
    """For whoever finds that a claim no longer holds."""
    return Superseded(f"message {public_id(claim.key)} is in the hands of a newer attempt")
