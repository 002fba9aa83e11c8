"""Segments: the one place that says who is in one."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import AnyRow
from tabiji.errors import UnknownSegment


async def in_segment(tx: AsyncConnection, contact: AnyRow, name: str) -> bool:
    """Whether a contact is in a segment now.

    Raises:
        UnknownSegment: There is none of that name.
    """
    # Nothing defines segments yet: the answer is an error that says so, not a no.
    raise UnknownSegment(name)
