"""Imports, and pairs of contacts who may be one, as ops see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contact import Contact
from models.database import AnyRow, table
from models.duplicate import Duplicate
from models.import_job import ImportJob
from models.reads.shapes import Shown

_NAMED = ("name", "last_name", "first_name", "kana", "company", "phone", "mobile")
"""Attributes by which somebody tells whether two are one."""


class ImportShown(Shown):
    """One file, and how far it is."""

    id: UUID
    name: str = Field(description="of the file")
    reading: dict[str, Any] = Field(description="encoding, delimiter and mapping")
    trigger: bool = Field(description="whether what it changed could set journeys going")
    rate: float | None = Field(description="people a second, at most; null: as fast as it went")
    state: str = Field(description="running or done; one that runs may have been cut off: `--resume` goes on")
    place: int = Field(description="the last line that was dealt with")
    people: int = Field(description="lines that were imported")
    known: int = Field(description="of these, of people who were there already")
    refused: int = Field(description="lines left out")
    problems: int
    recorded_at: datetime
    finished_at: datetime | None


class SideShown(Shown):
    """One of two who may be one."""

    id: UUID
    email: str | None
    attributes: dict[str, Any] = Field(description="those that tell people apart")
    created_at: datetime


class DuplicateShown(Shown):
    """Two contacts who may be one person, and why."""

    id: UUID
    score: float = Field(description="how alike, from 0 to 1")
    reasons: list[str]
    source: str = Field(description="what found it")
    state: str = Field(description="open, merged or different")
    contacts: list[SideShown]
    recorded_at: datetime
    decided_at: datetime | None
    by: str | None


async def list_imports(tx: AsyncConnection, *, limit: int) -> list[ImportShown]:
    """The latest first."""
    jobs = table(ImportJob)
    rows = await tx.execute(select(jobs).order_by(jobs.c.recorded_at.desc(), jobs.c.id.desc()).limit(limit))
    return [ImportShown.model_validate(row, from_attributes=True) for row in rows.all()]


async def show_import(tx: AsyncConnection, job: UUID) -> ImportShown | None:
    """One import by id."""
    jobs = table(ImportJob)
    row = (await tx.execute(select(jobs).where(jobs.c.id == job))).one_or_none()
    return None if row is None else ImportShown.model_validate(row, from_attributes=True)


async def list_duplicates(tx: AsyncConnection, *, state: str, limit: int) -> list[DuplicateShown]:
    """The likeliest first. A pair of which one was merged away meanwhile is left out while it is open."""
    duplicates, contacts = table(Duplicate), table(Contact)
    query = select(duplicates).where(duplicates.c.state == state)
    if state == "open":
        gone = select(contacts.c.id).where(
            contacts.c.id.in_((duplicates.c.one, duplicates.c.other)), contacts.c.merged_into.is_not(None)
        )
        query = query.where(~gone.exists())
    rows = (await tx.execute(query.order_by(duplicates.c.score.desc(), duplicates.c.id).limit(limit))).all()
    return await _with_sides(tx, rows)


async def show_duplicate(tx: AsyncConnection, pair: UUID) -> DuplicateShown | None:
    """One pair by id."""
    duplicates = table(Duplicate)
    rows = (await tx.execute(select(duplicates).where(duplicates.c.id == pair))).all()
    return next(iter(await _with_sides(tx, rows)), None)


async def _with_sides(tx: AsyncConnection, rows: Sequence[AnyRow]) -> list[DuplicateShown]:
    contacts = table(Contact)
    ids = {side for row in rows for side in (row.one, row.other)}
    found = {row.id: row for row in await tx.execute(select(contacts).where(contacts.c.id.in_(ids)))} if ids else {}
    return [
        DuplicateShown(
            id=row.id,
            score=row.score,
            reasons=row.reasons,
            source=row.source,
            state=row.state,
            contacts=[_side(found[side]) for side in (row.one, row.other) if side in found],
            recorded_at=row.recorded_at,
            decided_at=row.decided_at,
            by=row.by,
        )
        for row in rows
    ]


def _side(contact: AnyRow) -> SideShown:
    told = {name: contact.attributes[name] for name in _NAMED if name in contact.attributes}
    return SideShown(id=contact.id, email=contact.email, attributes=told, created_at=contact.created_at)
