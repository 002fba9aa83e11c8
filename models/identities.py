"""Finds the contacts a batch is about, by what its items claim about identities.

    resolved = await contacts_for(tx, batch, now=now, recorded_at=recorded_at)
    locked = await lock_many(tx, resolved.to_lock)
    settled = await settle(tx, resolved, locked, now=now)

`tabiji.domain.identities` says who is who; here is what it takes to ask it little. Where all identities are known and
nothing new is claimed, that is one SELECT. Else what surrounds them is read, new identities and contacts are written,
and under the lock contacts are merged or parted: the answer has to hold there, or all of it begins again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import new_id
from models.bulk import Rows
from models.change import Told
from models.contact import Contact, Identity
from models.database import AnyRow
from models.devices import new_devices
from models.enroll import Pending
from models.incoming import Incoming
from models.locks import Locked
from models.moves import Moves, columns, move
from models.profiles import read_contacts
from models.surroundings import IdentityRow, Surroundings, look, surroundings
from models.words import Call, Words, words_of
from tabiji.domain.identities import ANONYMOUS, EMAIL, NOTHING, USER, Key, Known, heard, homes, people, written

_CONTACTS = Rows(Contact, ("id", "attributes", "score", "created_at", "recorded_at"))
_IDENTITIES = Rows(
    Identity,
    (
        "kind",
        "value",
        "contact_id",
        "first_user",
        "first_user_at",
        "first_user_doubted",
        "first_email",
        "first_email_at",
    ),
    unless="kind, value",
)


class LostRace(Exception):
    """Another transaction has changed who one of these identities leads to. Start again: it is visible now."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the claims of a batch come to, as far as anything is new in them."""

    words: Mapping[int, Words]
    """Of the items that may say something new, by their place in the batch."""
    contact_of: Mapping[Key, UUID]
    """Of every identity they are connected with."""
    new: Mapping[Key, tuple[Known, UUID]]
    made: frozenset[UUID]
    """Contacts that are not there yet."""
    moves: Moves
    asked: frozenset[UUID]
    """Contacts the answer depends on."""


@dataclass
class Resolved:
    """The contact of each item of a batch, in its order, and what was believed when they were chosen."""

    contacts: list[UUID]
    to_lock: set[UUID]
    """All that must be locked before `settle`: those, and whoever else the batch may change."""
    addresses: list[str | None]
    """What each item says the address is, as far as it is believed."""
    calls: list[Call]
    mains: list[Key | None]
    """The identity each item comes under."""
    recorded_at: datetime
    nameless: list[UUID] = field(default_factory=list[UUID])
    """New contacts of items that name nobody."""
    devices: dict[Key, tuple[Known, UUID]] = field(default_factory=dict[Key, tuple[Known, UUID]])
    """New devices of users who are known."""
    plan: _Plan | None = None


@dataclass
class Settled:
    """The contact of each item under the lock, and what became of those that were merged or parted."""

    contacts: list[UUID]
    """Of each item, in the order of the batch."""
    identities: list[str | None]
    """Of each item: the identity it came under, for `event.identity` and `consent.identity`."""
    rows: dict[UUID, AnyRow]
    """Contacts by id, as they are now, as far as they had to be read."""
    pending: list[Pending] = field(default_factory=list[Pending])
    """What must reach Temporal: journeys woken by what was moved to their contact, and ended ones."""
    told: list[tuple[UUID, Told]] = field(default_factory=list[tuple[UUID, Told]])
    """Facts of these contacts, to be recorded after the batch."""


async def contacts_for(
    tx: AsyncConnection, batch: Sequence[Incoming], *, now: datetime, recorded_at: datetime
) -> Resolved:
    """Find the contacts of a batch. New identities and contacts are written.

    Lock `to_lock` next, and then `settle`.

    Args:
        tx: Where.
        batch: What came in.
        now: Journey time: when what browsers say counts from.
        recorded_at: Database time.

    Raises:
        LostRace: See there.
    """
    rows = await look(tx, _named(batch))
    resolved = Resolved([], set(), [item.email or None for item in batch], [], [], recorded_at)
    for place, item in enumerate(batch):
        main = _main(item)
        contact = _nothing_new(item, main, rows, now)
        if contact is None and main is None and item.contact_id is None:
            contact = new_id()
            resolved.nameless.append(contact)
        elif contact is None:
            resolved.calls.append(Call(place, item, now))
        resolved.contacts.append(contact or _OPEN)
        resolved.mains.append(main)
    if resolved.calls or resolved.nameless:
        _answer(resolved, _plan(await _around(tx, resolved, rows), resolved.calls))
        await _write(tx, resolved, now)
    resolved.to_lock = {*resolved.contacts, *(resolved.plan.asked if resolved.plan else ())}
    return resolved


_OPEN = UUID(int=0)


async def _around(tx: AsyncConnection, resolved: Resolved, rows: Mapping[Key, IdentityRow]) -> Surroundings:
    """What surrounds all that may be new but new devices, unless it concerns those too."""
    devices = new_devices(resolved.calls, rows)
    rest = [call for call in resolved.calls if (ANONYMOUS, call.item.anonymous_id) not in devices]
    around = await surroundings(tx, rest, rows)
    if devices and not {*around.contact_of.values()}.isdisjoint(contact for _, contact in devices.values()):
        return await surroundings(tx, resolved.calls, rows)
    for call in resolved.calls:
        if (device := (ANONYMOUS, call.item.anonymous_id or "")) in devices:
            resolved.contacts[call.place] = devices[device][1]
    resolved.devices, resolved.calls = devices, rest
    return around


async def settle(
    tx: AsyncConnection, resolved: Resolved, locked: Mapping[UUID, Locked], *, now: datetime | None = None
) -> Settled:
    """Do what needs the lock: make sure that what was resolved still holds, merge and part contacts.

    Args:
        tx: Where `resolved.to_lock` are locked.
        resolved: What `contacts_for` found.
        locked: What `lock_many` returned for `resolved.to_lock`.
        now: Journey time, of what happens to journeys by a merge.

    Raises:
        LostRace: It does not hold any more. Start the transaction again.
    """
    there = {contact.id for contact in locked.values()}
    if tx.dialect.name == "postgresql":  # of SQLite's writers there is one
        await _check(tx, resolved, locked)
        await _plan_again(tx, resolved, there)
    contacts = [locked[contact].id if contact in locked else contact for contact in resolved.contacts]
    settled = Settled(contacts, [None if main is None else written(main) for main in resolved.mains], {})
    if resolved.plan is not None and resolved.plan.moves:
        moves = resolved.plan.moves
        rows = await read_contacts(tx, there) if moves.moved or moves.merged else {}
        done = await move(tx, moves, rows, at=now or resolved.recorded_at, recorded_at=resolved.recorded_at)
        settled.contacts = [moves.merged.get(contact, contact) for contact in contacts]
        settled.rows, settled.pending, settled.told = done.rows, done.pending, done.told
    return settled


async def _plan_again(tx: AsyncConnection, resolved: Resolved, locked: Collection[UUID]) -> None:
    """What was read before the lock is older than what the lock waited for."""
    if resolved.plan is None or resolved.plan.asked <= resolved.plan.made:
        return
    there = await look(tx, _named(call.item for call in resolved.calls))
    spare = resolved.plan.made
    plan = _plan(await surroundings(tx, resolved.calls, there), resolved.calls, spare)
    if plan.new or not plan.asked.issubset(locked) or not spare <= plan.asked:
        raise LostRace
    _answer(resolved, plan)


def _named(batch: Iterable[Incoming]) -> set[Key]:
    keys: set[Key] = set()
    for item in batch:
        if item.user_id:
            keys.add((USER, item.user_id))
        if item.email:
            keys.add((EMAIL, item.email))
        if item.anonymous_id:
            keys.add((ANONYMOUS, item.anonymous_id))
    return keys


def _main(item: Incoming) -> Key | None:
    """The most telling identity of an item; None where it names the contact."""
    if item.contact_id is not None:
        return None
    if item.user_id:
        return USER, item.user_id
    if item.email:
        return EMAIL, item.email
    return (ANONYMOUS, item.anonymous_id) if item.anonymous_id else None


def _nothing_new(item: Incoming, main: Key | None, rows: Mapping[Key, IdentityRow], now: datetime) -> UUID | None:
    """The contact of an item that claims nothing that is not known; None where it may."""
    user, email, anonymous = item.user_id, item.email, item.anonymous_id
    if item.contact_id is not None:
        return item.contact_id if not email and not anonymous else None
    if main is None or item.previous_id or (found := rows.get(main)) is None:
        return None
    at = item.at if item.trusted else now
    if user and email:
        row = rows.get((EMAIL, email))
        if row is None or row.first_user is None or (item.trusted and row.first_user_doubted):
            return None
        if (at, user) < (row.first_user_at, row.first_user):
            return None
    if anonymous and (user or email):
        row = rows.get((ANONYMOUS, anonymous))
        if row is None or (user and _earlier(at, user, row.first_user_at, row.first_user)):
            return None
        if email and _earlier(at, email, row.first_email_at, row.first_email):
            return None
    contact: UUID = found.contact_id
    return contact


def _earlier(at: datetime, value: str, first_at: datetime | None, first: str | None) -> bool:
    return first is None or first_at is None or at < first_at or (at == first_at and value < first)


def _plan(around: Surroundings, calls: Sequence[Call], spare: frozenset[UUID] = frozenset()) -> _Plan:
    """What the claims come to. Reads nothing, writes nothing. `spare`: new contacts that are nobody's yet."""
    words = {call.place: words_of(call, around) for call in calls}
    known = dict(around.known)
    for said in words.values():
        for key in said.keys:
            known.setdefault(key, NOTHING)
    changed = heard(known, [claim for said in words.values() for claim in said.claims])
    known |= changed
    person = people(known)
    alone = {key: said.contact for said in words.values() for key in said.alone if said.contact is not None}
    found = homes(person, {**alone, **around.contact_of})
    blank = sorted(spare - {*around.contact_of.values()}, reverse=True)
    homeless = sorted(one for one, contact in found.contact.items() if contact is None)
    made = {one: blank.pop() if blank else new_id() for one in homeless}
    contact_of = {key: found.contact[one] or made[one] for key, one in person.items()}
    before = around.contact_of
    return _Plan(
        words=words,
        contact_of=contact_of,
        new={key: (known[key], to) for key, to in contact_of.items() if key not in before},
        made=frozenset(made.values()),
        moves=Moves(
            rows={key: (known[key], to) for key, to in contact_of.items() if _differs(key, to, changed, before)},
            moved={key: (before[key], to) for key, to in contact_of.items() if before.get(key, to) != to},
            merged=found.merged,
        ),
        asked=frozenset({*before.values(), *contact_of.values(), *around.contacts.values()}),
    )


def _differs(key: Key, to: UUID, changed: Mapping[Key, Known], before: Mapping[Key, UUID]) -> bool:
    return key in before and (key in changed or before[key] != to)


def _answer(resolved: Resolved, plan: _Plan) -> None:
    """Give each item the contact the plan has for it."""
    resolved.plan = plan
    for place, main in enumerate(resolved.mains):
        said = plan.words.get(place)
        if said is not None:
            resolved.mains[place], resolved.addresses[place] = said.main, said.address
            if said.contact is not None:
                resolved.contacts[place] = said.contact
            elif said.main is not None:
                resolved.contacts[place] = plan.contact_of[said.main]
        elif main is not None:
            resolved.contacts[place] = plan.contact_of.get(main, resolved.contacts[place])


async def _write(tx: AsyncConnection, resolved: Resolved, now: datetime) -> None:
    """Write new identities, sorted: whoever wants one of them too waits here, before anybody is locked."""
    new = {**(resolved.plan.new if resolved.plan else {}), **resolved.devices}
    rows = [(*key, contact, *columns(known).values()) for key, (known, contact) in sorted(new.items())]
    if await _IDENTITIES.write(tx, rows) < len(rows):
        raise LostRace
    made = sorted({*(resolved.plan.made if resolved.plan else ()), *resolved.nameless})
    await _CONTACTS.write(tx, [(contact, {}, 0, now, resolved.recorded_at) for contact in made])


async def _check(tx: AsyncConnection, resolved: Resolved, locked: Mapping[UUID, Locked]) -> None:
    """Look again at identities whose contact was merged or parted while its lock was waited for, or ever."""
    looked_up = {call.place for call in resolved.calls}
    doubtful: dict[Key, UUID] = {}
    for place, (main, contact) in enumerate(zip(resolved.mains, resolved.contacts, strict=True)):
        row = locked[contact]
        if main is not None and place not in looked_up and (row.id != contact or row.parted_at is not None):
            doubtful[main] = row.id
    if any(locked[contact].id != contact for _, contact in resolved.devices.values()):
        raise LostRace
    now_there = await look(tx, doubtful)
    if any(now_there[key].contact_id != contact for key, contact in doubtful.items()):
        raise LostRace
