"""Locks many contacts in one statement, and finds who stands for those that were merged."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from models.driver import fetch
from tabiji.errors import UnknownContact

_POSTGRESQL = "SELECT id, parted_at, merged_into FROM contact WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"
_SQLITE = "SELECT id, parted_at, merged_into FROM contact WHERE id IN (SELECT value FROM json_each(?))"


class Locked(NamedTuple):
    """A contact that is locked, without what is known of it. `parted_at`: an identity has left it then."""

    id: UUID
    parted_at: datetime | None
    merged_into: UUID | None


async def lock_many(tx: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, Locked]:
    """As `models.database.lock_contacts`, for so many that reading their rows would be too much.

    Raises:
        UnknownContact: One of them is not there.
    """

    async def locked(missing: Sequence[UUID]) -> list[Locked]:
        if tx.dialect.name == "postgresql":
            return [Locked(*row) for row in await fetch(tx, _POSTGRESQL, (missing,))]
        by_hex = {id.hex: id for id in missing}
        rows = await fetch(tx, _SQLITE, (json.dumps(list(by_hex)),))
        return [
            Locked(
                by_hex[id],
                parted_at and datetime.fromisoformat(parted_at).replace(tzinfo=UTC),
                merged_into and UUID(merged_into),
            )
            for id, parted_at, merged_into in rows
        ]

    return await as_they_stand(ids, locked)


C = TypeVar("C", bound=Any)  # a row, which says of its columns only when it runs what they are


async def as_they_stand(
    ids: Iterable[UUID], locked: Callable[[Sequence[UUID]], Coroutine[Any, Any, Sequence[C]]]
) -> dict[UUID, C]:
    """Lock contacts, and those they were merged into. Each id asked for comes with who stands for it.

    Raises:
        UnknownContact: One of them is not there.
    """
    asked = set(ids)
    found: dict[UUID, C] = {}
    stands_for = {contact: contact for contact in asked}
    missing = asked
    while missing:
        rows = await locked(sorted(missing))
        found |= {row.id: row for row in rows}
        if len(rows) < len(missing):
            raise UnknownContact(min(missing - found.keys()))
        if len(found) == len(asked) and not any(row.merged_into for row in rows):
            return found
        stands_for = {one: found[target].merged_into or target for one, target in stands_for.items()}
        missing = {target for target in stands_for.values() if target not in found}
    return {one: found[target] for one, target in stands_for.items()}
