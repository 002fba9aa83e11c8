"""A broadcast's recipients: written down when it begins, taken by when each is due, put off and taken again.

The place a turn has come to only ever moves forward: (due, contact). Who is put off gets a later `due`, and so comes
again. What became of anybody is in the ledger alone; asking it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, exists, func, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.audience import members
from models.broadcast import Broadcast, BroadcastRecipient
from models.broadcasts import audience_of, counted
from models.bulk import Rows, among
from models.bulk_change import Changes
from models.contact import Contact
from models.database import AnyRow, Database, database_time, table
from models.ledger import SETTLED
from models.message import Message
from tabiji.domain.broadcasts import Place, State, own_moment
from tabiji.errors import Superseded

GATHERED_AT_ONCE = 500
"""Recipients written down in one transaction, which is to stay under 50 ms."""

_NEW = Rows(BroadcastRecipient, ("broadcast_id", "contact_id", "due", "tries"), unless="broadcast_id, contact_id")
_DUE = Changes(BroadcastRecipient, ("contact_id", "broadcast_id"), ("due",))
_PUT_OFF = Changes(BroadcastRecipient, ("contact_id", "broadcast_id"), ("due", "tries"))


class Recipients:
    """Those of one broadcast, for the attempt that holds it."""

    def __init__(self, database: Database, id: UUID, *, holder: str, zone: ZoneInfo) -> None:
        """`zone`: of those whose own is unknown."""
        self._database = database
        self._id = id
        self._holder = holder
        self._zone = zone

    async def hold(self) -> AnyRow | None:
        """Take the broadcast in hand: whoever held it before claims nothing any more. None: there is none."""
        broadcasts = table(Broadcast)

        async def work(tx: AsyncConnection) -> AnyRow | None:
            mine = broadcasts.c.id == self._id
            await tx.execute(update(broadcasts).where(mine).values(holder=self._holder))
            return (await tx.execute(select(broadcasts).where(mine))).one_or_none()

        return await self._database.transact(work)

    async def guard(self, tx: AsyncConnection) -> None:
        """For a transaction that claims.

        Raises:
            Superseded: Another attempt holds the broadcast, or it is not to go on.
        """
        broadcasts = table(Broadcast)
        mine = (broadcasts.c.id == self._id) & (broadcasts.c.holder == self._holder)
        if await tx.scalar(select(broadcasts.c.state).where(mine)) != State.SENDING.value:
            raise Superseded(f"broadcast {self._id} is in other hands, or over")

    async def begin(self, row: AnyRow) -> None:
        """All are written down: sending begins."""
        broadcasts = table(Broadcast)

        async def work(tx: AsyncConnection) -> None:
            changed = {"total": await counted(tx, self._id), "started_at": await database_time(tx)}
            mine = (broadcasts.c.id == self._id) & (broadcasts.c.state == State.SCHEDULED.value)
            await tx.execute(update(broadcasts).where(mine).values(state=State.SENDING.value, **changed))

        await self._database.transact(work)

    async def gather(self, row: AnyRow, after: UUID | None, now: datetime) -> UUID | None:
        """Write a page of recipients down, by contact. Returns where the next begins; None: there is none."""
        audience = audience_of(row.audience)
        if audience is None:
            return await self._name(row, after, now)
        async with self._database.read() as tx:
            found, cursor = await members(tx, audience, after=after, limit=GATHERED_AT_ONCE)
        rows = [(self._id, one.id, self._due(row, one, now), 0) for one in found]
        await self._database.transact(lambda tx: _NEW.write(tx, rows))
        return cursor

    async def _name(self, row: AnyRow, after: UUID | None, now: datetime) -> UUID | None:
        recipients, contacts = table(BroadcastRecipient), table(Contact)
        query = (
            select(recipients.c.contact_id.label("id"), contacts.c.timezone)
            .join(contacts, contacts.c.id == recipients.c.contact_id)
            .where(recipients.c.broadcast_id == self._id)
            .order_by(recipients.c.contact_id)
            .limit(GATHERED_AT_ONCE)
        )
        async with self._database.read() as tx:
            found = (await tx.execute(query if after is None else query.where(recipients.c.contact_id > after))).all()
        await self._write(_DUE, [(one.id, self._id, self._due(row, one, now)) for one in found])
        return found[-1].id if len(found) == GATHERED_AT_ONCE else None

    def _due(self, row: AnyRow, contact: AnyRow, now: datetime) -> datetime:
        if row.local_at is None:
            return row.at  # type: ignore[no-any-return] # a row's column
        zone = ZoneInfo(contact.timezone) if contact.timezone else self._zone
        return own_moment(datetime.fromisoformat(row.local_at), zone, now=now)

    async def page(self, tx: AsyncConnection, after: Place | None, *, now: datetime, most: int) -> list[AnyRow]:
        """The next who are due, by when they are."""
        recipients = table(BroadcastRecipient)
        query = self._after(after).where(recipients.c.due <= now)
        return list((await tx.execute(query.limit(most))).all())

    async def next_due(self, after: Place | None) -> datetime | None:
        """When the next is due; None: nobody is left."""
        async with self._database.read() as tx:
            found = (await tx.execute(self._after(after).limit(1))).one_or_none()
        return found.due if found is not None else None

    async def put_off(self, people: Sequence[tuple[UUID, datetime | None, int]]) -> None:
        """Take people again later, with how often that was done; None: not any more."""
        await self._write(_PUT_OFF, [(contact, self._id, due, tries) for contact, due, tries in people])

    async def forget(self, contacts: Sequence[UUID]) -> None:
        """Leave out who is gone."""
        recipients = table(BroadcastRecipient)

        async def work(tx: AsyncConnection) -> None:
            gone = (recipients.c.broadcast_id == self._id) & among(tx, recipients.c.contact_id, contacts)
            await tx.execute(recipients.delete().where(gone))

        await self._database.transact(work)

    async def passed_over(self, *, due: datetime) -> int:
        """Make those due that are still open behind the last place: merged on the way, or left by a dead worker."""
        recipients, messages = table(BroadcastRecipient), table(Message)
        settled = exists().where(
            messages.c.broadcast_id == self._id,
            messages.c.contact_id == recipients.c.contact_id,
            messages.c.state.in_(SETTLED),
        )
        mine = (recipients.c.broadcast_id == self._id) & recipients.c.due.is_not(None)
        query = select(recipients.c.contact_id, recipients.c.tries).where(mine, ~settled).limit(GATHERED_AT_ONCE)
        async with self._database.read() as tx:
            found = (await tx.execute(query)).all()
        await self.put_off([(one.contact_id, due, one.tries) for one in found])
        return len(found)

    async def finish(self) -> None:
        """Everybody has had it, or will not."""
        broadcasts = table(Broadcast)

        async def work(tx: AsyncConnection) -> None:
            over = {"state": State.DONE.value, "finished_at": await database_time(tx)}
            mine = (broadcasts.c.id == self._id) & (broadcasts.c.state == State.SENDING.value)
            await tx.execute(update(broadcasts).where(mine).values(**over))

        await self._database.transact(work)

    async def left_by_earlier(self, run_id: str, activity_id: str) -> bool:
        """Whether an attempt before this one has left messages on the wire."""
        messages = table(Message)
        theirs = (messages.c.broadcast_id == self._id) & (messages.c.state == "on_wire")
        query = select(func.count()).where(theirs, messages.c.run_id == run_id, messages.c.activity_id == activity_id)
        async with self._database.read() as tx:
            return bool(await tx.scalar(query))

    def _after(self, after: Place | None) -> Select[*tuple[Any, ...]]:
        recipients = table(BroadcastRecipient)
        mine = (recipients.c.broadcast_id == self._id) & recipients.c.due.is_not(None)
        query = select(recipients.c.contact_id, recipients.c.due, recipients.c.tries).where(mine)
        if after is not None:
            place = tuple_(recipients.c.due, recipients.c.contact_id)
            there = (
                literal(after.due, recipients.c.due.type),
                literal(UUID(after.contact_id), recipients.c.contact_id.type),
            )
            query = query.where(place > tuple_(*there))
        return query.order_by(recipients.c.due, recipients.c.contact_id)

    async def _write(self, changes: Changes, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            await self._database.transact(lambda tx: changes.write(tx, rows))
