"""What becomes of mail that comes in: it is matched to a message of ours, and what it says is done. Once each.

    reception = Reception(database, returns, clock, addresses)
    await reception.take(content, sender="", recipients=["b+…@mail.example.com"])

Matched by a signed address first; then by the Message-ID of ours it brings back; of a failure alone, lastly, by the
address that failed, where that was written to lately. What matches nothing is kept for a look, and suppresses nobody.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import new_id
from models.clock import Clock
from models.database import AnyRow, Database, database_time, insert, table
from models.inbound_mail import InboundMail
from models.message import Message
from models.returns import Returns, latest_to
from models.suppressions import as_contacts_have_it
from tabiji.channels.email import addresses
from tabiji.channels.email.inbound.letter import Letter, Sort, read
from tabiji.channels.email.inbound.report import Action, Fate
from tabiji.domain.bounces import NAMES, effect

log = structlog.stdlib.get_logger(__name__)

LATELY = timedelta(days=5)
"""Servers give up after so long: a failed address alone names a message no older than that."""
KEPT = 64 << 10
"""Bytes of a mail that matched nothing."""
KEPT_FOR = timedelta(days=30)

BY_ADDRESS, BY_MESSAGE_ID, BY_RECIPIENT = "address", "message id", "recipient"


@dataclass(frozen=True, slots=True)
class Match:
    """The message of ours a mail is about, and how that is known."""

    message: str
    by: str
    recipient: str | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a mail. `again`: it had come before."""

    sort: str
    match: Match | None = None
    outcome: str | None = None
    again: bool = False


class Reception:
    """Takes mail in."""

    def __init__(self, database: Database, returns: Returns, clock: Clock, ours: addresses.Returns) -> None:
        self._database = database
        self._returns = returns
        self._clock = clock
        self._ours = ours

    async def take(self, content: bytes, *, sender: str, recipients: Sequence[str]) -> Taken:
        """Understand a mail, do what follows, and write it down. When this returns, nothing can be lost any more.

        Args:
            content: As it came.
            sender: Of its envelope.
            recipients: Of its envelope: addresses of ours.

        Raises:
            DatabaseDown: The mail may come again; what was done already is not done twice.
        """
        try:
            letter = await asyncio.to_thread(read, content, sender=sender, domain=self._ours.domain)
        except Exception as error:
            # Whoever sent it would send it again for days, and it would be no easier to read.
            log.warning("inbound.unreadable", problem=type(error).__name__)
            letter = Letter(key=_digest(content), sort=Sort.NOTICE)
        async with self._database.read() as tx:
            if (known := await _known(tx, letter.key)) is not None:
                return Taken(known.sort, again=True)
            match = await self._match(tx, letter, recipients, null_sender=not sender)
        at = self._clock.now()
        fate = _about_us(letter.fates, match) if match is not None else None
        taken = Taken(letter.sort.value, match)
        if match is not None:
            taken = Taken(letter.sort.value, match, await self._follow(letter, match, fate, at))
        await self._database.transact(lambda tx: _write(tx, letter, taken, fate, content))
        log.info("inbound.taken", sort=taken.sort, by=match.by if match else None, outcome=taken.outcome)
        return taken

    async def _follow(self, letter: Letter, match: Match, fate: Fate | None, at: datetime) -> str | None:
        """Do what a mail says. Returns the outcome of a failure."""
        match letter.sort:
            case Sort.FAILURE:
                return await self._failed(match, fate, at)
            case Sort.COMPLAINT:
                await self._returns.complained(match.message, source="inbound", at=at)
            case Sort.LEAVES:
                await self._returns.left(match.message, key=letter.key, source="reply", at=at)
            case Sort.REPLY:
                text, key = letter.text, letter.key
                await self._returns.replied(match.message, text=text, key=key, source="inbound", at=at)
            case Sort.AUTO_REPLY | Sort.CHALLENGE:
                await self._returns.auto_replied(match.message, key=letter.key, at=at)
            case _:
                pass
        return None

    async def _failed(self, match: Match, fate: Fate | None, at: datetime) -> str | None:
        if fate is None or fate.action is not Action.FAILED:
            return None
        await self._returns.bounced(
            match.message, fate.kind, permanent=fate.permanent, evidence=fate.evidence, source="inbound", at=at
        )
        return NAMES[effect(fate.kind, permanent=fate.permanent)]

    async def _match(
        self, tx: AsyncConnection, letter: Letter, recipients: Sequence[str], *, null_sender: bool
    ) -> Match | None:
        signed = [found.message for one in (*recipients, *letter.addresses) if (found := self._ours.read(one))]
        if (row := await _first_known(tx, signed)) is not None:
            return Match(row.public_id, BY_ADDRESS, row.recipient)
        if (row := await _first_known(tx, letter.messages)) is not None:
            return Match(row.public_id, BY_MESSAGE_ID, row.recipient)
        if letter.sort is Sort.FAILURE and null_sender:
            # Anybody may say that an address failed: servers do so without a sender, and soon.
            since = self._clock.now() - LATELY
            for fate in letter.fates:
                for address in fate.addresses:
                    if (row := await latest_to(tx, address, since=since)) is not None:
                        return Match(row.public_id, BY_RECIPIENT, row.recipient)
        return None


def _about_us(fates: Sequence[Fate], match: Match) -> Fate | None:
    """What a report says of the one recipient a message of ours has.

    A report may be about others too. Where it does not name ours, the address was handed on: then it is about what is
    left, and where that is several, the mildest.
    """
    recipient = as_contacts_have_it(match.recipient or "")
    named = [fate for fate in fates if recipient in {as_contacts_have_it(one) for one in fate.addresses}]
    return min(named or fates, key=_weight, default=None)


def _weight(fate: Fate) -> int:
    if fate.action is not Action.FAILED:
        return 0
    return ("blocked", "soft", "hard").index(NAMES[effect(fate.kind, permanent=fate.permanent)]) + 1


async def _first_known(tx: AsyncConnection, public_ids: Sequence[str]) -> AnyRow | None:
    """The first of these that is a message of ours."""
    if not public_ids:
        return None
    messages = table(Message)
    query = select(messages.c.public_id, messages.c.recipient).where(messages.c.public_id.in_(public_ids))
    rows = {row.public_id: row for row in await tx.execute(query)}
    return next((rows[one] for one in public_ids if one in rows), None)


async def _known(tx: AsyncConnection, key: str) -> AnyRow | None:
    rows = table(InboundMail)
    return (await tx.execute(select(rows.c.sort).where(rows.c.key == key))).one_or_none()


async def _write(tx: AsyncConnection, letter: Letter, taken: Taken, fate: Fate | None, content: bytes) -> None:
    now = await database_time(tx)
    row: dict[str, Any] = {
        "id": new_id(),
        "key": letter.key,
        "sort": taken.sort,
        "message": taken.match.message if taken.match else None,
        "matched": taken.match.by if taken.match else None,
        "outcome": taken.outcome,
        "evidence": fate.evidence if fate and taken.outcome else None,
        "size": len(content),
        "content": None if taken.match else content[:KEPT],
        "recorded_at": now,
    }
    await tx.execute(insert(tx, InboundMail).values(**row).on_conflict_do_nothing(index_elements=["key"]))
    if taken.match is None:
        await _forget(tx, now)


async def _forget(tx: AsyncConnection, now: datetime) -> None:
    """Drop what was kept for a look long ago."""
    rows = table(InboundMail)
    old = rows.c.matched.is_(None) & rows.c.content.is_not(None) & (rows.c.recorded_at < now - KEPT_FOR)
    await tx.execute(update(rows).where(old).values(content=None))
    await tx.execute(delete(rows).where(rows.c.recorded_at < now - 12 * KEPT_FOR, rows.c.matched.is_(None)))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
