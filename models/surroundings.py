"""Reads identities: those a batch names, and all that are connected with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from models.bulk import among, as_json
from models.contact import Contact, Identity
from models.database import AnyRow, table
from models.words import Call
from tabiji.domain.identities import ANONYMOUS, EMAIL, KINDS, USER, First, Key, Known

_ROW = table(Identity)
_COLUMNS = [*_ROW.columns]
_NAMES = ", ".join(f"i.{column.name}" for column in _COLUMNS)
_THOSE = "JOIN identity i ON i.kind = k.kind AND i.value = k.value"
_POSTGRESQL = text(
    f"SELECT {_NAMES} FROM unnest(CAST(:kinds AS text[]), CAST(:given AS text[])) AS k(kind, value) {_THOSE}"  # noqa: S608 # our own names
).columns(*_COLUMNS)
_SQLITE = text(
    f"SELECT {_NAMES} FROM (SELECT value ->> 0 AS kind, value ->> 1 AS value FROM json_each(:keys)) AS k {_THOSE}"  # noqa: S608 # see above
).columns(*_COLUMNS)


@dataclass
class Surroundings:
    """What is known of the identities of a batch, and of all they are connected with, each with all of a contact's."""

    known: dict[Key, Known] = field(default_factory=dict[Key, Known])
    contact_of: dict[Key, UUID] = field(default_factory=dict[Key, UUID])
    contacts: dict[UUID, UUID] = field(default_factory=dict[UUID, UUID])
    """Contacts that items name themselves, with the ones they were merged into."""
    addresses: dict[UUID, str] = field(default_factory=dict[UUID, str])
    """Of these."""

    def add(self, row: AnyRow) -> None:
        """Take a row of `identity`."""
        key = (row.kind, row.value)
        user = None if row.first_user is None else First(row.first_user_doubted, row.first_user_at, row.first_user)
        email = None if row.first_email is None else First(False, row.first_email_at, row.first_email)
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


async def look(tx: AsyncConnection, keys: Iterable[Key]) -> dict[Key, AnyRow]:
    """The rows of identities, as far as there are any."""
    wanted = list(keys)
    if not wanted:
        return {}
    statement: Any
    given: dict[str, Any]
    if tx.dialect.name == "postgresql":
        kinds, values = zip(*wanted, strict=True)
        statement, given = _POSTGRESQL, {"kinds": list(kinds), "given": list(values)}
    else:
        statement, given = _SQLITE, {"keys": as_json(wanted)}
    return {(row.kind, row.value): row for row in await tx.execute(statement, given)}


async def surroundings(tx: AsyncConnection, calls: Iterable[Call], rows: Mapping[Key, AnyRow]) -> Surroundings:
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
    stands_for = {contact: contact for contact in named}
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
