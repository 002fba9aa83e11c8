"""Whose visit it is that a link in a mail led to a site of ours.

A mail may be passed on, and its links work for whoever has them. So each mail hands over one visitor at most, the
first, and never one who is known already.
"""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contact import Identity
from models.database import table
from models.message import Message
from models.reads.messages import Sent, find_message


def visitor_digest(anonymous_id: str) -> str:
    """What a mail keeps of its visitor."""
    return sha256(anonymous_id.encode()).hexdigest()


async def take_visitor(tx: AsyncConnection, message: str, anonymous_id: str) -> Sent | None:
    """Give a mail its visitor, unless it has had another, or they are known.

    Saying the same again changes nothing and answers the same.

    Args:
        tx: A write transaction.
        message: The message's public id.
        anonymous_id: The visitor's.

    Returns:
        The message whose contact the visitor is; None: nobody may be taken for anybody.
    """
    if await _is_known(tx, anonymous_id):
        return None
    messages, digest = table(Message), visitor_digest(anonymous_id)
    taken = await tx.execute(
        update(messages)
        .where(messages.c.public_id == message, or_(messages.c.visitor.is_(None), messages.c.visitor == digest))
        .values(visitor=digest)
    )
    return await find_message(tx, message) if taken.rowcount else None


async def _is_known(tx: AsyncConnection, anonymous_id: str) -> bool:
    theirs, others = table(Identity), table(Identity).alias()
    query = (
        select(others.c.kind)
        .join(theirs, theirs.c.contact_id == others.c.contact_id)
        .where(theirs.c.kind == "anonymous", theirs.c.value == anonymous_id, others.c.kind != "anonymous")
        .limit(1)
    )
    return (await tx.execute(query)).first() is not None
