"""Pairs of contacts who may be one person: found among all there are, kept for somebody to look at."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import new_id
from models.contact import Contact, Identity
from models.database import AnyRow, Database, database_time, insert, table
from models.duplicate import Duplicate
from models.incoming import NOBODY, Incoming
from models.record import Recorder
from models.sqlite import Lane
from tabiji.domain.csv.orders import Job, Pair
from tabiji.domain.csv.similar import Likely, traits_of
from tabiji.errors import Refused

PAGE = 1000
"""Contacts read at a time."""
MERGED = "Duplicate Merged"
"""Name of the events that say two are one."""
KEPT_AT_ONCE = 200
MOST = 10_000
"""Pairs one look may put on the list: nobody looks through more."""


class Duplicates:
    """Finds, keeps and settles pairs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def alike(self, likely: Likely[str]) -> Sequence[Pair]:
        """Who of all contacts there are may be one of these. Each pair once, the likeliest first."""
        found: dict[tuple[str, str], Pair] = {}
        async for row in self._contacts():
            me = str(row.id)
            for who, like in likely.like(traits_of(row.attributes, row.email)):
                one, other = sorted((me, who))
                if who != me and len(found) < MOST:
                    found.setdefault((one, other), Pair(one, other, like.score, like.reasons, me, row.email or ""))
        return sorted(found.values(), key=lambda pair: -pair.score)

    async def keep(self, job: Job, pairs: Iterable[Pair]) -> int:
        """See `Store`."""
        pending = iter(pairs)
        new = 0
        while page := list(islice(pending, KEPT_AT_ONCE)):
            new += await self._database.transact(partial(_keep, f"import:{job.id}", page), Lane.OUTBOX)
        return new

    async def tell_apart(self, pair: UUID, *, by: str) -> None:
        """Keep that the two are two: they are not put on the list again."""
        await self._database.transact(partial(_settle, pair, "different", by))

    async def merge(self, pair: UUID, recorder: Recorder, *, at: datetime, by: str) -> None:
        """Make one contact of two. What makes them one is a claim about their identities, as a web app's `alias` is.

        So it is the same whatever comes in meanwhile, and everything of both follows by the rules every merge has.

        Raises:
            Refused: They have no identities by which they could be one; the pair stays open.
        """
        async with self._database.read() as tx:
            duplicates = table(Duplicate)
            row = (await tx.execute(select(duplicates).where(duplicates.c.id == pair))).one()
            names = await _identities(tx, (row.one, row.other))
        for claim in _claims(pair, names[row.one], names[row.other], at):
            # One after the other: the address said last is compared with the one there is by then.
            await recorder.record([claim])
        async with self._database.read() as tx:
            contacts = table(Contact)
            found = await tx.execute(
                select(contacts.c.id, contacts.c.merged_into).where(contacts.c.id.in_((row.one, row.other)))
            )
            standing = {one.merged_into or one.id for one in found}
        if len(standing) != 1:
            raise Refused("these two cannot be merged: their user ids or addresses belong to different people.")
        await self._database.transact(partial(_settle, pair, "merged", by))

    async def _contacts(self) -> AsyncGenerator[AnyRow]:
        contacts = table(Contact)
        query = (
            select(contacts.c.id, contacts.c.email, contacts.c.attributes)
            .where(contacts.c.merged_into.is_(None))
            .order_by(contacts.c.id)
            .limit(PAGE)
        )
        after: UUID | None = None
        while True:
            # A short transaction each: one over all of them would keep the database from cleaning up.
            async with self._database.read() as tx:
                rows = (await tx.execute(query if after is None else query.where(contacts.c.id > after))).all()
            for row in rows:
                yield row
            if len(rows) < PAGE:
                return
            after = rows[-1].id


class _Names(NamedTuple):
    """The user ids and addresses of a contact; the address they are written to is the last."""

    users: list[str]
    emails: list[str]


def _claims(pair: UUID, one: _Names, other: _Names, at: datetime) -> list[Incoming]:
    """What somebody says who knows that two are one. Who has no user id yet gets one, to hang both on."""
    user = next(iter([*one.users, *other.users]), f"merged-{pair}")
    others = [name for name in [*one.users, *other.users] if name != user]
    emails = [*other.emails, *one.emails]
    said = [Incoming(kind="alias", name=MERGED, message_id="", at=at, user_id=user, previous_id=id) for id in others]
    said += [
        Incoming(kind="identify", name=MERGED, message_id="", at=at, user_id=user, email=email) for email in emails
    ]
    return [
        replace(
            one, message_id=f"duplicate:{pair}:{place}", at=at + timedelta(microseconds=place), enrollment_id=NOBODY
        )
        for place, one in enumerate(said)
    ]


async def _settle(pair: UUID, state: str, by: str, tx: AsyncConnection) -> None:
    duplicates = table(Duplicate)
    await tx.execute(
        update(duplicates)
        .where(duplicates.c.id == pair, duplicates.c.state == "open")
        .values(state=state, by=by, decided_at=await database_time(tx))
    )


async def _keep(source: str, pairs: Sequence[Pair], tx: AsyncConnection) -> int:
    now = await database_time(tx)
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "one": UUID(pair.one),
            "other": UUID(pair.other),
            "score": pair.score,
            "reasons": list(pair.reasons),
            "source": source,
            "state": "open",
            "recorded_at": now,
        }
        for pair in pairs
    ]
    duplicates = table(Duplicate)
    statement = insert(tx, Duplicate).on_conflict_do_nothing(index_elements=["one", "other"])
    return len((await tx.execute(statement.returning(duplicates.c.id), rows)).all())


async def _identities(tx: AsyncConnection, contacts: Sequence[UUID]) -> dict[UUID, _Names]:
    identities, people = table(Identity), table(Contact)
    found = {contact: _Names([], []) for contact in contacts}
    query = select(identities).where(identities.c.contact_id.in_(contacts), identities.c.kind.in_(("user", "email")))
    for row in await tx.execute(query.order_by(identities.c.value)):
        (found[row.contact_id].users if row.kind == "user" else found[row.contact_id].emails).append(row.value)
    for row in await tx.execute(select(people.c.id, people.c.email).where(people.c.id.in_(contacts))):
        # Who is written to at an address is written to at it afterwards: it is claimed last.
        emails = found[row.id].emails
        emails[:] = [email for email in emails if email != row.email] + [
            email for email in emails if email == row.email
        ]
    return found
