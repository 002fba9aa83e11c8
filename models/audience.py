"""An audience in the database: a clause that finds all who are meant, and the pure filter, which has the last word.

Tags, lists, stage, consent and score the database decides itself. Of attributes it tells what it can: JSON compares
differently in Python, SQLite and PostgreSQL, and regular expressions, dotted paths and dates are Python's alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, exists, false, func, not_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from models.consents import counts_for, decisions_in_force, latest_first
from models.contact import Consent, Contact, ContactTag
from models.database import AnyRow, table
from models.roster import ListMember
from tabiji.domain.attributes import PROFILE
from tabiji.domain.audience import (
    Attribute,
    Audience,
    Both,
    Consented,
    Either,
    Everyone,
    Listed,
    Person,
    Scored,
    Staged,
    Tagged,
    Without,
)
from tabiji.domain.tests import Equals, OneOf, Test


class Told(NamedTuple):
    """What the database can tell. Exact: these and no others; else all of these, and more."""

    clause: ColumnElement[bool]
    exact: bool


def told(audience: Audience) -> Told:
    """Rows of the contact table that are, or may be, meant."""
    contacts = table(Contact)
    match audience:
        case Everyone():
            return Told(true(), exact=True)
        case Tagged():
            tags = table(ContactTag)
            return Told(exists().where(tags.c.contact_id == contacts.c.id, tags.c.tag == audience.tag), exact=True)
        case Listed():
            on = table(ListMember)
            on_it = exists().where(on.c.contact_id == contacts.c.id, on.c.list == audience.list)
            return Told(on_it, exact=True)
        case Staged():
            return Told(func.coalesce(contacts.c.stage == audience.stage, false()), exact=True)
        case Consented():
            return Told(_consented(contacts, audience.topic), exact=True)
        case Scored():
            return Told(_scored(contacts, audience), exact=True)
        case Attribute():
            return Told(_attribute(contacts, audience.test), exact=False)
        case Both() | Either():
            parts = [told(part) for part in audience.of]
            join = and_ if isinstance(audience, Both) else or_
            return Told(join(*(part.clause for part in parts)), exact=all(part.exact for part in parts))
        case Without():
            part = told(audience.of)
            # What may be in it may be outside it, too.
            return Told(not_(part.clause) if part.exact else true(), exact=part.exact)


async def members(
    tx: AsyncConnection, audience: Audience, *, after: UUID | None, limit: int, among: ColumnElement[bool] | None = None
) -> tuple[list[AnyRow], UUID | None]:
    """One page of an audience, by id; only `among` these, where that is said. Merged contacts are left out.

    Returns:
        The contacts' rows, fewer than `limit` where the pure filter had to decide, and the id after which the next page
        begins; None when there is none.
    """
    contacts = table(Contact)
    clause, exact = told(audience)
    page = select(contacts).where(contacts.c.merged_into.is_(None), clause)
    page = (page if among is None else page.where(among)).order_by(contacts.c.id).limit(limit)
    rows = list((await tx.execute(page if after is None else page.where(contacts.c.id > after))).all())
    cursor: UUID | None = rows[-1].id if len(rows) == limit else None
    if not exact:
        people = await people_behind(tx, rows)
        rows = [row for row in rows if audience.includes(people[row.id])]
    return rows, cursor


async def count(tx: AsyncConnection, audience: Audience) -> int:
    """How many contacts an audience has now."""
    contacts = table(Contact)
    clause, exact = told(audience)
    if exact:
        counted = select(func.count()).select_from(contacts).where(contacts.c.merged_into.is_(None), clause)
        return await tx.scalar(counted) or 0
    found, after = 0, None
    while True:
        rows, after = await members(tx, audience, after=after, limit=1000)
        found += len(rows)
        if after is None:
            return found


async def people_behind(tx: AsyncConnection, rows: Sequence[AnyRow]) -> dict[UUID, Person]:
    """Contacts as the pure filter looks at them."""
    ids = [row.id for row in rows]
    decided = await decisions_in_force(tx, ids)
    tags = await _grouped(tx, table(ContactTag), "tag", ids)
    lists = await _grouped(tx, table(ListMember), "list", ids)
    return {
        row.id: Person(
            attributes=row.attributes | {name: value for name in PROFILE if (value := getattr(row, name)) is not None},
            tags=tags.get(row.id, frozenset()),
            lists=lists.get(row.id, frozenset()),
            stage=row.stage,
            consents=decided[row.id].agreed if row.id in decided else frozenset(),
            score=row.score,
        )
        for row in rows
    }


async def _grouped(
    tx: AsyncConnection, of: Table, column: str, ids: Sequence[UUID], *where: ColumnElement[bool]
) -> dict[UUID, frozenset[str]]:
    query = select(of.c.contact_id, of.c[column].label("value")).where(of.c.contact_id.in_(ids), *where)
    found: dict[UUID, set[str]] = {}
    for row in (await tx.execute(query)).all():
        found.setdefault(row.contact_id, set()).add(row.value)
    return {contact: frozenset(values) for contact, values in found.items()}


def _consented(contacts: Table, topic: str) -> ColumnElement[bool]:
    consents = table(Consent)
    latest = (
        select(consents.c.given)
        .where(consents.c.contact_id == contacts.c.id, counts_for(consents, topic))
        .order_by(*latest_first(consents))
        .limit(1)
    )
    return func.coalesce(latest.scalar_subquery(), false())


def _scored(contacts: Table, audience: Scored) -> ColumnElement[bool]:
    bounds = [contacts.c.score >= audience.at_least] if audience.at_least is not None else []
    bounds += [contacts.c.score < audience.below] if audience.below is not None else []
    return and_(*bounds)


def _attribute(contacts: Table, test: Test) -> ColumnElement[bool]:
    return and_(true(), *_texts(contacts, test))


def _texts(contacts: Table, test: Test) -> Iterator[ColumnElement[bool]]:
    """Of what must hold, that which is about texts. SQLite finds a name only as JSON has it."""
    match test:
        case Equals(value=str()) if _findable(test.path):
            yield contacts.c.attributes[test.path].as_string() == test.value
        case OneOf() if _findable(test.path):
            texts = [value for value in test.values if isinstance(value, str)]
            if len(texts) == len(test.values):
                yield contacts.c.attributes[test.path].as_string().in_(texts)
        case _:
            pass


def _findable(path: str) -> bool:
    return path.isascii() and path.isidentifier() and path not in PROFILE
