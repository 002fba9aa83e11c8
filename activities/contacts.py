"""What journeys change about a contact: score and tags."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from models.contact import Contact, ContactTag
from models.database import Database, insert, lock_contacts, table
from models.score import ScoreEntry
from tabiji.domain.orders import AdjustScore, Done, Score, TagContact


class Contacts:
    """Effects on the contact itself. Each counts once for its step and visit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="adjust_score")
    async def adjust_score(self, order: AdjustScore) -> Score:
        """Add points, once: a second attempt returns what the first one made of it.

        Raises:
            UnknownContact: The contact is gone. Not retried.
        """
        return await self._database.transact(lambda tx: self._adjust(tx, order))

    async def _adjust(self, tx: AsyncConnection, order: AdjustScore) -> Score:
        contact = (await lock_contacts(tx, [UUID(order.contact_id)]))[UUID(order.contact_id)]
        entries, contacts = table(ScoreEntry), table(Contact)
        done = await tx.scalar(select(entries.c.total).where(entries.c.key == order.key))
        if done is not None:
            return Score(total=done)
        total = contact.score + order.points
        await tx.execute(
            insert(tx, ScoreEntry).values(
                key=order.key,
                contact_id=contact.id,
                points=order.points,
                reason=order.reason[:500],
                total=total,
                at=order.at,
                recorded_at=await self._database.now(tx),
            )
        )
        await tx.execute(update(contacts).where(contacts.c.id == contact.id).values(score=total))
        return Score(total=total)

    @activity.defn(name="tag")
    async def tag(self, order: TagContact) -> Done:
        """Put a tag on the contact; one that is there already stays as it is.

        Raises:
            UnknownContact: The contact is gone. Not retried.
        """

        async def work(tx: AsyncConnection) -> None:
            contact = (await lock_contacts(tx, [UUID(order.contact_id)]))[UUID(order.contact_id)]
            row = {
                "contact_id": contact.id,
                "tag": order.tag[:100],
                "at": order.at,
                "recorded_at": await self._database.now(tx),
            }
            await tx.execute(insert(tx, ContactTag).values(**row).on_conflict_do_nothing())

        await self._database.transact(work)
        return Done()
