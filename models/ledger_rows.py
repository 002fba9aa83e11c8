"""The ledger's statements: each reads or writes a page of messages, and takes as long for one as one did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.bulk import Rows, among
from models.bulk_change import Changes
from models.database import AnyRow, database_time, table
from models.message import Message
from models.posting import Claim, Fate, Posting

_IDENTITY = (
    "key",
    "public_id",
    "enrollment_id",
    "broadcast_id",
    "step",
    "visit",
    "audience",
    "channel",
    "test",
    "asked_at",
    "recorded_at",
)
_DECIDED = (
    "contact_id",
    "template",
    "experiment",
    "variant",
    "recipient",
    "priority",
    "topic",
    "subject",
    "summary",
    "state",
    "reason",
    "not_before",
    "token",
    "run_id",
    "activity_id",
    "attempt",
    "lease_until",
    "at",
    "deferrals",
    "maybe_twice",
)
_NEW = Rows(Message, (*_IDENTITY, *_DECIDED))
_AGAIN = Changes(Message, ("key",), _DECIDED)
# Marking again what is marked already is no change of hands: the first commit's answer may have been lost. `unknown`
# under the same token was written by a journey that ended meanwhile; what is known now is better.
_MINE = "message.state IN ('claimed', 'on_wire', 'unknown', '{state}')"
_ENDS = ("state", "reason", "reply", "relay", "sent_at")
_MARKS = {
    state: Changes(Message, ("key", "token"), _ENDS, where=_MINE.format(state=state))
    for state in ("sent", "failed", "retry")
}
_ON_WIRE = Changes(Message, ("key", "token"), ("state",), where=_MINE.format(state="on_wire"))


class Found(NamedTuple):
    """What a message's row says about earlier attempts."""

    key: str
    contact_id: UUID
    state: str
    reason: str | None
    run_id: str
    activity_id: str
    attempt: int
    lease_until: datetime
    not_before: datetime | None
    deferrals: int
    maybe_twice: int
    asked_at: datetime


async def existing(
    tx: AsyncConnection, postings: Sequence[Posting], contacts: Mapping[UUID, AnyRow]
) -> dict[str, Found]:
    """Rows there are already, by the key of the posting, locked.

    Of a broadcast it is the row of the contact: who was merged into somebody that has had the mail has had it, under
    another key.
    """
    if not postings:
        return {}
    messages = table(Message)
    columns = [messages.c[name] for name in Found._fields]
    keys = [posting.key for posting in postings]
    # Locked too: an attempt that is about to be superseded may be marking them right now.
    query = select(*columns).order_by(messages.c.key).with_for_update()
    same = messages.c.key == keys[0] if len(keys) == 1 else among(tx, messages.c.key, keys)
    found = {row.key: Found(*row) for row in await tx.execute(query.where(same))}
    for broadcast_id in {posting.broadcast_id for posting in postings} - {None}:
        theirs = {contacts[one.contact_id].id: one.key for one in postings if one.broadcast_id == broadcast_id}
        of_broadcast = (messages.c.broadcast_id == broadcast_id) & among(tx, messages.c.contact_id, theirs)
        for row in await tx.execute(query.where(of_broadcast)):
            found.setdefault(theirs[row.contact_id], Found(*row))
    return found


async def write_down(tx: AsyncConnection, new: Sequence[Mapping[str, Any]], again: Sequence[Mapping[str, Any]]) -> None:
    """Write what was decided: of messages that have no row yet, and of those that have."""
    await _NEW.write(tx, [[row[name] for name in (*_IDENTITY, *_DECIDED)] for row in new])
    await _AGAIN.write(tx, [[row[name] for name in ("key", *_DECIDED)] for row in again])


async def mark(tx: AsyncConnection, fates: Sequence[Fate]) -> set[str]:
    """Write down how sending ended. Returns the keys of those that were still in the claims' hands."""
    marked: set[str] = set()
    now = await database_time(tx)
    for state, change in _MARKS.items():
        rows = [_ended(fate, now) for fate in fates if fate.state == state]
        marked |= await change.write(tx, rows)
    return marked


async def mark_on_wire(tx: AsyncConnection, claim: Claim) -> bool:
    """Whether the claim still holds, and the message may be delivered from now on."""
    return bool(await _ON_WIRE.write(tx, [(claim.key, claim.token, "on_wire")]))


def _ended(fate: Fate, now: datetime) -> tuple[Any, ...]:
    return (
        fate.claim.key,
        fate.claim.token,
        fate.state,
        fate.reason and fate.reason[:200],
        fate.reply and fate.reply[:500],
        fate.relay,
        now if fate.state == "sent" else None,
    )
