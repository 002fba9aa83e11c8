"""Moves what is of people to whom it belongs, when it turns out who they are.

Where an identity belongs to somebody else, all that came under it goes there: events, consents, what was said, and
membership of accounts. What was done with the contact (journeys, mails, tags, points) stays. Where a contact has
nothing left that is its own it is merged: everything goes, and its id leads to the other from now on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import metadata
from models.bulk import among
from models.change import Told, change_id
from models.contact import Contact, Identity
from models.database import AnyRow, table
from models.enroll import Pending
from models.merge import every_table, everything_to
from models.profiles import refresh
from models.waking import wake
from tabiji.domain.facts import Fact
from tabiji.domain.identities import Key, Known, written


@dataclass(frozen=True, slots=True)
class Moves:
    """What changes of identities that were there before."""

    rows: Mapping[Key, tuple[Known, UUID]]
    """What is known of them now, and the contact each leads to."""
    moved: Mapping[Key, tuple[UUID, UUID]]
    """From which contact to which."""
    merged: Mapping[UUID, UUID]
    """Contacts that are merged away, and into which."""

    def __bool__(self) -> bool:
        return bool(self.rows or self.merged)


@dataclass
class Done:
    """What came of it."""

    rows: dict[UUID, AnyRow]
    """The contacts as they are now."""
    pending: list[Pending] = field(default_factory=list[Pending])
    told: list[tuple[UUID, Told]] = field(default_factory=list[tuple[UUID, Told]])


async def move(
    tx: AsyncConnection, moves: Moves, rows: dict[UUID, AnyRow], *, at: datetime, recorded_at: datetime
) -> Done:
    """Move and merge, in this transaction.

    Args:
        tx: Where all these contacts are locked.
        moves: What changes.
        rows: The contacts, read under their lock.
        at: Journey time of what this does to journeys.
        recorded_at: Database time.
    """
    await _write_identities(tx, moves.rows)
    if not moves.moved and not moves.merged:
        return Done(rows)
    for (source, to), keys in _grouped(moves.moved).items():
        await _take_along(tx, source, to, [written(key) for key in keys])
    parted = {source for source, _ in moves.moved.values()} - moves.merged.keys()
    if parted:
        contacts = table(Contact)
        await tx.execute(update(contacts).where(among(tx, contacts.c.id, parted)).values(parted_at=recorded_at))
    done, scores = Done(rows), dict[UUID, int]()
    for loser, winner in sorted(moves.merged.items()):
        done.pending += await everything_to(tx, rows[loser], winner, at=at, recorded_at=recorded_at)
        message_id = change_id(f"merge/{loser}/{recorded_at.isoformat()}", Fact.CONTACT_MERGED)
        done.told.append((winner, Told(Fact.CONTACT_MERGED, message_id, {"contact": str(loser)})))
        if points := rows[loser].score:
            before = scores.get(winner, rows[winner].score)
            scores[winner] = before + points
            told: dict[str, JsonValue] = {"before": before, "after": before + points, "points": points}
            told["reason"] = "another contact turned out to be this one"
            score_id = change_id(f"merge/{loser}/{recorded_at.isoformat()}", Fact.SCORE_CHANGED)
            done.told.append((winner, Told(Fact.SCORE_CHANGED, score_id, told)))
    gained = {to for _, to in moves.moved.values()} | {*moves.merged.values()}
    cause = f"merge/{recorded_at.isoformat()}"
    done.rows, told_of = await refresh(tx, rows, gained | parted, lost=moves.moved.keys(), source=cause)
    done.told += told_of
    done.pending += await wake(tx, gained, recorded_at=recorded_at)
    return done


def columns(known: Known) -> dict[str, Any]:
    """The columns of `identity` that say what is known of it."""
    user, email = known.user, known.email
    return {
        "first_user": user.value if user else None,
        "first_user_at": user.at if user else None,
        "first_user_doubted": user.doubted if user else False,
        "first_email": email.value if email else None,
        "first_email_at": email.at if email else None,
    }


async def _write_identities(tx: AsyncConnection, rows: Mapping[Key, tuple[Known, UUID]]) -> None:
    if not rows:
        return
    identities = table(Identity)
    mine = (identities.c.kind == bindparam("of_kind")) & (identities.c.value == bindparam("of_value"))
    values = [
        {"of_kind": kind, "of_value": value, "contact_id": contact, **columns(known)}
        for (kind, value), (known, contact) in sorted(rows.items())
    ]
    names = [name for name in values[0] if name not in ("of_kind", "of_value")]
    await tx.execute(update(identities).where(mine).values({name: bindparam(name) for name in names}), values)


def _grouped(moved: Mapping[Key, tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], list[Key]]:
    grouped: dict[tuple[UUID, UUID], list[Key]] = defaultdict(list)
    for key, way in sorted(moved.items()):
        grouped[way].append(key)
    return grouped


async def _take_along(tx: AsyncConnection, source: UUID, to: UUID, identities: Iterable[str]) -> None:
    """What came under these identities."""
    every_table()
    for rows in metadata.sorted_tables:
        if "identity" in rows.c and "contact_id" in rows.c:
            mine = (rows.c.contact_id == source) & among(tx, rows.c.identity, identities)
            await tx.execute(update(rows).where(mine).values(contact_id=to))
