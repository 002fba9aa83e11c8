"""Contacts as lines of a table that imports again to the same.

A column for each attribute there is would ask for all contacts to be read twice, so the first pass reads their names
alone. Lines come page by page; a contact that changes meanwhile is there once, as it was or as it is.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.audience import members
from models.consents import certain, latest_last
from models.contact import Consent, ContactTag, Identity
from models.database import AnyRow, Database, table
from models.roster import ListMember
from models.schema import check
from tabiji.domain.audience import Audience, Both, Everyone, Listed, Tagged
from tabiji.domain.csv.mapping import ATTRIBUTE, CONSENT, OF_CONSENT, topic_of
from tabiji.domain.csv.values import exact_written, names_written
from tabiji.errors import Refused
from tabiji.settings import Settings

PAGE = 500
FIXED = ("email", "user_id", "timezone", "locale", "tags", "lists")
SAID_ONLY = ("contact_id", "stage", "score", "created_at")
"""Columns an import does not read."""


def audience_of(where: Sequence[str]) -> Audience:
    """Who is meant by `tag=NAME` and `list=NAME`, all of them together.

    Raises:
        Refused: It says something else.
    """
    parts: list[Audience] = []
    for text in where:
        kind, equals, name = text.partition("=")
        if not equals or not name or kind.strip() not in ("tag", "list"):
            raise Refused(f"--where {text!r}: say tag=NAME or list=NAME.")
        parts.append(Tagged(tag=name.strip()) if kind.strip() == "tag" else Listed(list=name.strip()))
    if not parts:
        return Everyone()
    return parts[0] if len(parts) == 1 else Both(of=tuple(parts))


@dataclass(frozen=True)
class _Beside:
    """What is known of a page of contacts beside their rows."""

    users: dict[UUID, list[str]]
    tags: dict[UUID, list[str]]
    lists: dict[UUID, list[str]]
    consents: dict[tuple[UUID, str], AnyRow]


async def lines_of(database: Database, where: Sequence[str], columns: Sequence[str]) -> AsyncGenerator[list[str]]:
    """The header, then a line for each contact.

    Raises:
        Refused: `where` or `columns` name what is not there.
    """
    audience = audience_of(where)
    header = list(columns) or [*FIXED, *await _columns_there_are(database, audience)]
    if strange := [name for name in header if not _is_column(name)]:
        raise Refused(
            f"no column {strange[0]!r}: say {', '.join([*FIXED, *SAID_ONLY])}, attributes.NAME or consent.TOPIC."
        )
    yield header
    after: UUID | None = None
    while True:
        # Whoever reads the lines may be slow, or stop: no transaction waits for them.
        async with database.read() as tx:
            rows, after = await members(tx, audience, after=after, limit=PAGE)
            beside = await _beside(tx, rows)
        for row in rows:
            yield [_cell(name, row, beside) for name in header]
        if after is None:
            return


async def _columns_there_are(database: Database, audience: Audience) -> list[str]:
    names: set[str] = set()
    topics: set[str] = set()
    consents = table(Consent)
    after: UUID | None = None
    while True:
        async with database.read() as tx:
            rows, after = await members(tx, audience, after=after, limit=PAGE)
            query = select(consents.c.topic).where(consents.c.contact_id.in_([row.id for row in rows])).distinct()
            topics.update((await tx.execute(query)).scalars())
        for row in rows:
            names.update(row.attributes)
        if after is None:
            break
    of_consent = [f"{CONSENT}{topic}{part}" for topic in sorted(topics) for part in _PARTS]
    return [*(f"{ATTRIBUTE}{name}" for name in sorted(names)), *of_consent]


_PARTS = ("", *(f".{part}" for part in OF_CONSENT))


async def _beside(tx: AsyncConnection, rows: Sequence[AnyRow]) -> _Beside:
    ids = [row.id for row in rows]
    identities, consents = table(Identity), table(Consent)
    users = select(identities.c.contact_id, identities.c.value).where(
        identities.c.contact_id.in_(ids), identities.c.kind == "user"
    )
    tags, lists = table(ContactTag), table(ListMember)
    decided = select(consents).where(consents.c.contact_id.in_(ids)).order_by(*latest_last(consents))
    return _Beside(
        await _grouped(tx, users),
        await _grouped(tx, select(tags.c.contact_id, tags.c.tag).where(tags.c.contact_id.in_(ids))),
        await _grouped(tx, select(lists.c.contact_id, lists.c.list).where(lists.c.contact_id.in_(ids))),
        {(row.contact_id, row.topic): row for row in await tx.execute(decided.where(certain(consents)))},
    )


async def _grouped(tx: AsyncConnection, query: Any) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {}
    row: AnyRow
    for row in await tx.execute(query):
        found.setdefault(row[0], []).append(row[1])
    return {contact: sorted(values) for contact, values in found.items()}


def _is_column(name: str) -> bool:
    return name in (*FIXED, *SAID_ONLY) or (name.startswith((ATTRIBUTE, CONSENT)) and not name.endswith("."))


def _cell(name: str, row: AnyRow, beside: _Beside) -> str:
    if name.startswith(ATTRIBUTE):
        attribute = name.removeprefix(ATTRIBUTE)
        return exact_written(row.attributes[attribute]) if attribute in row.attributes else ""
    if name.startswith(CONSENT):
        return _decision(name, row, beside)
    match name:
        case "user_id":
            return next(iter(beside.users.get(row.id, [])), "")
        case "tags" | "lists":
            found: dict[UUID, list[str]] = getattr(beside, name)
            return names_written(found[row.id]) if row.id in found else ""
        case "contact_id":
            return str(row.id)
        case _:
            value = getattr(row, name)
            return "" if value is None else str(value)


def _decision(name: str, row: AnyRow, beside: _Beside) -> str:
    topic, part = topic_of(name)
    said = beside.consents.get((row.id, topic))
    if said is None:
        return ""
    match part:
        case "given":
            return "yes" if said.given else "no"
        case "at":
            return str(said.at.isoformat())
        case _:
            return getattr(said, part) or ""


@asynccontextmanager
async def open_export(
    settings: Settings, *, where: Sequence[str], columns: Sequence[str]
) -> AsyncGenerator[AsyncIterator[list[str]]]:
    """Contacts as the settings' database has them."""
    database = Database(settings.database, pool=2)
    try:
        await check(database)
        yield lines_of(database, where, columns)
    finally:
        await database.close()
