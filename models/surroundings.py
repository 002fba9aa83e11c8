"""Reads identities: those a batch names, and all that are connected with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from models.bulk import Matching, among
from models.contact import Contact, Identity
from models.database import AnyRow, table
from models.words import Call
from tabiji.domain.identities import ANONYMOUS, EMAIL, KINDS, USER, First, Key, Known

_ROW = table(Identity)
_ROWS = Matching(Identity, ("kind", "value"))


class IdentityRow(NamedTuple):
    """A row of `identity`, its columns in their order."""

    kind: str
    value: str
    contact_id: UUID
    first_user: str | None
    first_user_at: datetime | None
    first_user_doubted: bool
    first_email: str | None
    first_email_at: datetime | None


@dataclass
class Surroundings:
    """What is known of the identities of a batch, and of all they are connected with, each with all of a contact's."""

    known: dict[Key, Known] = field(default_factory=dict[Key, Known])
    contact_of: dict[Key, UUID] = field(default_factory=dict[Key, UUID])
    contacts: dict[UUID, UUID] = field(default_factory=dict[UUID, UUID])
    """Contacts that items name themselves, with the ones they were merged into."""
    addresses: dict[UUID, str] = field(default_factory=dict[UUID, str])
    """Of these."""

    def add(self, row: AnyRow | IdentityRow) -> None:
        """Take a row of `identity`."""
        key = (row.kind, row.value)
        by_user, by_email = row.first_user_at, row.first_email_at
        user = None if by_user is None else First(row.first_user_doubted, by_user, row.first_user or "")
        email = None if by_email is None else First(False, by_email, row.first_email or "")
        self.known[key], self.contact_of[key] = Known(user, email), row.contact_id

    def anchor(self, contact: UUID) -> Key | None:
        """The identity that stands for a contact: the address mails go to, else the most telling one."""
        address = (EMAIL, self.addresses.get(contact, ""))
        if self.contact_of.get(address) == contact:
            return address
        theirs = [key for key, to in self.contact_of.items() if to == contact]
        return min(theirs, key=lambda key: (KINDS.index(key[0]), key[1]), default=None)

    def user_of(self, contact: UUID) -> str | None:
        """A user id that leads to a contact."""
        return min(
            (value for (kind, value), to in self.contact_of.items() if kind == USER and to == contact), default=None
        )


async def look(tx: AsyncConnection, keys: Iterable[Key]) -> dict[Key, IdentityRow]:
    """The rows of identities, as far as there are any."""
    rows = (IdentityRow(*row) for row in await _ROWS.rows(tx, list(keys)))
    return {(row.kind, row.value): row for row in rows}


async def surroundings(tx: AsyncConnection, calls: Iterable[Call], rows: Mapping[Key, IdentityRow]) -> Surroundings:
    """All that the answer to these calls can depend on.

    Args:
        tx: Where.
        calls: What may say something new.
        rows: What `look` found of the identities they name, and perhaps of others.
    """
    around = Surroundings()
    calls = list(calls)
    await _contacts(tx, around, {call.item.contact_id for call in calls if call.item.contact_id is not None})
    named = {key for call in calls for key in call.keys}
    for key in named & rows.keys():
        around.add(rows[key])
    ask = _Ask()
    ask.keys_seen |= rows.keys() & named
    ask.see(
        around, {*around.contacts.values()}, named - rows.keys() if any(call.item.previous_id for call in calls) else ()
    )
    while clauses := ask.clauses(tx):
        for row in (await tx.execute(select(_ROW).where(or_(*clauses)))).all():
            around.add(row)
        ask.see(around)
    return around


class _Ask:
    """What is still to be read, so that everything connected is there."""

    def __init__(self) -> None:
        self.keys_seen: set[Key] = set()
        self._contacts: set[UUID] = set()
        self._values: dict[str, set[str]] = {USER: set(), EMAIL: set()}
        self._keys_next: set[Key] = set()
        self._contacts_next: set[UUID] = set()
        self._values_next: dict[str, set[str]] = {USER: set(), EMAIL: set()}

    def see(self, around: Surroundings, contacts: Iterable[UUID] = (), keys: Iterable[Key] = ()) -> None:
        """Look at what has been read."""
        self.keys_seen |= around.known.keys()
        named = set(keys)
        for claims in around.known.values():
            if claims.user is not None:
                named.add((USER, claims.user.value))
            if claims.email is not None:
                named.add((EMAIL, claims.email.value))
        self._keys_next = named - self.keys_seen
        self.keys_seen |= named
        self._contacts_next = {*around.contact_of.values(), *contacts} - self._contacts
        self._contacts |= self._contacts_next
        for kind in (USER, EMAIL):
            values = {value for of, value in around.known if of == kind}
            self._values_next[kind] = values - self._values[kind]
            self._values[kind] |= values

    def clauses(self, tx: AsyncConnection) -> list[ColumnElement[bool]]:
        """What to read next; nothing when everything is there."""
        clauses: list[ColumnElement[bool]] = []
        if self._keys_next:
            clauses.append(tuple_(_ROW.c.kind, _ROW.c.value).in_(sorted(self._keys_next)))
        if self._contacts_next:
            clauses.append(among(tx, _ROW.c.contact_id, self._contacts_next))
        if users := self._values_next[USER]:
            # Whoever has no address yet joins a user by an anonymous id: the others lead nowhere.
            telling = or_(_ROW.c.kind != ANONYMOUS, _ROW.c.first_email.is_not(None))
            clauses.append(among(tx, _ROW.c.first_user, users) & telling)
        if addresses := self._values_next[EMAIL]:
            clauses.append(among(tx, _ROW.c.first_email, addresses))
        return clauses


async def _contacts(tx: AsyncConnection, around: Surroundings, named: set[UUID]) -> None:
    contacts = table(Contact)
    stands_for: dict[UUID, UUID] = {contact: contact for contact in named}
    asked: set[UUID] = set()
    while missing := {*stands_for.values()} - asked:
        asked |= missing
        columns = select(contacts.c.id, contacts.c.merged_into, contacts.c.email)
        for row in (await tx.execute(columns.where(among(tx, contacts.c.id, missing)))).all():
            if row.merged_into is not None:
                stands_for = {one: row.merged_into if to == row.id else to for one, to in stands_for.items()}
            elif row.email is not None:
                around.addresses[row.id] = row.email
    around.contacts = stands_for
