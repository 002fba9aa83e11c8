"""What is known of contacts: made of what was said under each of their identities, the latest of each attribute.

So it is the same whatever order it came in, and a part of it can leave with the identity it was said under.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.bulk import among
from models.change import Change, Told, change_id
from models.contact import Contact, Identity
from models.database import AnyRow, insert, table
from models.said import Said
from tabiji.domain.attributes import PROFILE, problem_with_all, told
from tabiji.domain.facts import Fact
from tabiji.domain.identities import EMAIL, USER, Key
from tabiji.domain.registers import Register, just_after, latest, put
from tabiji.errors import InvalidEvent

ADDRESS = "email"
"""Name under which a register has the address a user has last said is theirs."""


@dataclass(frozen=True, slots=True)
class Saying:
    """What one item says of a contact, under which identity and when."""

    contact: UUID
    identity: str | None
    at: datetime
    traits: Mapping[str, JsonValue]
    source: str
    address: str | None = None
    tempo: float | None = None
    told: bool = True
    """Whether what it changes is told."""


@dataclass
class _Person:
    """A contact in the making: what was said, and what that comes to."""

    row: AnyRow
    registers: dict[str, Register]
    known: dict[str, JsonValue]
    told: dict[str, JsonValue]
    """What is known, as it was told last."""
    emails: list[AnyRow]
    address_otherwise: str | None
    """Where no identity is an address."""
    tempo: float | None

    @classmethod
    def of(cls, row: AnyRow, registers: dict[str, Register], emails: list[AnyRow]) -> _Person:
        known = dict(row.attributes) | {name: value for name in PROFILE if (value := getattr(row, name)) is not None}
        return cls(row, registers, known, known, emails, row.email, row.tempo)

    def now_known(self) -> dict[str, JsonValue]:
        """What is known by what was said; what nobody has said stays as it is."""
        said = {name: value for name, (_, value) in latest(self.registers.values()).items() if name != ADDRESS}
        return {name: value for name, value in {**self.known, **said}.items() if value is not None}

    def address(self) -> str | None:
        """The address: of several the one a user has said last."""
        if len(self.emails) < 2:
            return self.emails[0].value if self.emails else self.address_otherwise
        theirs = {row.value for row in self.emails}
        last = [
            (*said, value)
            for owner, register in self.registers.items()
            if owner.startswith(f"{USER}:") and (said := register.get(ADDRESS)) and (value := said[1]) in theirs
        ]
        if last:
            return str(max((at, value) for at, value, _ in last)[1])
        first = max(self.emails, key=lambda row: (row.first_user_at is not None, row.first_user_at, row.value))
        return str(first.value)

    def columns(self) -> dict[str, Any]:
        """The row as it should be."""
        attributes = {name: value for name, value in self.known.items() if name not in PROFILE}
        profile = {name: self.known.get(name) for name in PROFILE}
        return {"attributes": attributes, "email": self.address(), "tempo": self.tempo, **profile}


async def learn(
    tx: AsyncConnection, sayings: Iterable[Saying], contacts: dict[UUID, AnyRow]
) -> list[tuple[Saying, Told]]:
    """Learn what a batch says, in a fixed number of statements.

    Args:
        tx: Where the contacts are locked.
        sayings: What is new, in the order it came.
        contacts: Their rows; those that change are replaced.

    Returns:
        What has changed by which saying, in that order.

    Raises:
        InvalidEvent: A contact would have more attributes than one may have.
    """
    news = [one for one in sayings if one.traits or one.tempo is not None or _says_where(one, contacts)]
    if not news:
        return []
    people = await _people(tx, {one.contact for one in news}, contacts)
    changed: dict[str, UUID] = {}
    facts: list[tuple[Saying, Told]] = []
    for one in news:
        person, owner = people[one.contact], one.identity or f"contact:{one.contact}"
        register = person.registers.setdefault(owner, {})
        said = {name: value for name, value in one.traits.items() if _is_trait(name, value)}
        if one.address is not None and owner.startswith(f"{USER}:"):
            said[ADDRESS] = one.address
        if [name for name, value in said.items() if put(register, name, value, one.at)]:
            changed[owner] = one.contact
        person.tempo = one.tempo if one.tempo is not None else person.tempo
        fresh = _take(person, one.traits)
        facts += [(one, fact) for fact in _facts(one.source, fresh)] if one.told else []
        if fresh and (problem := problem_with_all(person.known)) is not None:
            raise InvalidEvent("traits", problem)
    await _keep(tx, {owner: (contact, people[contact].registers[owner]) for owner, contact in changed.items()})
    contacts.update(await _write(tx, people.values()))
    return facts


async def refresh(
    tx: AsyncConnection, contacts: dict[UUID, AnyRow], ids: Collection[UUID], *, lost: Collection[Key], source: str
) -> tuple[dict[UUID, AnyRow], list[tuple[UUID, Told]]]:
    """Make contacts anew of what was said of them, after identities or whole contacts have moved.

    Args:
        tx: Where the contacts are locked.
        contacts: Rows of these and others, read before.
        ids: Whose.
        lost: Identities that have moved: what only they have said is taken away, and an address among them.
        source: What makes the change, for the events that tell of it.

    Returns:
        All rows as they are now, and what is to be told.
    """
    now = {**contacts, **await read_contacts(tx, contacts)}
    people = await _people(tx, ids, now)
    await _without(tx, people, lost)
    facts: list[tuple[UUID, Told]] = []
    for id, person in sorted(people.items()):
        facts += [(id, fact) for fact in _facts(f"{source}/{id}", _take(person))]
    return {**now, **await _write(tx, people.values())}, facts


async def note_edit(change: Change, name: str, value: JsonValue) -> None:
    """Remember what a journey or a person in the team has set, from now on until somebody says otherwise later."""
    rows = table(Said)
    owner = f"contact:{change.contact.id}"
    query = select(rows.c.identity, rows.c.traits).where(rows.c.contact_id == change.contact.id)
    registers: dict[str, Register] = {row.identity: dict(row.traits) for row in await change.tx.execute(query)}
    before = latest(registers.values()).get(name)
    at = just_after(before[0], change.at) if before is not None else change.at
    register = registers.get(owner, {})
    put(register, name, value, at)
    await _keep(change.tx, {owner: (change.contact.id, register)})


def same(one: JsonValue, other: JsonValue) -> bool:
    """Whether two values are the same in JSON, where a yes is no number."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def tell_attribute(change: Change, name: str, before: JsonValue, after: JsonValue) -> None:
    """Tell that an attribute has changed."""
    change.tell(Fact.ATTRIBUTE_CHANGED, {"name": name, **told(before, after)}, about=name)


async def read_contacts(tx: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, AnyRow]:
    """Rows of contacts."""
    rows = table(Contact)
    return {row.id: row for row in await tx.execute(select(rows).where(among(tx, rows.c.id, ids)))}


class _Changed(NamedTuple):
    """One thing that is known otherwise than before."""

    name: str
    before: JsonValue
    after: JsonValue


def _take(person: _Person, order: Iterable[str] = ()) -> list[_Changed]:
    """Let what was said be what is known. Returns what is another than before."""
    before = person.told
    person.known = person.told = person.now_known()
    # As it was said, where that tells: what a column gives back is in no order.
    names = dict.fromkeys([*order, *sorted({*before, *person.known})])
    return [
        _Changed(name, before.get(name), person.known.get(name))
        for name in names
        if not same(before.get(name), person.known.get(name))
    ]


def _facts(source: str, changes: Iterable[_Changed]) -> list[Told]:
    return [
        Told(
            Fact.ATTRIBUTE_CHANGED,
            change_id(source, Fact.ATTRIBUTE_CHANGED, name),
            {"name": name, **told(before, after)},
        )
        for name, before, after in changes
    ]


async def _people(tx: AsyncConnection, ids: Collection[UUID], contacts: Mapping[UUID, AnyRow]) -> dict[UUID, _Person]:
    said, identities = table(Said), table(Identity)
    registers: dict[UUID, dict[str, Register]] = defaultdict(dict)
    for row in await tx.execute(select(said).where(among(tx, said.c.contact_id, ids))):
        registers[row.contact_id][row.identity] = dict(row.traits)
    emails: dict[UUID, list[AnyRow]] = defaultdict(list)
    theirs = select(identities).where(among(tx, identities.c.contact_id, ids), identities.c.kind == EMAIL)
    for row in await tx.execute(theirs):
        emails[row.contact_id].append(row)
    return {id: _Person.of(contacts[id], registers[id], emails[id]) for id in ids}


async def _without(tx: AsyncConnection, people: Mapping[UUID, _Person], lost: Collection[Key]) -> None:
    """Forget of contacts what was said under identities that are somebody else's now."""
    if not lost:
        return
    rows = table(Said)
    gone = [f"{kind}:{value}" for kind, value in lost]
    moved = (await tx.execute(select(rows).where(among(tx, rows.c.identity, gone)))).all()
    for id, person in people.items():
        if (EMAIL, person.row.email) in lost:
            person.address_otherwise = None
        names = {name for row in moved if row.contact_id != id for name in row.traits}
        person.known = {name: value for name, value in person.known.items() if name not in names}


async def _keep(tx: AsyncConnection, registers: Mapping[str, tuple[UUID, Register]]) -> None:
    if not registers:
        return
    statement = insert(tx, Said)
    await tx.execute(
        statement.on_conflict_do_update(index_elements=["identity"], set_={"traits": statement.excluded.traits}),
        [
            {"identity": owner, "contact_id": contact, "traits": dict(said)}
            for owner, (contact, said) in sorted(registers.items())
        ],
    )


async def _write(tx: AsyncConnection, people: Iterable[_Person]) -> dict[UUID, AnyRow]:
    """Write the rows that are to change."""
    wanted = {person.row.id: (person.row, person.columns()) for person in people}
    changes = {
        id: columns
        for id, (row, columns) in sorted(wanted.items())
        if any(not same(getattr(row, name), value) for name, value in columns.items())
    }
    if not changes:
        return {}
    rows = table(Contact)
    lose = [id for id, columns in changes.items() if wanted[id][0].email not in (None, columns[ADDRESS])]
    if lose:  # first: no two may have one address, not even for a moment
        await tx.execute(update(rows).where(among(tx, rows.c.id, lose)).values(email=None))
    names = next(iter(changes.values())).keys()
    await tx.execute(
        update(rows).where(rows.c.id == bindparam("of")).values({name: bindparam(name) for name in names}),
        [{"of": id, **columns} for id, columns in changes.items()],
    )
    return await read_contacts(tx, changes)


def _says_where(one: Saying, contacts: Mapping[UUID, AnyRow]) -> bool:
    """Whether the address matters. Of a user it does although it is the one: they may be found to have had another."""
    by_user = one.identity is not None and one.identity.startswith(f"{USER}:")
    return one.address is not None and (by_user or one.address != contacts[one.contact].email)


def _is_trait(name: str, value: JsonValue) -> bool:
    # An address is an identity first, and who may be written to is decided elsewhere. Null says nothing.
    return name != ADDRESS and value is not None and (name not in PROFILE or isinstance(value, str))
